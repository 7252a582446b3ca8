/** The vault: open, read, plan, commit, on a storage that others may change at the same time. */

// The declarations have it too: whose library is older compiles nevertheless.
/// <reference lib="esnext.disposable" preserve="true" />

import type {
  Change,
  Commit,
  ConnectorPart,
  Connector,
  ExportedConnector,
  GrantInfo,
  GroupInfo,
  GroupRemovalReport,
  Holder as CoreHolder,
  KdfCost,
  MergeReport,
  Merging,
  Outcome,
  FalseVersion,
  Overview,
  SignedOverview,
  Plan as CorePlan,
  Prepared,
  Ran,
  RepairReport,
  Report,
  Run,
  Revocation,
  RevocationReport,
  RightInfo,
  Role,
  Vault as CoreVault,
  Verdict,
} from "../pkg/vault.js";
import { orAborted } from "./abort.js";
import type { ActionInput, RanOf, UpdateAction } from "./action.js";
import { CLOCK, VAULT, VAULT_CLASS, VAULT_CLASS_LATER, VAULT_LATER } from "./arguments.js";
import { answer, begin, step, type Asked } from "./asking.js";
import { guard, take, textOf } from "./check.js";
import { VaultError, type VaultErrorCode } from "./error.js";
import type { Head, KnownHead } from "./heads.js";
import {
  keySlotsOf,
  passkeyOf,
  withOwnKey,
  type KeySlotInfo,
  type KeySlotRef,
  type KeySlotsOptions,
  type NewKey,
  type NewPasskey,
} from "./key-slots.js";
import * as opening from "./opening.js";
import type {
  Abortable,
  ChangeOptions,
  ConnectorsDocument,
  CreateOptions,
  Description,
  Grantee,
  Holder,
  HostOptions,
  NewConnector,
  NewOwner,
  OpenOptions,
  RepairOptions,
  Owner,
  PropertyValues,
  Right,
  Rights,
  Purged,
  RunOptions,
  UndeleteOptions,
  UpdateOptions,
} from "./options.js";
import { Plan } from "./plan.js";
import type { VaultStorage } from "./storage.js";
import { bytesOf, forgetOthers, headsOf, StoredVault, type Origin } from "./stored.js";
import { utf8 } from "./utf8.js";
import { call, ready, readyToChange, release } from "./wasm.js";

/** What a repair saved, and the sound vault. */
export interface Repaired {
  readonly vault: Vault;
  readonly report: RepairReport;
}

/** A part of the list of connectors. */
export interface ListRange {
  /** The `next` of the part before; by default the beginning. */
  readonly from?: string | undefined;
  /** How many at most; by default all. */
  readonly count?: number | undefined;
}

/** A part of the log. */
export interface Range {
  /** The index of its first element; by default 0. */
  readonly from?: number;
  /** How many at most; by default all. */
  readonly count?: number;
}

/** The vault has changed: by this object, or by somebody else. */
export class VaultChangeEvent extends Event {
  readonly origin: Origin;
  /**
   * The connectors that have a new version or were deleted, each once; empty for a change of grants alone. `undefined`:
   * any may have changed, as when the file was replaced, or former versions were dropped.
   */
  readonly ids: readonly string[] | undefined;

  constructor(origin: Origin, ids?: readonly string[]) {
    super("change");
    this.origin = origin;
    this.ids = ids;
  }
}

/** The events of a {@link Vault}. */
export interface VaultEvents {
  readonly change: VaultChangeEvent;
  readonly lock: Event;
}

/**
 * An open vault. Values are unsealed when they are read; {@link lock} wipes the keys.
 *
 * Several vaults, pages, processes and programs may work on one storage: each change is planned and
 * committed on what the others have written until then. Calls that change something wait for each other.
 *
 * Events: `change` ({@link VaultChangeEvent}) and `lock`.
 *
 * @example
 * ```ts
 * const vault = await Vault.open(storage, { passphrase });
 * for (const { id, name } of vault.connectors()) console.log(id, name);
 * const outcome = await vault.run(action, { tokens: { "Secrets:TwitterKey": key } });
 * vault.lock();
 * ```
 */
export class Vault extends EventTarget {
  /** Which vault: 64 base16 digits that never change. */
  readonly id: string;
  readonly #stored: StoredVault;
  readonly #clock: () => Date;
  /** Plans that hold values; wiped with the keys. */
  readonly #plans = new Set<WeakRef<Plan<Ran>>>();

