/**
 * An open vault in step with a storage that others may change at the same time. It carries out what the core's session
 * asks for: the core holds the rules.
 */

import type { Answer, Ask, Outcome, Prepared, Ran, Session, Vault as CoreVault } from "../pkg/vault.js";
import { orAborted } from "./abort.js";
import { READ, SEEN_VAULTS, TAIL } from "./arguments.js";
import { take } from "./check.js";
import { VaultError } from "./error.js";
import type { KnownHead, KnownHeads } from "./heads.js";
import { knownOf, type HeadDocument } from "./heads/entry.js";
import type { Abortable, HostOptions } from "./options.js";
import { outcomesOf } from "./plan.js";
import type { VaultStorage } from "./storage.js";
import { copyOf } from "./storage/compare.js";
import { Turns } from "./turns.js";
import { call, hasStopped, readyToChange, release } from "./wasm.js";

/** Who changed the vault: this program's object, or somebody else. */
export type Origin = "own" | "other";

/** Hears of changes: who made them, and which connectors have a new version; `undefined` if any may have changed. */
export type Changed = (origin: Origin, ids: readonly string[] | undefined) => void;

/** Tells the session what became of what it has asked for. */
type Tell = (core: CoreVault, session: Session) => Ask;

/** A change on its way into the storage. */
interface Change {
  readonly prepare: (core: CoreVault) => Prepared;
  /** What will have become of what was prepared, in JSON. */
  outcomes: string;
  /** How it is stored; `sync`: nothing differs. */
  by: "append" | "replace" | "sync" | undefined;
  /** It may be stored: whoever gives it up now cannot know whether it happened. */
  isStoring: boolean;
  isStored: boolean;
  /** A compaction came behind it. */
  isCompacted: boolean;
  /** Why nobody knows whether it was stored. */
  lost: unknown;
}

