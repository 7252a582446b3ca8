/** One after the other: operations that must not come between each other. */

import { orAborted } from "./abort.js";

/** Turns of operations. */
export class Turns {
  /** Settles with the last operation. */
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `work` when all before it are done. While it waits, and only then, `signal` gives it up. */
  take<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    let began = false;
    const done = this.#last.then(() => {
      signal?.throwIfAborted();
      began = true;
      return work();
    });
    this.#last = done.catch(() => undefined);
    return orAborted(done, signal, () => began);
  }
}