  private constructor({ core, known }: opening.Opened, storage: VaultStorage, options: HostOptions) {
    super();
    this.id = (JSON.parse(core.head()) as Head).vaultId;
    this.#clock = clockOf(options);
    this.#stored = new StoredVault(
      core,
      storage,
      options,
      known,
      () => this.#now(),
      (origin, ids) => this.dispatchEvent(new VaultChangeEvent(origin, ids)),
      () => this.lock(),
    );
  }

  // Creating and opening

  /**
   * Creates a vault without connectors.
   *
   * Fails with `file_exists` if the storage holds one already; it stays as it is.
   */
  static async create(storage: VaultStorage, owner: NewOwner): Promise<Vault> {
    const { label = "owner", passphrase, key, hint } = withOwnKey(owner);
    let stretched: Uint8Array | undefined;
    let identity: Uint8Array | undefined;
    try {
      await orAborted(readyToChange(), owner.signal);
      const cost = costOf(owner.cost);
      if (passphrase !== undefined) stretched = await opening.stretch(passphrase, cost, owner);
      if (owner.identity !== undefined) identity = opening.identityBytes(owner.identity);
      const now = timeOf(clockOf(owner));
      owner.signal?.throwIfAborted();
      const created = call((core) => core.create(label, stretched, cost, identity, key, hint, now));
      try {
        await storage.create(created.file(), owner.signal);
      } catch (error) {
        release(created);
        throw error;
      }
      const opened = call(() => {
        const core = created.intoVault();
        return { core, known: core.knownHead() };
      });
      const vault = new Vault(opened, storage, owner);
      // The data is stored: failing to record the head is not an error.
      const others = forgetOthers(vault.id, storage, headsOf(storage, owner));
      await orAborted(others, owner.signal).catch(() => undefined);
      await vault.#stored.settle(owner).catch(() => undefined);
      return vault;
    } finally {
      for (const secret of [stretched, identity, key]) secret?.fill(0);
    }
  }

  /**
   * Opens the vault in a storage, in short steps. In browsers and Node a worker runs Argon2id.
   *
   * Fails with the codes of docs/format.md and of the storage: `wrong_passphrase`, `rolled_back`,
   * `damaged`, `file_not_found`, ...
   */
  static async open(storage: VaultStorage, options: OpenOptions): Promise<Vault> {
    const vault = await keyed(options, async (options) => {
      await orAborted(ready(), options.signal);
      return new Vault(await opening.open(storage, options), storage, options);
    });
    try {
      await vault.#stored.settle(options);
      return vault;
    } catch (error) {
      vault.lock();
      throw error;
    }
  }

  /**
   * Opens the vault in a storage. If the storage holds no vault, creates one. With `vaultId` or `known` a certain
   * vault is expected, and no other is created in its place.
   *
   * Fails as {@link open} and {@link create} do.
   */
  static async openOrCreate(storage: VaultStorage, options: OpenOptions & Owner): Promise<Vault> {
    return await keyed(options, async (options) => {
      const { label, cost, ...opening } = options;
      try {
        return await Vault.open(storage, opening);
      } catch (error) {
        const expected = options.vaultId ?? options.known;
        if (!hasCode(error, "file_not_found") || expected !== undefined) throw error;
      }
      const { signal, heads, clock, passphrase, key, hint, identity } = options;
      const host = { signal, heads, clock, label, cost };
      try {
        if (passphrase !== undefined) return await Vault.create(storage, { ...host, passphrase });
        if (key !== undefined) return await Vault.create(storage, { ...host, key, hint });
        return await Vault.create(storage, { ...host, identity });
      } catch (error) {
        // Somebody else was faster.
        if (!hasCode(error, "file_exists")) throw error;
        return await Vault.open(storage, opening);
      }
    });
  }

  /**
   * The key slots of the vault in a storage, before anything is derived: who asks for a passphrase or an external key
   * learns here which one. The header's signature is verified; the key slots are as they stand there, and anybody who can
   * write to the storage can have changed them.
   *
   * Fails with `wrong_vault`, and as {@link open} does for bytes that are no sound vault.
   */
  static async keySlots(storage: VaultStorage, options: KeySlotsOptions = {}): Promise<KeySlotInfo[]> {
    const { signal, vaultId, memoryKibMax } = options;
    await orAborted(ready(), signal);
    const file = await bytesOf(storage, signal);
    const expected = {
      by: "key" as const,
      ...(vaultId !== undefined && { vaultId }),
      ...(memoryKibMax !== undefined && { memoryKibMax }),
    };
    return keySlotsOf(call((core) => core.keySlots(file, expected)));
  }

  /**
   * Writes to the new storage `out` what is intact of a damaged vault: every version that its author signed and that
   * stands in its place; with `elsewhere` also newer ones that stand elsewhere, which may have been discarded. With
   * `olderHeader` it goes on where a newer header may have stood: an older one could bring back revoked grants, which the
   * error names. Needs an owner.
   */
  static async repair(
    damaged: VaultStorage,
    out: VaultStorage,
    options: OpenOptions & RepairOptions,
  ): Promise<Repaired> {
    const repaired = await keyed(options, async (options) => {
      await orAborted(readyToChange(), options.signal);
      const { elsewhere = false, olderHeader = false } = options;
      return await opening.repair(damaged, out, options, { elsewhere, olderHeader });
    });
    const vault = new Vault(repaired, out, options);
    // The data is stored: failing to record the head is not an error.
    await vault.#stored.settle(options).catch(() => undefined);
    return { vault, report: repaired.report };
  }

  /**
   * The id of the vault in these bytes, its header's signature verified. Anybody can make a vault, so the
   * id alone proves nothing. Needs {@link ready}.
   */
  static identify(file: Uint8Array): string {
    return call((core) => core.identify(file));
  }

  // Reading

  /** What was noticed when the vault was opened. */
  get report(): Report {
    return JSON.parse(this.#ask((core) => core.report())) as Report;
  }

  /** The newest commit. */
  get head(): Head {
    return JSON.parse(this.#ask((core) => core.head())) as Head;
  }

  /**
   * What a client keeps, to notice a rollback the next time: the newest head that stays. A commit that was seen while
   * its writer was at work may still be withdrawn; `undefined` if that is all that was seen.
   */
  get knownHead(): KnownHead | undefined {
    return this.#stored.known;
  }

  /** What the grant that opened the vault permits. */
  get rights(): RightInfo[] {
    return JSON.parse(this.#ask((core) => core.rights())) as RightInfo[];
  }

  /**
   * What an owner hands over with a grant, as text: an opening with `{ vaultReference }` takes no other vault, no earlier
   * epoch and no rival owner.
   */
  get reference(): string {
    return this.#ask((core) => core.reference());
  }

  /** The greatest role of the grant that opened the vault, in whatever group. */
  get role(): Role {
    return this.#ask((core) => core.role());
  }

  /** The label of the grant that opened the vault. */
  get label(): string {
    return this.#ask((core) => core.label());
  }

  /** How many connectors there are; at a cost that does not depend on it. */
  get size(): number {
    return this.#ask((core) => core.len());
  }

  /** Whether {@link lock} was called. */
  get isLocked(): boolean {
    return this.#stored.isLocked;
  }

  /**
   * The connectors without their values, sorted by name, then by id. Those that are damaged do not stand among them:
   * {@link list} names these.
   */
  connectors(): Overview[] {
    return this.list().connectors.sort(byName);
  }

  /**
   * A part of the connectors, without their values, and those that are damaged. Their order tells nothing. A page that
   * lists many takes `count` at a time, from the part before's `next` on:
   *
   * ```ts
   * let from: string | undefined;
   * do {
   *   const part = vault.list({ from, count: 100 });
   *   show(part.connectors, part.damaged);
   *   from = part.next;
   * } while (from !== undefined);
   * ```
   */
  list(range: ListRange = {}): ConnectorPart {
    const { from, count = ALL } = range;
    return JSON.parse(this.#ask((core) => core.list(from, count))) as ConnectorPart;
  }

  /** Whether there is a connector with this id. */
  has(id: string): boolean {
    return this.#ask((core) => core.has(id));
  }

  /**
   * A hint for a person who asked for an unknown connector: `did you mean "twitterConnectorId"?`; `undefined`
   * if no id and no name is close.
   *
   * It reads the name of every connector, so no error has this hint: ask for it where a person reads the error, with
   * the id that the error names as `connector`.
   */
  similar(id: string): string | undefined {
    return this.#ask((core) => core.similar(id));
  }

  /** One connector, without its values. Fails with `connector_not_found`. */
  connector(id: string): Overview {
    return JSON.parse(this.#ask((core) => core.connector(id))) as Overview;
  }

  /**
   * One connector with its values. Fails with `connector_not_found`, and with `not_permitted` for a viewer.
   * As strings the values are the program's: JavaScript cannot wipe them.
   */
  async read(id: string): Promise<Connector> {
    return JSON.parse(this.#ask((core) => core.read(id))) as Connector;
  }

  /**
   * One value of a connector, at present or in a kept version; nothing if it has no such property. Where one
   * is to be shown, the others stay where they can be wiped. Fails as {@link read} does.
   */
  async readProperty(id: string, name: string, version?: number): Promise<string | undefined> {
    return this.#ask((core) => core.readProperty(id, name, version));
  }

  /** A kept version of a connector with its values, also of one that is deleted now. */
  async readVersion(id: string, version: number): Promise<Connector> {
    return JSON.parse(this.#ask((core) => core.readVersion(id, version))) as Connector;
  }

  /** The kept versions of a connector, oldest first, and who signed each; also of one that is deleted now. */
  history(id: string): SignedOverview[] {
    return JSON.parse(this.#ask((core) => core.history(id))) as SignedOverview[];
  }

  /**
   * The patches of a connector that have no effect, newest first, since their authors wrote them against the rules. Then the
   * names that `connector` lists may differ from those that `read` finds. Fails as `read` does.
   */
  badPatches(id: string): FalseVersion[] {
    return JSON.parse(this.#ask((core) => core.badPatches(id))) as FalseVersion[];
  }

  /** What changed from one kept version to another: names and kinds, no values. */
  diff(id: string, from: number, to: number): Change[] {
    return JSON.parse(this.#ask((core) => core.diff(id, from, to))) as Change[];
  }

  /** The groups, in the order in which they were made. */
  groups(): GroupInfo[] {
    return JSON.parse(this.#ask((core) => core.groups())) as GroupInfo[];
  }

  /** Who may do what. */
  grants(): GrantInfo[] {
    return JSON.parse(this.#ask((core) => core.grants())) as GrantInfo[];
  }

  /**
   * The commits of the log, oldest first: the signed audit trail. A signature is verified for each, so a page
   * that shows many takes some at a time: `count` from the one with the index `from` on.
   */
  async log(range: Range = {}): Promise<Commit[]> {
    const { from, count } = bounded(range);
    return JSON.parse(await this.#later((core) => core.log(from, count))) as Commit[];
  }

  /** Checks every signature, hash and, if the role reads values, every secret: a verdict for each commit. */
  async verify(): Promise<Verdict[]> {
    return JSON.parse(await this.#later((core) => core.verify())) as Verdict[];
  }

  /**
   * All connectors with their values, in clear, as `cvault import` reads them. Prefer a copy of the stored
   * bytes: they stay encrypted.
   */
  async export(): Promise<{ connectors: ExportedConnector[] }> {
    return JSON.parse(await this.#later((core) => core.exportConnectors())) as {
      connectors: ExportedConnector[];
    };
  }

  // Planning: nothing is written. `plan` and `planMerge` take first what others have written; the others plan
  // on what this object has seen.

  /**
   * What an action would change, on what others have written until now.
   *
   * Fails with the codes of docs/action.md; the vault is as before in any case.
   */
  async plan<A extends ActionInput>(action: A, options: RunOptions = {}): Promise<Plan<RanOf<A>>> {
    return await this.#running(action, options, async (run, signal) => {
      await this.#answered(run, options, signal);
      return this.#keepPlan<RanOf<A>>(call(() => run.takePlan()));
    });
  }

  /** A plan that creates a connector. Fails with `connector_exists`. */
  async planCreate(connector: NewConnector, options: CreateOptions = {}): Promise<Plan<Outcome>> {
    return this.#keepPlan(await this.#later((core) => createPlan(core, connector, options)));
  }

  /** A plan that deletes a connector; its kept versions stay in the history. */
  async planDelete(id: string, options: ChangeOptions = {}): Promise<Plan<Outcome>> {
    return this.#keepPlan(await this.#later((core) => core.planDelete(id, options)));
  }

  /** A plan that makes the properties of a kept version the present ones. */
  async planRestore(id: string, version: number, options: ChangeOptions = {}): Promise<Plan<Outcome>> {
    return this.#keepPlan(await this.#later((core) => core.planRestore(id, version, options)));
  }

  /**
   * A plan that gives a connector another name, type or meta. Its values stay, and are as old as they were. Where nothing
   * would differ, the plan is unchanged.
   */
  async planDescribe(
    id: string,
    description: Description,
    options: ChangeOptions = {},
  ): Promise<Plan<Outcome>> {
    return this.#keepPlan(await this.#later((core) => describePlan(core, id, description, options)));
  }

  /**
   * A plan that moves a connector to the group of this name. Its former versions stay in the groups where they were made.
   *
   * Fails with `group_not_found`, and with `not_permitted` unless the grant manages both groups.
   */
  async planMove(id: string, group: string, options: ChangeOptions = {}): Promise<Plan<Outcome>> {
    return this.#keepPlan(await this.#later((core) => core.planMove(id, group, options)));
  }

  /**
   * A plan that brings a deleted connector back, with name, type, meta and values of the newest version before, or of
   * `version`.
   *
   * Fails with `connector_exists` if it is not deleted, with `version_not_found` if no version with values is kept, and with
   * `damaged` if the newest one is: name an older `version`.
   */
  async planUndelete(id: string, options: UndeleteOptions = {}): Promise<Plan<Outcome>> {
    return this.#keepPlan(await this.#later((core) => undeletePlan(core, id, options)));
  }

  /**
   * What {@link merge} would change, and what both copies changed: per connector and per property, from the
   * newest version that both keep. Fails with `not_mergeable` for another vault.
   */
  async planMerge(
    theirs: VaultStorage | Uint8Array,
    merging: Merging & Abortable = {},
  ): Promise<MergeReport> {
    const { signal, ...options } = merging;
    return await this.#stored.whileOpen(signal, async (signal) => {
      const file = await copyOf(theirs, signal);
      await this.refresh({ signal });
      return await this.#later((core) => {
        const copy = core.openCopy(file);
        const merge = freeing(copy, () => core.planMerge(copy, options, this.#now()));
        return freeing(merge, () => JSON.parse(merge.report()) as MergeReport);
      });
    });
  }

  // Changing

  /** Commits exactly this plan. Fails with `conflict` if one of its connectors has moved on. */
  async commit<R extends Ran>(plan: Plan<R> | PromiseLike<Plan<R>>, options: Abortable = {}): Promise<R> {
    if (plan instanceof Plan) return first(await this.commitAll([plan], options));
    return await this.#stored.whileOpen(options.signal, async (signal) =>
      first(await this.commitAll([await orAborted(plan, signal)], { signal })),
    );
  }

  /** Commits plans for different connectors together: all of them happen or none. */
  async commitAll<R extends Ran>(plans: readonly Plan<R>[], options: Abortable = {}): Promise<R[]> {
    const [head, ...rest] = plans;
    if (head === undefined) return [];
    // Of our own: who shows the plans may plan again, and dispose of these, while this waits for its turn.
    const all = head.core.copy();
    try {
      for (const plan of rest) all.append(plan.core);
      const prepare = (core: CoreVault) => preparing(core, all.copy(), this.#now());
      const outcomes = await this.#stored.write<R>(prepare, options);
      for (const plan of plans) plan.dispose();
      return outcomes;
    } finally {
      release(all);
    }
  }

  /**
   * Carries out an action: plans it on what others have written until now, and commits it before any
   * other can; where somebody was faster, it is planned again. Each token is asked for once, and none before the
   * role, the connector, the request id and the version were checked.
   */
  async run<A extends ActionInput>(action: A, options: RunOptions = {}): Promise<RanOf<A>> {
    return await this.#running(action, options, async (run, signal) => {
      const prepare = (core: CoreVault) => {
        // Others were faster, and what they wrote makes the action ask for more.
        if (step(run, core, this.#now()) !== undefined) throw UNANSWERED;
        return preparing(core, run.takePlan(), this.#now());
      };
      for (;;) {
        await this.#answered(run, options, signal);
        try {
          return first(await this.#stored.write<RanOf<A>>(prepare, { signal }));
        } catch (error) {
          if (error !== UNANSWERED) throw error;
        }
      }
    });
  }

  /**
   * Updates a connector without an action: the properties that are named get these values, taken literally, and the
   * others keep theirs. Otherwise it is the action `Connectors.Update`, with its rules and errors.
   */
  async update(
    id: string,
    properties: PropertyValues | string,
    options: UpdateOptions & Abortable = {},
  ): Promise<Outcome> {
    const Parameters = { EntryId: id, PropertiesJson: textOf(properties) };
    const action = JSON.stringify({ ActionType: "Connectors.Update", Parameters });
    return await this.run(action as unknown as UpdateAction, { ...options, noTokens: true });
  }

  /** Creates a connector. */
  async createConnector(connector: NewConnector, options: CreateOptions & Abortable = {}): Promise<Outcome> {
    // One id, however often it is planned.
    const { id = call((core) => core.newConnectorId()) } = connector;
    const prepare = (core: CoreVault) =>
      preparing(core, createPlan(core, { ...connector, id }, options), this.#now());
    return first<Outcome>(await this.#stored.write(prepare, options));
  }

  /** Deletes a connector. */
  async deleteConnector(id: string, options: ChangeOptions & Abortable = {}): Promise<Outcome> {
    const prepare = (core: CoreVault) => preparing(core, core.planDelete(id, options), this.#now());
    return first<Outcome>(await this.#stored.write(prepare, options));
  }

  /** Makes the properties of a kept version the present ones: a change like any other. */
  async restore(id: string, version: number, options: ChangeOptions & Abortable = {}): Promise<Outcome> {
    const prepare = (core: CoreVault) => preparing(core, core.planRestore(id, version, options), this.#now());
    return first<Outcome>(await this.#stored.write(prepare, options));
  }

  /** Gives a connector another name, type or meta; its values stay. */
  async describe(
    id: string,
    description: Description,
    options: ChangeOptions & Abortable = {},
  ): Promise<Outcome> {
    const prepare = (core: CoreVault) =>
      preparing(core, describePlan(core, id, description, options), this.#now());
    return first<Outcome>(await this.#stored.write(prepare, options));
  }

  /**
   * Moves a connector to the group of this name. Whoever could read it in its former group may still know its values:
   * update them. Fails as {@link planMove} does.
   */
  async moveConnector(id: string, group: string, options: ChangeOptions & Abortable = {}): Promise<Outcome> {
    const prepare = (core: CoreVault) => preparing(core, core.planMove(id, group, options), this.#now());
    return first<Outcome>(await this.#stored.write(prepare, options));
  }

  /** Brings a deleted connector back. Fails as {@link planUndelete} does. */
  async undelete(id: string, options: UndeleteOptions & Abortable = {}): Promise<Outcome> {
    const prepare = (core: CoreVault) => preparing(core, undeletePlan(core, id, options), this.#now());
    return first<Outcome>(await this.#stored.write(prepare, options));
  }

  /** Adds the connectors of a document, or of its JSON text: all or none. */
  async import(
    document: ConnectorsDocument | string,
    options: CreateOptions & Abortable = {},
  ): Promise<Outcome[]> {
    const text = utf8(textOf(document));
    const prepare = (core: CoreVault) => preparing(core, core.planImport(text, options), this.#now());
    try {
      return await this.#stored.write(prepare, options);
    } finally {
      text.fill(0);
    }
  }

  /**
   * Takes over what another copy of this vault changed. The other copy is not changed.
   *
   * Fails with `merge_conflict` or `merge_stranger` for what `merging` leaves open; {@link planMerge} shows
   * it.
   */
  async merge(theirs: VaultStorage | Uint8Array, merging: Merging & Abortable = {}): Promise<Outcome[]> {
    const { signal, ...options } = merging;
    return await this.#stored.whileOpen(signal, async (signal) => {
      const file = await copyOf(theirs, signal);
      const prepare = (core: CoreVault) => {
        const copy = core.openCopy(file);
        const merge = freeing(copy, () => core.planMerge(copy, options, this.#now()));
        return core.prepareMerge(merge, this.#now());
      };
      return await this.#stored.write(prepare, { signal });
    });
  }

  /** Takes what others have written since. */
  async refresh(options: Abortable = {}): Promise<void> {
    await this.#stored.refresh(options);
  }

  // Grants, for owners

  /**
   * Grants something: a role in all groups, or rights in some. Returns the versions that the new snapshot left out,
   * since they are false. `until` is a date to be reminded of, as `toISOString()` writes it: nothing happens then by
   * itself.
   *
   * Fails with `grant_exists` if the label or the key has a grant already, and with `group_not_found`.
   *
   * @example
   * ```ts
   * await vault.grant("auditor", "viewer", { key });
   * const rights = [{ role: "viewer" }, { role: "rotator", group: "payments" }] as const;
   * await vault.grant("rotation", rights, { key }, { until: "2027-01-31T00:00:00.000Z" });
   * ```
   */
  async grant(
    label: string,
    rights: Rights,
    to: Grantee,
    options: Abortable & { readonly until?: string | undefined } = {},
  ): Promise<FalseVersion[]> {
    const { until } = options;
    return await this.#holding(to, options, (holder, signal) =>
      this.#snapshot((core) => core.prepareGrant(label, rightsOf(rights), until, holder, this.#now()), {
        signal,
      }),
    );
  }

  /** Takes a grant away: new keys, and everything sealed again. What it tells should be rotated. */
  revoke(label: string, options: Abortable = {}): Promise<RevocationReport> {
    return this.#reduce((core) => core.prepareRevoke(label, this.#now()), options);
  }

  /**
   * Gives a grant other rights in place of those that it has, or another date to be reminded of: `null` takes that away.
   * Without `rights` they stay, and without `until` the date does. If a grant loses something, the keys change as by a
   * revocation.
   *
   * Fails with `grant_not_found` or `group_not_found`.
   */
  setRights(
    label: string,
    rights: Rights | undefined,
    options: Abortable & { readonly until?: string | null | undefined } = {},
  ): Promise<RevocationReport> {
    const until = options.until === null ? "none" : options.until;
    const texts = rights === undefined ? undefined : rightsOf(rights);
    return this.#reduce((core) => core.prepareRights(label, texts, until, this.#now()), options);
  }

  /**
   * Gives a grant a new identity, and revokes the one that it had. A passphrase that was replaced, or a key slot that
   * was removed, still opens old copies, and the identity in them opens new ones: this ends that. The grant keeps
   * label, rights and date; its other key slots go. For the grant that opened the vault `to` is a passphrase, an
   * external key or an identity, not a public key.
   *
   * Fails with `grant_not_found`, and with `grant_exists` if the key has a grant already.
   */
  async renew(label: string, to: Holder, options: Abortable = {}): Promise<RevocationReport> {
    return await this.#holding(to, options, (holder, signal) =>
      this.#reduce((core) => core.prepareRenew(label, holder, this.#now()), { signal }),
    );
  }

  // Groups, for owners

  /**
   * Adds a group. Grants with a right in all groups have it there too. Returns the versions that the new snapshot left
   * out, since they are false.
   *
   * Fails with `group_exists`.
   */
  async addGroup(name: string, options: Abortable = {}): Promise<FalseVersion[]> {
    return await this.#snapshot((core) => core.prepareAddGroup(name, this.#now()), options);
  }

  /**
   * Gives a group another name; `default` keeps its own. Returns the versions that the new snapshot left out, since
   * they are false.
   *
   * Fails with `group_not_found` or `group_exists`.
   */
  async renameGroup(name: string, newName: string, options: Abortable = {}): Promise<FalseVersion[]> {
    return await this.#snapshot((core) => core.prepareRenameGroup(name, newName, this.#now()), options);
  }

  /**
   * Removes a group in which there is no connector, with all former versions in it. Rights in it are taken from all
   * grants; a grant without another right is revoked. Ids that were deleted in it stay deleted in the group
   * `deletesTo`, whose members see them from then on.
   *
   * Fails with `group_not_found`, and with `group_not_empty` if a connector is in the group, or an id was deleted in it
   * and there is no `deletesTo`.
   */
  async removeGroup(
    name: string,
    options: Abortable & { readonly deletesTo?: string | undefined } = {},
  ): Promise<GroupRemovalReport> {
    const { deletesTo } = options;
    return await this.#reduce<GroupRemovalReport>(
      (core) => core.prepareRemoveGroup(name, deletesTo, this.#now()),
      options,
    );
  }

  /**
   * Replaces the passphrase of the grant that opened the vault. It does not help against somebody who has
   * an old copy and the old passphrase: for that, {@link renew} the grant.
   */
  async setPassphrase(passphrase: string, options: Abortable & { readonly cost?: KdfCost | undefined } = {}) {
    await this.#withPassphrase({ passphrase, cost: options.cost }, options, (core, stretched, cost) =>
      core.preparePassphrase(stretched, cost, this.#now()),
    );
  }

  // External keys of the grant that opened the vault

  /**
   * Adds a key slot, by which an external key opens the grant that opened the vault; a passkey has to answer to
   * {@link newPasskey} first. A key slot of this key with the same hint is replaced.
   *
   * Fails with `limit_exceeded` for a hint of more than 2,048 bytes.
   */
  async addKey(key: NewKey, options: Abortable = {}): Promise<void> {
    await keyed(key, async ({ key, hint, salt }) => {
      await this.#stored.write((core) => core.prepareKey(key, hint, salt, this.#now()), options);
    });
  }

  /**
   * Removes key slots of external keys of the grant that opened the vault: those with a hint, or the one with a salt. It
   * does not help against somebody who has an old copy and the key: for that, revoke and grant again.
   *
   * Fails with `no_key_slot` if there is no such one, and with `last_key_slot` if no other key slot would be left.
   */
  async removeKey(which: KeySlotRef, options: Abortable = {}): Promise<void> {
    const { hint, salt } = withOwnKey(which);
    if ((hint === undefined) === (salt === undefined)) {
      throw new VaultError("invalid_argument", "a key slot is named by its hint or by its salt: give one");
    }
    await this.#stored.write((core) => core.prepareKeyRemoval(hint, salt), options);
  }

  /**
   * The place of a new key slot for a passkey. Ask its PRF extension for `prfInput`, then call {@link addKey} with the
   * answer as `key`, and with `salt`.
   */
  newPasskey(): NewPasskey {
    return passkeyOf(this.#ask((core) => core.newPasskey(this.#now())));
  }

  /**
   * Drops old versions: the newest `keep` of each connector stay, by default 10. A vault of which more than
   * half is outdated does it by itself, at an owner's next change. Returns the versions that were left out, since
   * they are false.
   */
  async compact(options: Abortable & { readonly keep?: number | undefined } = {}): Promise<FalseVersion[]> {
    return await this.#snapshot((core) => core.prepareCompaction(options.keep, this.#now()), options);
  }

  /**
   * Drops the former versions of these connectors, or of all, and what was kept of torn tails beside the
   * vault.
   */
  async purge(ids?: readonly string[], options: Abortable = {}): Promise<Purged> {
    const falseVersions = await this.#snapshot(
      (core) => core.preparePurge(ids === undefined ? undefined : [...ids], this.#now()),
      options,
    );
    const remove = async () => (await this.#stored.storage.removeTornTails?.()) ?? 0;
    return { tornTails: await this.#stored.queue(remove, options.signal), falseVersions };
  }

  // The end

  /**
   * Ends the work with this vault: its keys and the values of its plans are wiped. A change that is being
   * stored is stored. Every other call that has not ended fails with `locked` at once, also while it waits for a
   * token function or a storage.
   */
  lock(): void {
    if (!this.#stored.lock()) return;
    for (const plan of this.#plans) plan.deref()?.dispose();
    this.#plans.clear();
    this.dispatchEvent(new Event("lock"));
  }

  [Symbol.dispose](): void {
    this.lock();
  }

  /** Locks once what is at work is done. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stored.queue(async () => this.lock());
  }

  /** What is logged of it. */
  toJSON(): string {
    return "Vault(..)";
  }

  #ask<T>(ask: (core: CoreVault) => T): T {
    return this.#stored.ask(ask);
  }

  /** Asks for something that the second module brings. */
  async #later<T>(ask: (core: CoreVault) => T): Promise<T> {
    return await this.#stored.whileOpen(undefined, async (signal) => {
      await orAborted(readyToChange(), signal);
      return this.#ask(ask);
    });
  }

  #now(): string {
    return timeOf(this.#clock);
  }

  #keepPlan<R extends Ran>(core: CorePlan): Plan<R> {
    const plan = new Plan<R>(core);
    for (const kept of this.#plans) if (kept.deref() === undefined) this.#plans.delete(kept);
    this.#plans.add(new WeakRef(plan));
    return plan;
  }

  /** Works on an action while the vault is open. */
  async #running<T>(
    action: ActionInput,
    options: RunOptions,
    work: (run: Run, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    return await this.#stored.whileOpen(options.signal, async (signal) => {
      await orAborted(readyToChange(), signal);
      const { tokens: _tokens, test: _test, signal: _signal, ...known } = options;
      const run = begin(action, known, options);
      try {
        return await work(run, signal);
      } finally {
        release(run);
      }
    });
  }

  /** Plans an action on what others have written until now, and asks for what it wants. */
  async #answered(run: Run, asked: Asked, signal: AbortSignal): Promise<void> {
    await this.refresh({ signal });
    for (;;) {
      signal.throwIfAborted();
      const wanted = this.#ask((core) => step(run, core, this.#now()));
      if (wanted === undefined) return;
      await answer(run, wanted, asked, signal);
    }
  }

  /** Stores a snapshot; the versions that it left out. */
  async #snapshot(prepare: (core: CoreVault) => Prepared, options: Abortable): Promise<FalseVersion[]> {
    let falseVersions = "[]";
    await this.#stored.write((core) => {
      const prepared = prepare(core);
      falseVersions = prepared.falseVersions();
      return prepared;
    }, options);
    return JSON.parse(falseVersions) as FalseVersion[];
  }

  async #reduce<R = RevocationReport>(
    prepare: (core: CoreVault) => Revocation,
    options: Abortable,
  ): Promise<R> {
    let report = "";
    await this.#stored.write((core) => {
      const revocation = prepare(core);
      return freeing(revocation, () => {
        report = revocation.report();
        const prepared = revocation.takePrepared();
        if (prepared === undefined) throw new VaultError("internal", "a revocation has something to store");
        return prepared;
      });
    }, options);
    return JSON.parse(report) as R;
  }

  /** Works with whoever is to hold a grant, and wipes the secret in the end. */
  async #holding<T>(
    to: Holder,
    { signal }: Abortable,
    work: (holder: CoreHolder, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    return await this.#stored.whileOpen(signal, async (signal) => {
      const holder = await holderOf(to, signal);
      try {
        return await work(holder, signal);
      } finally {
        release(holder);
      }
    });
  }

  async #withPassphrase(
    { passphrase, cost }: { readonly passphrase: string; readonly cost?: KdfCost | undefined },
    options: Abortable,
    prepare: (core: CoreVault, stretched: Uint8Array, cost: KdfCost) => Prepared,
  ): Promise<FalseVersion[]> {
    return await this.#stored.whileOpen(options.signal, async (signal) => {
      const costs = costOf(cost);
      const stretched = await opening.stretch(passphrase, costs, { signal });
      try {
        return await this.#snapshot((core) => prepare(core, stretched, costs), { signal });
      } finally {
        stretched.fill(0);
      }
    });
  }
}

guard(Vault, VAULT_CLASS, VAULT_CLASS_LATER);
guard(Vault.prototype, VAULT, VAULT_LATER);

/** Thrown where a plan cannot be made before more is answered. */
const UNANSWERED = new VaultError("internal", "the action asks for more");

/** Works with a copy of the caller's external key, and wipes it in the end. */
async function keyed<
  O extends { readonly key?: Uint8Array | undefined; readonly hint?: Uint8Array | undefined },
  T,
>(options: O, work: (options: O) => Promise<T>): Promise<T> {
  const own = withOwnKey(options);
  try {
    return await work(own);
  } finally {
    own.key?.fill(0);
  }
}

function hasCode(error: unknown, code: VaultErrorCode): boolean {
  return error instanceof VaultError && error.code === code;
}

function clockOf(options: HostOptions): () => Date {
  return options.clock ?? (() => new Date());
}

/** What a clock says. Whether that is a time, the core decides. */
function timeOf(clock: () => Date): string {
  const [now] = take(CLOCK, [clock()]);
  return Number.isNaN(now.getTime()) ? "" : now.toISOString();
}

function createPlan(core: CoreVault, connector: NewConnector, options: CreateOptions): CorePlan {
  const { id, name, type, meta = {}, group, properties = "{}" } = connector;
  const text = utf8(textOf(properties));
  const inGroup = group !== undefined && { group };
  try {
    return core.planCreate(id, name, type, Object.entries(meta).flat(), text, { ...options, ...inGroup });
  } finally {
    text.fill(0);
  }
}

function describePlan(
  core: CoreVault,
  id: string,
  { name, type, meta = {} }: Description,
  options: ChangeOptions,
): CorePlan {
  const texts: string[] = [];
  const without: string[] = [];
  for (const [name, text] of Object.entries(meta)) {
    if (text === null) without.push(name);
    else texts.push(name, text);
  }
  return core.planDescribe(id, name, type, texts, without, options);
}

function undeletePlan(core: CoreVault, id: string, { version, ...options }: UndeleteOptions): CorePlan {
  return core.planUndelete(id, version, options);
}

/** Rights as the module reads them. */
function rightsOf(rights: Rights): string[] {
  const all = typeof rights === "string" ? [{ role: rights }] : rights;
  return all.map(({ role, group = "*" }: Right) => `${role}:${group}`);
}

async function holderOf(to: Holder, signal: AbortSignal): Promise<CoreHolder> {
  if ("key" in to) return call((core) => core.Holder.byKey(to.key));
  if ("externalKey" in to) {
    return await keyed({ key: to.externalKey, hint: to.hint }, async ({ key, hint }) =>
      call((core) => core.Holder.byExternalKey(key, hint)),
    );
  }
  const cost = "passphrase" in to ? costOf(to.cost) : undefined;
  const secret =
    "passphrase" in to
      ? await opening.stretch(to.passphrase, cost as KdfCost, { signal })
      : opening.identityBytes(to.identity);
  try {
    return call((core) =>
      cost === undefined ? core.Holder.byIdentity(secret) : core.Holder.byPassphrase(secret, cost),
    );
  } finally {
    secret.fill(0);
  }
}

/** A plan that is prepared and no longer needed. */
function preparing(core: CoreVault, plan: CorePlan, now: string): Prepared {
  return freeing(plan, () => core.prepare(plan, now));
}

function freeing<T>(resource: { free(): void }, work: () => T): T {
  try {
    return work();
  } finally {
    release(resource);
  }
}

function costOf(cost: KdfCost | undefined): KdfCost {
  return cost ?? (JSON.parse(call((core) => core.defaultCost())) as KdfCost);
}

async function copyOf(theirs: VaultStorage | Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
  return "read" in theirs ? await bytesOf(theirs, signal) : theirs;
}

function first<R>(outcomes: readonly R[]): R {
  const [outcome] = outcomes;
  if (outcome === undefined) throw new VaultError("internal", "one plan has one outcome");
  return outcome;
}

/** By name, then by id. */
function byName(one: Overview, other: Overview): number {
  return compare(one.name, other.name) || compare(one.id, other.id);
}

/** In the order of UTF-16 units. */
function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}

/** More than a vault can hold. */
const ALL = 0xffff_ffff;

function bounded({ from = 0, count = ALL }: Range): Required<Range> {
  return { from, count };
}

/** Listeners that know their events. */
export interface Vault {
  addEventListener<Type extends keyof VaultEvents>(
    type: Type,
    listener: ((event: VaultEvents[Type]) => void) | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
}
