/**
 * An open vault in step with a storage that others may change at the same time: catch up, prepare, store,
 * apply; where somebody was faster, again.
 */

import type { Outcome, Prepared, Ran, Refreshed, Report, Vault as CoreVault } from "../pkg/vault.js";
import { orAborted } from "./abort.js";
import { READ, TAIL } from "./arguments.js";
import { take } from "./check.js";
import { VaultError } from "./error.js";
import type { KnownHead, KnownHeads } from "./heads.js";
import { knownOf, type HeadDocument } from "./heads/entry.js";
import type { Abortable, HostOptions } from "./options.js";
import { outcomesOf } from "./plan.js";
import type { LogEnd, VaultStorage } from "./storage.js";
import { Turns } from "./turns.js";
import { call, hasStopped, release } from "./wasm.js";

/** How often another writer may come first before a change gives up. */
const CONFLICTS_MAX = 100;

/** Who changed the vault: this program's object, or somebody else. */
export type Origin = "own" | "other";

/** Hears of changes: who made them, and which connectors have a new version; `undefined` if any may have changed. */
export type Changed = (origin: Origin, ids: readonly string[] | undefined) => void;

/** An open vault and its storage. */
export class StoredVault {
  readonly storage: VaultStorage;
  readonly #heads: KnownHeads | undefined;
  readonly #changed: Changed;
  readonly #stopped: () => void;
  #core: CoreVault | undefined;
  /** Bytes of a torn tail behind the log as it was last read. */
  #torn: number;
  /** The newest head that stays, in JSON: no writer can withdraw it any more (docs/format.md section 9). */
  #known: string | undefined;
  readonly #turns = new Turns();
  /**
   * What {@link whileOpen} runs now, each with a signal of its own: one for all would get a listener from each call,
   * and Node takes many of those for a leak.
   */
  readonly #calls = new Set<AbortController>();
  /** Somebody said that there is something new, and nobody has looked yet. */
  #isStale = false;
  readonly #unsubscribe: (() => void) | undefined;