/** An open vault and its storage. */
export class StoredVault {
  readonly storage: VaultStorage;
  readonly #heads: KnownHeads | undefined;
  readonly #now: () => string;
  readonly #changed: Changed;
  readonly #stopped: () => void;
  #open: { readonly core: CoreVault; readonly session: Session } | undefined;
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
    now: () => string,
    changed: Changed,
    stopped: () => void,
  ) {
    this.storage = storage;
    this.#now = now;
    this.#heads = headsOf(storage, options);
    this.#changed = changed;
    this.#stopped = stopped;
    try {
      this.#open = { core, session: call(({ Session }) => new Session(known)) };
      this.#unsubscribe = storage.subscribe?.(() => {
        if (this.#isStale) return;
        this.#isStale = true;
        // Nobody waits for this: what is wrong, the next call says.
        this.refresh({}).catch(() => undefined);
      });
    } catch (error) {
      // Nobody gets this vault, so nobody else could wipe its keys.
      if (this.#open === undefined) release(core);
      this.lock();
      throw error;
    }
  }

  get isLocked(): boolean {
    return this.#open === undefined || hasStopped();
  }

  /** Asks the module. Fails with `locked`, also once the module has stopped: the keys went with it. */
  ask<T>(ask: (core: CoreVault, session: Session) => T): T {
    const open = this.#open;
    if (open === undefined || hasStopped()) {
      this.#stopped();
      throw locked();
    }
    try {
      return call(() => ask(open.core, open.session));
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
    const open = this.#open;
    release(open?.session);
    release(open?.core);
    this.#open = undefined;
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
    return open !== undefined;
  }

  /** Runs one operation after the other. */
  queue<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#turns.take(work, signal);
  }

  /** Takes what others have written since. */
  async refresh(options: Abortable): Promise<void> {
    await this.#catchUp((core, session) => session.refresh(core), options);
  }

  /** Decides which head stays of a vault that was read just now, and remembers it. */
  async settle(options: Abortable): Promise<void> {
    await this.#catchUp((core, session) => session.settle(core), options);
  }

  async #catchUp(begin: Tell, options: Abortable): Promise<void> {
    await this.whileOpen(options.signal, (signal) =>
      this.queue(() => this.#follow(this.ask(begin), this.storage, signal), signal),
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
    return await this.whileOpen(options.signal, async (signal) => {
      await orAborted(readyToChange(), signal);
      return await this.queue(async () => {
        const change: Change = {
          prepare,
          outcomes: "[]",
          by: undefined,
          isStoring: false,
          isStored: false,
          isCompacted: false,
          lost: undefined,
        };
        await orAborted(this.#write(change, signal), signal, () => change.isStoring);
        const outcomes = JSON.parse(change.outcomes) as R[];
        const isKnown = change.by === "append" && !change.isCompacted;
        if (change.by !== "sync") this.#changed("own", isKnown ? idsOf(outcomes) : undefined);
        return outcomes;
      }, signal);
    });
  }

  /** The newest head that stays: no writer can withdraw it any more (docs/format.md section 9). */
  get known(): KnownHead | undefined {
    const known = this.ask((_, session) => session.known());
    return known === undefined ? undefined : parsed(known);
  }

  async #write(change: Change, signal: AbortSignal): Promise<void> {
    const { storage } = this;
    let ask = this.ask((core, session) => session.write(core));
    for (;;) {
      const attempt = (storage: VaultStorage) => this.#follow(ask, storage, signal, change);
      ask = await (storage.exclusive ? storage.exclusive(attempt, signal) : attempt(storage));
      if (ask.wanted !== "wait") return;
      // Others may write meanwhile.
      await orAborted(pause(ask.most), signal);
      ask = this.ask(word("waited"));
    }
  }

  /** Carries out `ask` and what follows from it, until the operation is done or has to wait. */
  async #follow(ask: Ask, storage: VaultStorage, signal: AbortSignal, change?: Change): Promise<Ask> {
    let failure: unknown;
    for (;;) {
      const { brought, wanted } = ask;
      if (brought !== undefined) this.#changed("other", brought === "anything" ? undefined : brought);
      if (wanted === "fail") throw failure;
      if (change !== undefined) this.#mark(change, wanted);
      if (wanted === "wait" || wanted === "done") return ask;
      if (wanted === "prepare") {
        ask = this.#prepare(change);
        continue;
      }
      let tell: Tell;
      try {
        // A storage may let this call in after its signal has aborted.
        if (change?.isStoring !== true) signal.throwIfAborted();
        tell = await this.#carryOut(ask, storage, signal);
      } catch (error) {
        // A call that was given up has lost its turn: the session may be at work for another call.
        if (signal.aborted && change?.isStoring !== true) throw signal.reason;
        failure = error;
        const answer = answerTo(wanted, error);
        if (answer === "unsure" && change !== undefined) change.lost = error;
        if (wanted === "compact" && change !== undefined) compacted(change, storage, error);
        tell = word(answer);
      }
      if (this.isLocked && change !== undefined) {
        if (change.isStored || (isStoring(wanted) && failure === undefined)) return ask;
        throw change.lost ?? failure ?? locked();
      }
      try {
        ask = this.ask(tell);
      } catch (error) {
        // The storage says best which change it is.
        const isUnknown = error instanceof VaultError && error.code === "outcome_unknown";
        throw (isUnknown && change?.lost) || error;
      }
    }
  }

  /** Keeps what is known of a change, by what the session asks for next. */
  #mark(change: Change, wanted: Ask["wanted"]): void {
    if (isStoring(wanted)) [change.by, change.isStoring] = [wanted, true];
    else if (wanted === "wait" || wanted === "prepare") [change.isStoring, change.lost] = [false, undefined];
    else if (wanted !== "catchUp") change.isStored = true;
    if (wanted === "compact") change.isCompacted = true;
  }

  #prepare(change: Change | undefined): Ask {
    if (change === undefined) throw new VaultError("internal", "there is nothing to prepare");
    const prepared = this.ask(change.prepare);
    const ask = this.ask((core, session) => session.prepared(core, prepared));
    change.outcomes = ask.outcomes;
    return ask;
  }

  async #carryOut(ask: Ask, storage: VaultStorage, signal: AbortSignal): Promise<Tell> {
    switch (ask.wanted) {
      case "catchUp": {
        this.#isStale = false;
        const compared = await orAborted(storage.compare(ask.end, signal), signal);
        if (compared.state === "same") return word("same");
        if (compared.state === "grown") {
          const [tail] = take(TAIL, [compared.tail]);
          return (core, session) => session.grown(core, tail);
        }
        const file = await bytesOf(storage, signal);
        return (core, session) => session.replaced(core, file);
      }
      case "settle": {
        const stays =
          storage.stays === undefined || (await orAborted(storage.stays(ask.end, signal), signal));
        return word(stays ? "stays" : "mayBeWithdrawn");
      }
      case "append":
        await storage.append(ask.bytes, ask.end, signal);
        return word("stored");
      case "replace":
      case "compact":
        await storage.replace(ask.bytes, ask.end, signal);
        return word("stored");
      case "sync":
        await storage.sync?.(ask.end, signal);
        return word("stored");
      case "mayCompact":
        return word(storage.mayReplace?.() === false ? "mayNotCompact" : "mayCompact");
      case "prepareCompaction": {
        const now = this.#now();
        return (core, session) => session.compaction(core, now);
      }
      case "remember":
        await orAborted(remember(parsed(ask.known), ask.over, this.storage, this.#heads), signal);
        return word("remembered");
      default:
        throw new VaultError("internal", `a storage cannot do what the session asks for: ${ask.wanted}`);
    }
  }
}

