/** Jobs in Node: each in a thread of its own, from text, so that there is no file to find. */

import type { Worker as ThreadOf } from "node:worker_threads";

import { build } from "../../pkg/build.js";
import { text } from "../../pkg/worker-text.js";
import { VaultError } from "../error.js";
import { Turns } from "../turns.js";
import { buffersOf, perform, type Answer, type Order, type Reply, type WorkerSource } from "./job.js";

/** One job after the other, since each may take 256 MiB. */
const turns = new Turns();

/** Does a job in a thread; where Node permits none, in this one. `signal` ends the thread. */
export function run(
  order: Order,
  _source: WorkerSource | undefined,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  return turns.take(() => runNow(order, signal), signal);
}

function runNow(order: Order, signal: AbortSignal | undefined): Promise<Answer> {
  const thread = start();
  if (thread === undefined) return Promise.resolve(perform(order));
  return new Promise<Answer>((resolve, reject) => {
    // Settled when the thread has ended and its memory is given back: `exit` comes last.
    let settle = () => reject(new VaultError("internal", "the thread ended without an answer"));
    const end = (how: () => void) => {
      settle = how;
      void thread.terminate();
    };
    const abort = () => end(() => reject(signal?.reason));
    signal?.addEventListener("abort", abort);
    thread.once("exit", () => {
      signal?.removeEventListener("abort", abort);
      settle();
    });
    thread.once("error", (error) => {
      settle = () => reject(error);
    });
    thread.once("messageerror", (error) => end(() => reject(error)));
    thread.on("message", (reply: Reply) => {
      if ("ok" in reply) end(() => resolve(reply.ok));
      else if ("error" in reply)
        end(() => reject(new VaultError("internal", `the worker stopped: ${reply.error}`)));
      else if (reply.hello !== build)
        end(() => reject(new VaultError("internal", "another thread answered")));
      else thread.postMessage(order, buffersOf(order.job.passphrase));
    });
  });
}

function start(): ThreadOf | undefined {
  // Neither `import` nor `require`: bundled to CommonJS and bundled again to ESM, both would break.
  const threads = process.getBuiltinModule("node:worker_threads");
  try {
    // No hooks, no inspector and no environment of the program are the thread's business.
    return new threads.Worker(text, { eval: true, execArgv: [], env: {}, name: "connector-vault" });
  } catch {
    // The permission model without --allow-worker.
    return undefined;
  }
}