  constructor(
    core: CoreVault,
    storage: VaultStorage,
    options: HostOptions,
    known: string | undefined,
    changed: Changed,
    stopped: () => void,
  ) {
    this.#core = core;
    this.#known = known;
    this.storage = storage;
    this.#heads = headsOf(storage, options);
    this.#changed = changed;
    this.#stopped = stopped;
    this.#torn = this.#tornLen();
    try {
      this.#unsubscribe = storage.subscribe?.(() => {
        if (this.#isStale) return;
        this.#isStale = true;
        // Nobody waits for this: what is wrong, the next call says.
        this.refresh({}).catch(() => undefined);
      });
    } catch (error) {
      // Nobody gets this vault, so nobody else could wipe its keys.
      this.lock();
      throw error;
    }
  }

  get isLocked(): boolean {
    return this.#core === undefined || hasStopped();
  }

  /** Asks the module. Fails with `locked`, also once the module has stopped: the keys went with it. */
  ask<T>(ask: (core: CoreVault) => T): T {
    const core = this.#core;
    if (core === undefined || hasStopped()) {
      this.#stopped();
      throw locked();
    }
    try {
      return call(() => ask(core));
    } finally {
      if (hasStopped()) this.#stopped();
    }
  }

  /**
   * Runs work of this vault under a signal that aborts with `signal`, and with `locked` when the vault is locked.
   * Fails with `locked` before anything is asked for.
   */
  async whileOpen<T>(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.ask(() => undefined);
    const own = new AbortController();
    const abort = () => own.abort(signal?.reason);
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort);
    this.#calls.add(own);
    try {
      return await work(own.signal);
    } finally {
      this.#calls.delete(own);
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Wipes the keys, and ends whatever waits for a host's code. Whether there were any. */
  lock(): boolean {
    const wasOpen = this.#core !== undefined;
    release(this.#core);
    this.#core = undefined;
    for (const own of this.#calls) own.abort(locked());
    try {
      this.#unsubscribe?.();
    } catch {
      // The keys are wiped. A storage that goes on calling is not heard any more.
    }
    try {
      call((core) => core.wipeStack());
    } catch {
      // The module has stopped, and cannot do even that; the vault is locked all the same.
    }
    return wasOpen;
  }

  /** Runs one operation after the other. */
  queue<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#turns.take(work, signal);
  }

  /** Takes what others have written since. */
  async refresh(options: Abortable): Promise<void> {
    await this.whileOpen(options.signal, (signal) =>
      this.queue(async () => {
        if ((await this.#catchUp(this.storage, signal)) || !this.#isSettled()) await this.remember(signal);
      }, signal),
    );
  }

  /**
   * Prepares, stores and applies a change, on what others have written until then. `prepare` runs again
   * when somebody else was faster. An abort ends all but the storing itself: who gives that up could not know
   * whether it happened.
   */
  async write<R extends Ran = Outcome>(
    prepare: (core: CoreVault) => Prepared,
    options: Abortable,
  ): Promise<R[]> {
    return await this.whileOpen(options.signal, (signal) =>
      this.queue(async () => {
        const { storage } = this;
        const storing = { hasBegun: false };
        const attempt = (storage: VaultStorage) => this.#attempt<R>(storage, prepare, storing, signal);
        const work = storage.exclusive ? storage.exclusive(attempt, signal) : attempt(storage);
        return await orAborted(work, signal, () => storing.hasBegun);
      }, signal),
    );
  }

  /** The newest head that stays. */
  get known(): KnownHead | undefined {
    return this.ask(() => parsed(this.#known));
  }

  /** Remembers the newest head that stays. `storage`: where writers are kept out, if they are. */
  async remember(signal: AbortSignal | undefined, storage = this.storage): Promise<void> {
    if (!this.#isSettled()) {
      const core = this.ask((core) => core);
      this.#known = await orAborted(settled(core, this.#known, storage), signal);
    }
    await orAborted(remember(this.#known, this.storage, this.#heads), signal);
  }

  #isSettled(): boolean {
    return this.ask((core) => core.knownHead()) === this.#known;
  }

  async #attempt<R extends Ran>(
    storage: VaultStorage,
    prepare: (core: CoreVault) => Prepared,
    storing: { hasBegun: boolean },
    signal: AbortSignal,
  ): Promise<R[]> {
    let moved = false;
    for (let conflicts = 0; ; conflicts++) {
      moved = (await this.#catchUp(storage, signal)) || moved;
      signal.throwIfAborted();
      storing.hasBegun = true;
      const prepared = this.ask(prepare);
      const outcomes = JSON.parse(call(() => prepared.outcomes())) as R[];
      let stored: Kept;
      try {
        stored = await this.#keep(storage, prepared, signal);
      } catch (error) {
        release(prepared);
        storing.hasBegun = false;
        const lost = error instanceof VaultError && error.code === "conflict";
        if (!lost || conflicts === CONFLICTS_MAX) throw error;
        await orAborted(pause(conflicts), signal);
        continue;
      }
      let ids = stored === "appended" ? idsOf(outcomes) : undefined;
      if (stored !== "nothing" && this.#apply(prepared)) {
        moved = true;
        if (await this.#compactIfPays(storage, signal)) ids = undefined;
      }
      // The data is stored: failing to record the head is not an error, and the next opening records it. The
      // vault may have been locked meanwhile.
      if (moved && !this.isLocked) await this.remember(signal, storage).catch(() => undefined);
      if (stored !== "nothing") this.#changed("own", ids);
      return outcomes;
    }
  }

  /** Takes what was stored, unless the vault was locked in the meantime. */
  #apply(prepared: Prepared): boolean {
    if (this.isLocked) {
      release(prepared);
      return false;
    }
    this.ask((core) => core.apply(prepared));
    this.#known = this.ask((core) => core.knownHead());
    return true;
  }

  /** Takes what is stored by now; whether there was something. */
  async #catchUp(storage: VaultStorage, signal: AbortSignal): Promise<boolean> {
    // Also where a storage lets somebody in who has given up meanwhile.
    signal.throwIfAborted();
    this.#isStale = false;
    const compared = await orAborted(storage.compare(this.#logEnd(), signal), signal);
    if (compared.state === "same") {
      this.#torn = 0;
      return false;
    }
    if (compared.state === "grown") {
      const [tail] = take(TAIL, [compared.tail]);
      const refreshed = JSON.parse(this.ask((core) => core.refresh(tail))) as Refreshed;
      this.#torn = refreshed.torn?.len ?? 0;
      if (refreshed.commits === 0) return false;
      this.#changed("other", refreshed.ids);
    } else {
      const file = await bytesOf(storage, signal);
      this.ask((core) => core.reopen(file, this.#known));
      this.#torn = this.#tornLen();
      this.#changed("other", undefined);
    }
    return true;
  }

  /** Stores what was prepared. */
  async #keep(storage: VaultStorage, prepared: Prepared, signal: AbortSignal): Promise<Kept> {
    const [commit, file] = [prepared.toAppend(), prepared.toReplace()];
    if (commit !== undefined) await storage.append(commit, this.#logEnd(), signal);
    else if (file !== undefined) await storage.replace(file, this.#logEnd(), signal);
    else {
      await storage.sync?.(this.#logEnd(), signal);
      return "nothing";
    }
    this.#torn = 0;
    return commit === undefined ? "replaced" : "appended";
  }

  /**
   * Whether it compacted. The change before it is stored, so a failure here is not its failure: the next change tries
   * again.
   */
  async #compactIfPays(storage: VaultStorage, signal: AbortSignal): Promise<boolean> {
    if (!this.ask((core) => core.wantsCompaction()) || storage.mayReplace?.() === false) return false;
    let prepared: Prepared | undefined;
    try {
      prepared = this.ask((core) => core.prepareAutomaticCompaction());
      await this.#keep(storage, prepared, signal);
    } catch (error) {
      release(prepared);
      if (!(error instanceof VaultError) || error.code !== "not_durable") return false;
      // The compacted file stands there, and what it holds was acknowledged before. But until its name is durable,
      // a power failure may bring back the former file, without what is added from now on.
      const message = `the vault was compacted, and later changes may be lost in a power failure: ${error.message}`;
      storage.warn?.({ code: "not_durable", message });
      return true;
    }
    return this.#apply(prepared);
  }

  #logEnd(): LogEnd {
    return { ...this.ask((core) => core.logEnd()), torn: this.#torn };
  }

  #tornLen(): number {
    const report = JSON.parse(this.ask((core) => core.report())) as Report;
    return report.torn?.len ?? 0;
  }
}

/** All bytes of a storage, which may be the host's own. */
export async function bytesOf(storage: VaultStorage, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const [bytes] = take(READ, [await orAborted(storage.read(signal), signal)]);
  return bytes;
}

/** How a change was stored: behind the log, as a new file, or not at all, because nothing differs. */
type Kept = "appended" | "replaced" | "nothing";

/** The connectors that outcomes are about, each once. */
function idsOf(outcomes: readonly Ran[]): string[] {
  const changes = outcomes.flatMap((ran) => outcomesOf(ran)).filter((outcome) => "changes" in outcome);
  return [...new Set(changes.map(({ id }) => id))];
}

/** Where known heads are kept: where the caller says, else where the storage does. */
export function headsOf(storage: VaultStorage, { heads }: HostOptions): KnownHeads | undefined {
  return heads === undefined ? storage.heads : (heads ?? undefined);
}

/**
 * The newest head of a vault that stays, in JSON: its own, or the one before while a writer may still withdraw its
 * newest commit, but not one before what is `known` to stay.
 */
export async function settled(
  core: CoreVault,
  known: string | undefined,
  storage: VaultStorage,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const end = { ...call(() => core.logEnd()), torn: 0 };
  const [newest, before] = call(() => [core.knownHead(), core.knownHeadBefore()]);
  const stays = storage.stays === undefined || (await storage.stays(end, signal));
  const found = stays ? newest : before;
  return (parsed(found)?.head.seq ?? -1) > (parsed(known)?.head.seq ?? -1) ? found : known;
}

/** Remembers a head, in JSON, at each name of a storage. */
export async function remember(
  json: string | undefined,
  storage: VaultStorage,
  heads: KnownHeads | undefined,
): Promise<void> {
  const known = parsed(json);
  if (heads === undefined || known === undefined) return;
  for (const place of storage.places) await heads.remember(known.head.vaultId, place, known);
}

/** What was seen at each name of a storage no longer counts. */
export async function forget(
  vaultId: string,
  storage: VaultStorage,
  heads: KnownHeads | undefined,
): Promise<void> {
  for (const place of storage.places) await heads?.forget(vaultId, place);
}

function parsed(known: string | undefined): KnownHead | undefined {
  return known === undefined ? undefined : knownOf(JSON.parse(known) as HeadDocument);
}

function locked(): VaultError {
  return new VaultError("locked", "the vault is locked", "open it again");
}

/** A random part of a time that doubles, in milliseconds, so that those who wait do not go on together. */
function pause(conflicts: number): Promise<void> {
  const most = Math.min(2 ** conflicts, 500);
  return new Promise((done) => setTimeout(done, Math.random() * most));
}
