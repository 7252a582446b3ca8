/** The work that a worker does, and how it is asked: Argon2id, which takes long and much memory. */

import { instantiate } from "./argon2id.js";

/** Where the worker's script is, or how to start a worker with it. Node needs none. */
export type WorkerSource = URL | string | (() => Worker);

/** What to derive. The passphrase is moved, not copied. */
export interface Job {
  /** In UTF-8. */
  readonly passphrase: Uint8Array;
  readonly salt: Uint8Array;
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
}

/** The key of 32 bytes; `undefined` if the memory is not to be had. */
export interface Answer {
  readonly key: Uint8Array | undefined;
}

/** What a worker is sent after its greeting: the compiled module, and the job. */
export interface Order {
  readonly module: WebAssembly.Module;
  readonly job: Job;
}

/** What a worker sends: first a greeting, so that nothing secret goes to another script. */
export type Reply = { readonly hello: string } | { readonly ok: Answer } | { readonly error: string };

/** Does a job in this thread. Wipes the passphrase. */
export function perform({ module, job }: Order): Answer {
  const { passphrase, salt, memoryKib, passes, lanes } = job;
  try {
    return { key: instantiate(module)(passphrase, salt, memoryKib, passes, lanes) };
  } finally {
    wipe(job);
  }
}

/** Wipes the passphrase of a job, unless it was moved to a worker, which does. */
export function wipe({ passphrase }: Job): void {
  if (passphrase.byteLength > 0) passphrase.fill(0);
}

/** The buffers to move with what is secret. */
export function buffersOf(secret: Uint8Array | undefined): ArrayBuffer[] {
  return secret?.buffer instanceof ArrayBuffer ? [secret.buffer] : [];
}
