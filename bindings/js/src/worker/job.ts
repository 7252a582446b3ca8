/** The work that a worker does, and how it is asked: what takes long, and what takes much memory. */

import { initSync, open, repair, stretch, type KdfCost, type Opening, type Vault } from "../../pkg/vault.js";
import { instantiate } from "./argon2id.js";

/** Where the worker's script is, or how to start a worker with it. Node needs none. */
export type WorkerSource = URL | string | (() => Worker);

/** A job. Its byte arrays are moved, not copied. */
export type Job =
  | {
      /** Argon2id for a key slot that is to be made. */
      readonly kind: "stretch";
      readonly passphrase: Uint8Array;
      readonly cost: KdfCost;
    }
  | {
      /** Opens a vault, or repairs one. */
      readonly kind: "open" | "repair";
      readonly file: Uint8Array;
      readonly secret: Uint8Array;
      readonly opening: Opening;
    };

/** What comes of a job. */
export interface Answer {
  /** The stretched passphrase, or the file of the vault that is open. */
  readonly bytes: Uint8Array;
  /** The detached vault's state. */
  readonly state?: Uint8Array;
  /** The report of a repair. */
  readonly report?: string;
}

/** The compiled modules: the core, and Argon2id where a job has a passphrase. */
export interface Modules {
  readonly core: WebAssembly.Module;
  readonly argon2id?: WebAssembly.Module;
}

/** What a worker is sent after its greeting. */
export interface Order {
  readonly modules: Modules;
  readonly job: Job;
}

/** What a worker sends: first a greeting, so that nothing secret goes to another script. */
export type Reply = { readonly hello: string } | { readonly ok: Answer } | { readonly error: unknown };

/** Does a job in this thread, in which the core is ready. Wipes the secret that it was given. */
export function perform(job: Job, { argon2id }: Partial<Modules>): Answer {
  try {
    const derive = argon2id && instantiate(argon2id);
    if (job.kind === "stretch") return { bytes: stretch(job.passphrase, job.cost, derive) };
    if (job.kind === "open") return detach(open(job.file, job.secret, job.opening, derive));
    const repaired = repair(job.file, job.secret, job.opening, derive, new Date().toISOString());
    const report = repaired.report();
    return { ...detach(repaired.intoVault()), report };
  } finally {
    wipeSecret(job);
  }
}

function detach(vault: Vault): Answer {
  const detached = vault.detach();
  try {
    return { bytes: detached.file(), state: detached.state() };
  } finally {
    detached.free();
  }
}

/** Does a job in a worker, whose memory is its own. */
export function performOrder({ modules, job }: Order): Answer {
  initSync({ module: modules.core });
  return perform(job, modules);
}

/** Wipes what a job holds that is secret, unless it was moved to a worker, which does. */
export function wipeSecret(job: Job): void {
  const secret = job.kind === "stretch" ? job.passphrase : job.secret;
  if (secret.byteLength > 0) secret.fill(0);
}

/** The buffers to move with an answer or a job. */
export function buffersOf(message: Job | Answer): ArrayBuffer[] {
  return Object.values(message).flatMap((value) =>
    value instanceof Uint8Array && value.buffer instanceof ArrayBuffer ? [value.buffer] : [],
  );
}