function word(answer: Answer): Tell {
  return (core, session) => session.next(core, answer);
}

function isStoring(wanted: Ask["wanted"]): wanted is "append" | "replace" | "sync" {
  return wanted === "append" || wanted === "replace" || wanted === "sync";
}

/** The answer to what has failed. */
function answerTo(wanted: Ask["wanted"], error: unknown): Answer {
  if (!isStoring(wanted) || !(error instanceof VaultError)) return "failed";
  if (error.code === "conflict") return "conflict";
  return error.code === "outcome_unknown" ? "unsure" : "failed";
}

/** All bytes of a storage, which nobody else changes: a vault keeps them. */
export async function bytesOf(storage: VaultStorage, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const [bytes] = take(READ, [await orAborted(storage.read(signal), signal)]);
  // A `Buffer` of Node's, or a part of a buffer, may be its maker's.
  const isOwn = bytes.constructor === Uint8Array && bytes.byteLength === bytes.buffer.byteLength;
  return isOwn ? bytes : copyOf(bytes);
}

/**
 * A compaction has failed. If the compacted file stands there, what it holds was acknowledged before; but until its
 * name is durable, a power failure may bring back the former file, without what is added from now on.
 */
function compacted(change: Change, storage: VaultStorage, error: unknown): void {
  change.isCompacted = false;
  if (!(error instanceof VaultError) || error.code !== "not_durable") return;
  change.isCompacted = true;
  const message = `the vault was compacted, and later changes may be lost in a power failure: ${error.message}`;
  storage.warn?.({ code: "not_durable", message });
}

/** The connectors that outcomes are about, each once. */
function idsOf(outcomes: readonly Ran[]): string[] {
  const changes = outcomes.flatMap((ran) => outcomesOf(ran)).filter((outcome) => "changes" in outcome);
  return [...new Set(changes.map(({ id }) => id))];
}

/** Where known heads are kept: where the caller says, else where the storage does. */
export function headsOf(storage: VaultStorage, { heads }: HostOptions): KnownHeads | undefined {
  return heads === undefined ? storage.heads : (heads ?? undefined);
}

/** Remembers a head at each name of a storage; if `over`, in the place of a head with a greater seq. */
async function remember(
  known: KnownHead,
  over: boolean,
  storage: VaultStorage,
  heads: KnownHeads | undefined,
): Promise<void> {
  if (heads === undefined) return;
  for (const place of storage.places) {
    if (over) await heads.forget(known.head.vaultId, place);
    await heads.remember(known.head.vaultId, place, known);
  }
}

/** What was seen at each name of a storage no longer counts. */
export async function forget(
  vaultId: string,
  storage: VaultStorage,
  heads: KnownHeads | undefined,
): Promise<void> {
  for (const place of storage.places) await heads?.forget(vaultId, place);
}

/** Other vaults that were seen at the names of a storage. */
export async function othersAt(
  vaultId: string,
  storage: VaultStorage,
  heads: KnownHeads | undefined,
): Promise<string[]> {
  const others = new Set<string>();
  for (const place of storage.places) {
    const [vaults] = take(SEEN_VAULTS, [(await heads?.vaultsAt(place)) ?? []]);
    for (const other of vaults) if (other !== vaultId) others.add(other);
  }
  return [...others];
}

/** Forgets other vaults that were seen at the names of a storage: this one has taken their place, on purpose. */
export async function forgetOthers(
  vaultId: string,
  storage: VaultStorage,
  heads: KnownHeads | undefined,
): Promise<void> {
  for (const other of await othersAt(vaultId, storage, heads)) await forget(other, storage, heads);
}

function parsed(known: string): KnownHead {
  return knownOf(JSON.parse(known) as HeadDocument);
}

function locked(): VaultError {
  return new VaultError("locked", "the vault is locked", "open it again");
}

/** A random part of so many milliseconds, so that those who wait do not go on together. */
function pause(most: number): Promise<void> {
  return new Promise((done) => setTimeout(done, Math.random() * most));
}
