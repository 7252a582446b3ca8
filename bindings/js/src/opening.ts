/** From a storage's bytes to an open vault: what takes long happens in a worker (docs/format.md section 7). */

import type { KdfCost, Opening, RepairReport, Vault as CoreVault } from "../pkg/vault.js";
import { run } from "#worker";
import { orAborted } from "./abort.js";
import { SEEN } from "./arguments.js";
import { take } from "./check.js";
import { VaultError } from "./error.js";
import type { Head, KnownHead, KnownHeads } from "./heads.js";
import { documentOf, type HeadDocument } from "./heads/entry.js";
import type { Identity } from "./identity.js";
import type { Abortable, OpenOptions } from "./options.js";
import type { VaultStorage } from "./storage.js";
import { copyOf } from "./storage/compare.js";
import { bytesOf, forget, headsOf } from "./stored.js";
import { utf8 } from "./utf8.js";
import { asVaultError, call, modulesForWorker, release } from "./wasm.js";
import { perform, wipeSecret, type Answer, type Job } from "./worker/job.js";

/** A file from this size on is opened in a worker: a page must not wait for it. */
const WORKER_FILE_LEN = 128 * 1024;

/** An open vault, and the newest head of it that is known to stay, in JSON (docs/format.md section 9). */
export interface Opened {
  readonly core: CoreVault;
  readonly known: string | undefined;
}

/** Opens the vault in a storage, by what is known of it there. */
export async function open(storage: VaultStorage, options: OpenOptions): Promise<Opened> {
  const file = await bytesOf(storage, options.signal);
  const opening = await openingOf(
    storage,
    options,
    call((core) => core.identify(file)),
  );
  let answer: Answer;
  try {
    answer = await performOn(file, "open", opening, options);
  } catch (error) {
    if (!(error instanceof VaultError) || error.code !== "rolled_back") throw error;
    // The head may have been remembered after the bytes were read, by somebody who wrote in between. Read
    // again, they have reached that head, which is not asked for again, or were truly rolled back.
    answer = await performOn(await bytesOf(storage, options.signal), "open", opening, options);
  }
  const core = attach(answer);
  if (options.accept !== true) return { core, known: newestOf(opening.known ?? []) };
  try {
    // Taken on purpose: what was seen before no longer counts.
    await orAborted(forget(vaultIdOf(core), storage, headsOf(storage, options)), options.signal);
    return { core, known: undefined };
  } catch (error) {
    release(core);
    throw error;
  }
}

/** Stores in `out` what is intact of the vault in a storage, which stays as it is. */
export async function repair(
  storage: VaultStorage,
  out: VaultStorage,
  options: OpenOptions,
  unsigned: boolean,
): Promise<Opened & { readonly report: RepairReport }> {
  const file = await bytesOf(storage, options.signal);
  const vaultId = call((core) => core.identifyDamaged(file));
  const opening = { ...(await openingOf(storage, options, vaultId)), unsigned };
  const answer = await performOn(file, "repair", opening, options);
  try {
    options.signal?.throwIfAborted();
    await out.create(copyOf(answer.bytes), options.signal);
  } catch (error) {
    answer.state?.fill(0);
    throw error;
  }
  const core = attach(answer);
  const known = call(() => core.knownHead());
  // The data is stored, so nothing of this is an error. A head of a former vault at this place no longer counts.
  const forgotten = forget(vaultIdOf(core), out, headsOf(out, options));
  await orAborted(forgotten, options.signal).catch(() => undefined);
  return { core, known, report: JSON.parse(answer.report ?? "{}") as RepairReport };
}

/** Runs Argon2id for a key slot that is to be made; as secret as the passphrase. */
export async function stretch(passphrase: string, cost: KdfCost, options: Abortable): Promise<Uint8Array> {
  const job: Job = { kind: "stretch", passphrase: utf8(passphrase), cost };
  return (await inWorker(job, options, true)).bytes;
}

/** The secret text of an identity, as UTF-8. */
export function identityBytes(identity: Identity | string): Uint8Array {
  return typeof identity === "string" ? utf8(identity) : identity.toBytes();
}

