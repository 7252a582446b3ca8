/** From a storage's bytes to an open vault, step by step: Argon2id runs in a worker (docs/format.md section 7). */

import type { Derive, KdfCost, Opening, RepairReport, Stepped, Vault as CoreVault } from "../pkg/vault.js";
import { orAborted } from "./abort.js";
import { SEEN, SEEN_PLACES } from "./arguments.js";
import { take } from "./check.js";
import { VaultError } from "./error.js";
import type { Head, KnownHead, KnownHeads } from "./heads.js";
import { documentOf, type HeadDocument } from "./heads/entry.js";
import type { Identity } from "./identity.js";
import type { Abortable, OpenOptions } from "./options.js";
import type { VaultStorage } from "./storage.js";
import { copyOf } from "./storage/compare.js";
import { bytesOf, forget, forgetOthers, headsOf, othersAt } from "./stored.js";
import { utf8 } from "./utf8.js";
import { call, derive, readyToChange, release } from "./wasm.js";

/** So long a page may wait for steps that follow each other: less than it takes to draw it once. */
const STEPS_MS = 8;

/** An open vault, and the newest head of it that is known to stay, in JSON (docs/format.md section 9). */
export interface Opened {
  readonly core: CoreVault;
  readonly known: string | undefined;
}

/** Opens the vault in a storage, by what is known of it there. */
export async function open(storage: VaultStorage, options: OpenOptions): Promise<Opened> {
  let opened: Opened;
  const seen: Seen = {};
  try {
    opened = await openBytes(storage, options, seen);
  } catch (error) {
    if (!(error instanceof VaultError) || error.code !== "rolled_back") throw error;
    // The head may have been remembered after the bytes were read, by somebody who wrote in between. Read
    // again, they have reached that head, which is not asked for again, or were truly rolled back.
    opened = await openBytes(storage, options, seen);
  }
  const { core } = opened;
  const heads = headsOf(storage, options);
  const isAccepted = options.accept === true;
  try {
    // Taken on purpose: what was seen before no longer counts.
    const settle = async () => {
      if (isAccepted) await forget(vaultIdOf(core), storage, heads);
      for (const other of seen.others ?? []) await forget(other, storage, heads);
      await warnOfNewer(core, storage, heads);
    };
    await orAborted(settle(), options.signal);
    return { core, known: isAccepted ? undefined : opened.known };
  } catch (error) {
    release(core);
    throw error;
  }
}

/** What was seen of a vault and at its place, in JSON: looked up once. */
interface Seen {
  known?: string[];
  others?: string[];
}

async function openBytes(storage: VaultStorage, options: OpenOptions, seen: Seen): Promise<Opened> {
  const file = await bytesOf(storage, options.signal);
  const { opening, secret } = openingOf(options);
  const unlocking = withSecret(secret, (bytes) => call((core) => new core.Unlocking(file, bytes, opening)));
  try {
    await carryOut(unlocking, options, {
      step: () => unlocking.step(),
      known: async (found) => {
        const known = (seen.known ??= await seenHeads(storage, options, found));
        const others = (seen.others ??= await seenOthers(storage, options, found));
        call(() => unlocking.expect({ ...opening, found, known, others }));
      },
    });
    return { core: call(() => unlocking.intoVault()), known: newestOf(seen.known ?? []) };
  } catch (error) {
    release(unlocking);
    throw error;
  }
}

/** Says where a newer head of a vault was seen, if this one is an older copy. */
async function warnOfNewer(
  core: CoreVault,
  storage: VaultStorage,
  heads: KnownHeads | undefined,
): Promise<void> {
  if (heads === undefined || storage.warn === undefined) return;
  const head = JSON.parse(call(() => core.head())) as Head;
  const [seen] = take(SEEN_PLACES, [await heads.placesOf(head.vaultId)]);
  const newer = seen
    .filter(({ place, known }) => !storage.places.includes(place) && call(() => core.isBehind(jsonOf(known))))
    .sort(
      (one, other) =>
        other.known.head.epoch - one.known.head.epoch || other.known.head.seq - one.known.head.seq,
    )[0];
  if (newer === undefined) return;
  const { place, known } = newer;
  const message = `this copy is at commit ${head.seq}, but commit ${known.head.seq} of the same vault was seen at ${place}`;
  storage.warn({ code: "seen_newer", message });
}

