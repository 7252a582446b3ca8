/**
 * Jobs in a browser: each in a worker of its own, which ends with it and gives its memory back. Where the
 * worker's script is depends on how the page was bundled and served, so several places are tried, once.
 */

import { build } from "../../pkg/build.js";
import { text } from "../../pkg/worker-text.js";
import { CHUNK_NAME } from "./chunk-name.js";
import { VaultError } from "../error.js";
import { Turns } from "../turns.js";
import { buffersOf, perform, type Answer, type Order, type Reply, type WorkerSource } from "./job.js";

declare const __webpack_require__: unknown;

/** How long to wait for a worker's greeting: a script that is there but is not ours may never say anything. */
const GREETING_MS = 10_000;

type Start = () => Worker | Promise<Worker>;

/** There is no worker to be had in this way. */
class Unusable extends Error {}

// In a classic script `import.meta` is empty, and this tells where it is; only while it is evaluated.
const classicScript =
  typeof document === "undefined" || !(document.currentScript instanceof HTMLScriptElement)
    ? undefined
    : document.currentScript.src;

const PLACES: readonly Start[] = [
  // Beside this module. Vite and webpack look for exactly this text and bring the file along.
  () => new Worker(new URL("./connector-vault-worker.js", import.meta.url), { type: "module" }),
  // Beside a classic script.
  () => {
    if (!classicScript) throw new Unusable("this is no classic script");
    return new Worker(new URL("connector-vault-worker.js", classicScript));
  },
  // A chunk of a bundler that splits but knows no workers. webpack evaluates the condition while it parses:
  // it has found the first place, and would write the path of the machine that builds into the bundle here.
  async () => {
    if (typeof __webpack_require__ === "function") throw new Unusable("webpack has split it already");
    else {
      const { url } = await import("./chunk.js");
      // Not split: that address would start the whole application.
      if (!url || url === import.meta.url) throw new Unusable("it is not split");
      return new Worker(url, { type: "module", name: CHUNK_NAME });
    }
  },
  // From text. A strict Content Security Policy refuses that, and reports it: hence last.
  () => {
    const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    try {
      return new Worker(url);
    } finally {
      setTimeout(() => URL.revokeObjectURL(url), GREETING_MS);
    }
  },
];

/** The place that worked; `null` if none did: to ask again would only repeat the reports. */
let place: Start | null | undefined;
/** One job after the other, since each may take 256 MiB. */
const turns = new Turns();

/** Does a job in a worker; where there is none, in this thread. `signal` ends the worker. */
export function run(
  order: Order,
  source: WorkerSource | undefined,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  return turns.take(() => runNow(order, source, signal), signal);
}

async function runNow(
  order: Order,
  source: WorkerSource | undefined,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const worker = await find(source);
  signal?.throwIfAborted();
  if (worker === undefined) {
    console.warn(
      "connector-vault: no worker can be started, so unlocking stops the page while it runs. " +
        "Serve connector-vault-worker.js beside the script, or see ready({ worker }).",
    );
    return perform(order);
  }
  // Not tried again elsewhere: a job that fails has failed.
  return await ask(worker, order, signal);
}

/** A worker that has greeted. */
async function find(source: WorkerSource | undefined): Promise<Worker | undefined> {
  if (source !== undefined) {
    try {
      return await greeted(typeof source === "function" ? source() : new Worker(source, { type: "module" }));
    } catch (cause) {
      throw new VaultError(
        "worker_failed",
        `the worker that was given to ready() does not start: ${messageOf(cause)}`,
        "give the address of the script connector-vault/worker, of the same version",
        { cause },
      );
    }
  }
  if (typeof Worker === "undefined") return undefined;
  // What worked once may be away for a while. Where nothing did, the page's policy would report each try
  // again, but for the first.
  const places = place === undefined ? PLACES : place === null ? PLACES.slice(0, 1) : [place, ...PLACES];
  for (const start of places) {
    try {
      const worker = await greeted(await start());
      place = start;
      return worker;
    } catch {
      // The next place.
    }
  }
  place ??= null;
  return undefined;
}

function greeted(worker: Worker): Promise<Worker> {
  return new Promise((resolve, reject) => {
    const settle = () => {
      clearTimeout(timer);
      worker.onmessage = worker.onerror = worker.onmessageerror = null;
    };
    const fail = (why: string) => {
      settle();
      worker.terminate();
      reject(new Unusable(why));
    };
    const timer = setTimeout(() => fail("it did not greet in time"), GREETING_MS);
    worker.onerror = (event) => {
      event.preventDefault();
      fail(event.message || "it could not be loaded");
    };
    worker.onmessageerror = () => fail("its greeting cannot be read");
    worker.onmessage = ({ data }: MessageEvent<Reply | null>) => {
      if (data === null || !("hello" in data) || data.hello !== build) return fail("it is another script");
      settle();
      resolve(worker);
    };
  });
}

/** Gives the one job to a worker, and ends it. */
function ask(worker: Worker, order: Order, signal: AbortSignal | undefined): Promise<Answer> {
  let abort: (() => void) | undefined;
  const answer = new Promise<Answer>((resolve, reject) => {
    const fail = (why: string) => reject(new VaultError("internal", `the worker stopped: ${why}`));
    abort = () => reject(signal?.reason);
    if (signal?.aborted) return abort();
    signal?.addEventListener("abort", abort);
    worker.onerror = (event) => {
      event.preventDefault();
      fail(event.message || "it gave no reason");
    };
    worker.onmessageerror = () => fail("its answer cannot be read");
    worker.onmessage = ({ data }: MessageEvent<Reply>) => {
      if ("ok" in data) resolve(data.ok);
      else fail("error" in data ? data.error : "it said something else");
    };
    worker.postMessage(order, buffersOf(order.job.passphrase));
  });
  return answer.finally(() => {
    if (abort) signal?.removeEventListener("abort", abort);
    worker.terminate();
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