/** What the vault is expected to be, with the heads that this client has seen of it. */
async function openingOf(
  storage: VaultStorage,
  options: OpenOptions,
  found: string | undefined,
): Promise<Opening> {
  const { hint, grant, vaultId, accept, memoryKibMax, workKibMax } = options;
  const { by } = unlockOf(options);
  return {
    by,
    known: await seenHeads(storage, options, found),
    ...(hint !== undefined && { hint }),
    ...(grant !== undefined && { grant }),
    ...(vaultId !== undefined && { vaultId }),
    ...(accept !== undefined && { accept }),
    ...(memoryKibMax !== undefined && { memoryKibMax }),
    ...(workKibMax !== undefined && { workKibMax }),
  };
}

/** What opens the vault, as bytes of our own. */
function unlockOf({ passphrase, key, identity }: OpenOptions): {
  readonly by: Opening["by"];
  readonly secret: () => Uint8Array;
} {
  const ways = [passphrase, key, identity].filter((way) => way !== undefined);
  if (ways.length === 1) {
    if (passphrase !== undefined) return { by: "passphrase", secret: () => utf8(passphrase) };
    if (key !== undefined) return { by: "key", secret: () => copyOf(key) };
    if (identity !== undefined) return { by: "identity", secret: () => identityBytes(identity) };
  }
  const message = "a vault opens by a passphrase, by an external key or by an identity: give one";
  throw new VaultError("invalid_argument", message);
}

async function seenHeads(
  storage: VaultStorage,
  options: OpenOptions,
  vaultId: string | undefined,
): Promise<string[]> {
  if (options.known !== undefined) return [jsonOf(options.known)];
  const heads = headsOf(storage, options);
  if (heads === undefined || vaultId === undefined) return [];
  const seen = await orAborted(
    Promise.all(storage.places.map((place) => seenHead(heads, vaultId, place, options))),
    options.signal,
  );
  return seen.filter((known) => known !== undefined).map(jsonOf);
}

async function seenHead(
  heads: KnownHeads,
  vaultId: string,
  place: string,
  { accept }: OpenOptions,
): Promise<KnownHead | undefined> {
  try {
    const [seen] = take(SEEN, [await heads.get(vaultId, place)]);
    return seen;
  } catch (error) {
    // The vault is taken as it is, and what was seen before is forgotten: that cures such a file too.
    if (accept === true && error instanceof VaultError && error.code === "state_unreadable") return undefined;
    throw error;
  }
}

async function performOn(
  file: Uint8Array,
  kind: "open" | "repair",
  opening: Opening,
  options: OpenOptions,
): Promise<Answer> {
  const { by, secret } = unlockOf(options);
  // The bytes move to the worker. A `Buffer` of Node's stays, since its maker may go on using it, and so do bytes that share
  // a buffer with others.
  const isOwn = file.constructor === Uint8Array && file.byteLength === file.buffer.byteLength;
  const own = isOwn ? file : copyOf(file);
  const job: Job = { kind, file: own, secret: secret(), opening };
  const needsArgon2id = by === "passphrase";
  const isShort = !needsArgon2id && file.length < WORKER_FILE_LEN;
  return isShort ? call(() => perform(job, {})) : await inWorker(job, options, needsArgon2id);
}

async function inWorker(job: Job, { signal }: Abortable, needsArgon2id: boolean): Promise<Answer> {
  try {
    const { modules, worker } = await modulesForWorker(needsArgon2id);
    return await run(modules, job, worker, signal);
  } catch (error) {
    throw asVaultError(error);
  } finally {
    wipeSecret(job);
  }
}

function attach({ bytes, state = new Uint8Array() }: Answer): CoreVault {
  try {
    return call((core) => core.Vault.attach(bytes, state));
  } finally {
    state.fill(0);
  }
}

function vaultIdOf(core: CoreVault): string {
  return (JSON.parse(call(() => core.head())) as Head).vaultId;
}

function jsonOf(known: KnownHead): string {
  return JSON.stringify(documentOf(known));
}

/** The newest of the heads that were seen, in JSON: the one that the core compared the vault with. */
function newestOf(seen: readonly string[]): string | undefined {
  const seqOf = (json: string) => (JSON.parse(json) as HeadDocument).head.seq;
  return [...seen].sort((one, other) => seqOf(other) - seqOf(one))[0];
}