/** Stores in `out` what is intact of the vault in a storage, which stays as it is. */
export async function repair(
  storage: VaultStorage,
  out: VaultStorage,
  options: OpenOptions,
  repair: Pick<Opening, "elsewhere" | "olderHeader">,
): Promise<Opened & { readonly report: RepairReport }> {
  const file = await bytesOf(storage, options.signal);
  const vaultId = call((core) => core.identifyDamaged(file));
  const known = await seenHeads(storage, options, vaultId);
  const others = vaultId === undefined ? [] : await seenOthers(storage, options, vaultId);
  const { opening, secret } = openingOf(options);
  const found = vaultId === undefined ? {} : { found: vaultId };
  const expected = { ...opening, ...found, known, others, ...repair };
  const repairing = withSecret(secret, (bytes) => call((core) => new core.Repairing(file, bytes, expected)));
  try {
    await carryOut(repairing, options, { step: () => repairing.step(new Date().toISOString()) });
  } catch (error) {
    release(repairing);
    throw error;
  }
  const repaired = call(() => repairing.intoRepaired());
  let core: CoreVault;
  let report: RepairReport;
  try {
    options.signal?.throwIfAborted();
    await out.create(
      call(() => repaired.file()),
      options.signal,
    );
    report = JSON.parse(call(() => repaired.report())) as RepairReport;
    core = call(() => repaired.intoVault());
  } catch (error) {
    release(repaired);
    throw error;
  }
  // The data is stored, so nothing of this is an error. A head of a former vault at this place no longer counts.
  const heads = headsOf(out, options);
  const forgotten = forget(vaultIdOf(core), out, heads).then(() => forgetOthers(vaultIdOf(core), out, heads));
  await orAborted(forgotten, options.signal).catch(() => undefined);
  return { core, known: call(() => core.knownHead()), report };
}

/** Runs Argon2id for a key slot that is to be made; as secret as the passphrase. */
export async function stretch(passphrase: string, cost: KdfCost, { signal }: Abortable): Promise<Uint8Array> {
  await orAborted(readyToChange(), signal);
  const stretching = withSecret(utf8(passphrase), (bytes) =>
    call((core) => new core.Stretching(bytes, cost)),
  );
  let key: Uint8Array | undefined;
  try {
    key = await derive(jobOf(call(() => stretching.wanted())), signal);
  } catch (error) {
    release(stretching);
    throw error;
  }
  return call(() => stretching.stretched(key));
}

/** What takes steps, and may want a key. */
interface Stepping {
  derived(key?: Uint8Array): void;
}

/** Takes all steps. Between them others get their turn. */
async function carryOut(
  stepping: Stepping,
  { signal }: Abortable,
  { step, known }: { step(): Stepped; known?(vaultId: string): Promise<void> },
): Promise<void> {
  let since = performance.now();
  for (;;) {
    signal?.throwIfAborted();
    const stepped = call(step);
    if (stepped.wanted === "done") return;
    if (stepped.wanted === "known") await known?.(stepped.vaultId);
    else if (stepped.wanted === "derive") {
      const key = await derive(jobOf(stepped), signal);
      call(() => stepping.derived(key));
    } else if (performance.now() - since > STEPS_MS) {
      await breath();
      since = performance.now();
    }
  }
}

/** Lets whatever waits in this thread go first. */
function breath(): Promise<void> {
  // Not a timer: browsers make nested ones wait for 4 ms.
  return new Promise((done) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      done();
    };
    port2.postMessage(undefined);
  });
}

function jobOf({ passphrase, salt, memoryKib, passes, lanes }: Derive) {
  return { passphrase, salt, memoryKib, passes, lanes };
}

/** Hands a secret to the module, and wipes it. */
function withSecret<T>(secret: Uint8Array, use: (secret: Uint8Array) => T): T {
  try {
    return use(secret);
  } finally {
    secret.fill(0);
  }
}

/** The secret text of an identity, as UTF-8. */
export function identityBytes(identity: Identity | string): Uint8Array {
  return typeof identity === "string" ? utf8(identity) : identity.toBytes();
}

/** What the vault is expected to be, and what opens it, as bytes of our own. */
function openingOf(options: OpenOptions): { readonly opening: Opening; readonly secret: Uint8Array } {
  const { hint, grant, vaultId, vaultReference, accept, memoryKibMax, workKibMax } = options;
  const { by, secret } = unlockOf(options);
  const opening = {
    by,
    ...(hint !== undefined && { hint }),
    ...(grant !== undefined && { grant }),
    ...(vaultId !== undefined && { vaultId }),
    ...(vaultReference !== undefined && { vaultReference }),
    ...(accept !== undefined && { accept }),
    ...(memoryKibMax !== undefined && { memoryKibMax }),
    ...(workKibMax !== undefined && { workKibMax }),
  };
  return { opening, secret };
}

/** What opens the vault, as bytes of our own. */
function unlockOf({ passphrase, key, identity }: OpenOptions): {
  readonly by: Opening["by"];
  readonly secret: Uint8Array;
} {
  const ways = [passphrase, key, identity].filter((way) => way !== undefined);
  if (ways.length === 1) {
    if (passphrase !== undefined) return { by: "passphrase", secret: utf8(passphrase) };
    if (key !== undefined) return { by: "key", secret: copyOf(key) };
    if (identity !== undefined) return { by: "identity", secret: identityBytes(identity) };
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

/** Other vaults that were seen at the place. */
async function seenOthers(storage: VaultStorage, options: OpenOptions, vaultId: string): Promise<string[]> {
  if (options.known !== undefined) return [];
  return await orAborted(othersAt(vaultId, storage, headsOf(storage, options)), options.signal);
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
