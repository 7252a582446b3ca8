/** The worker's body: it says hello, does one job, and waits to be ended. */

import { build } from "../../pkg/build.js";
import { buffersOf, perform, type Order, type Reply } from "./job.js";

interface Port {
  postMessage(reply: Reply, transfer?: readonly ArrayBuffer[]): void;
  on?(event: "message", listener: (order: Order) => void): void;
  onmessage?: ((event: { readonly data: Order }) => void) | null;
}

interface Scope {
  readonly WorkerGlobalScope?: abstract new () => object;
  readonly process?: { getBuiltinModule?(name: string): { readonly parentPort?: Port | null } | undefined };
}

/** Answers the page or thread that started this worker. Elsewhere it does nothing. */
export function serve(): void {
  const port = parentPort();
  if (port === undefined) return;
  const serveOrder = (order: Order) => {
    try {
      const answer = perform(order);
      port.postMessage({ ok: answer }, buffersOf(answer.key));
    } catch (error) {
      port.postMessage({ error: String(error) });
    }
  };
  if (port.on) port.on("message", serveOrder);
  else port.onmessage = (event) => serveOrder(event.data);
  port.postMessage({ hello: build });
}

function parentPort(): Port | undefined {
  const scope = globalThis as unknown as Scope;
  const { WorkerGlobalScope, process } = scope;
  if (typeof WorkerGlobalScope === "function" && scope instanceof WorkerGlobalScope) {
    return scope as unknown as Port;
  }
  return process?.getBuiltinModule?.("node:worker_threads")?.parentPort ?? undefined;
}
