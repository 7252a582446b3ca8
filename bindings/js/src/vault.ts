/** The vault: open, read, plan, commit, on a storage that others may change at the same time. */

import type {
  Change,
  Commit,
  Connector,
  GrantInfo,
  KdfCost,
  MergeReport,
  Merging,
  Opening,
  Outcome,
  Overview,
  Plan as CorePlan,
  Prepared,
  Refreshed,
  RepairReport,
  Report,
  Revocation as CoreRevocation,
  RevocationReport,
  Role,
  Vault as CoreVault,
  Verdict,
} from "../pkg/vault.js";
import { run as runJob } from "#thread";
import type { ActionInput, ActionOptions } from "./action.js";
import { VaultError } from "./error.js";
import type { Head, KnownHead, KnownHeads } from "./heads.js";
import { Identity } from "./identity.js";
import { buffersOf, perform, type Answer, type Job } from "./job.js";
import { Plan } from "./plan.js";
import type { LogEnd, VaultStorage } from "./storage.js";
import { resolve, type Tokens } from "./tokens.js";
import { asVaultError, call, moduleForWorker, ready } from "./wasm.js";
import { utf8 } from "./utf8.js";

/** What may take long can be given up. */
export interface Abortable {
  readonly signal?: AbortSignal | undefined;
}

/** How a vault is remembered and which time it writes. */
export interface HostOptions extends Abortable {
  /** Where known heads are kept: by default where the storage says. `null`: nowhere. */
  readonly heads?: KnownHeads | null | undefined;
  /** The clock; by default the platform's. */
  readonly clock?: (() => Date) | undefined;
}

/** The first owner of a new vault: with a passphrase, an identity, or both. */
export interface NewOwner extends HostOptions {
  /** What the owner is called. By default `owner`. */
  readonly label?: string | undefined;
  readonly passphrase?: string | undefined;
  /** What trying the passphrase costs. */
  readonly cost?: KdfCost | undefined;
  readonly identity?: Identity | string | undefined;
}

/** How a vault is opened, and what it is expected to be. */
export interface OpenOptions extends HostOptions {
  /** Opens by a passphrase. Either this or `identity`. */
  readonly passphrase?: string | undefined;
  /** Tries only the lock of the grant with this label, which saves time. */
  readonly grant?: string | undefined;
  /** Opens by an identity. Needs `vaultId`, unless the vault is known here. */
  readonly identity?: Identity | string | undefined;
  /** The vault must have this id. */
  readonly vaultId?: string | undefined;
  /** The newest head seen of it, where there are no known heads. */
  readonly known?: KnownHead | undefined;
  /** Takes the vault as it is, though it is older than what was seen of it, or another copy. */
  readonly accept?: boolean | undefined;
  /** Goes on without damaged records, which the report lists. Nothing can be written then. */
  readonly tolerant?: boolean | undefined;
  /** Most memory that a lock may make Argon2id use, in KiB: at most 262,144. */
  readonly memoryKibMax?: number | undefined;
}

/** How an action is carried out. */
export interface RunOptions extends ActionOptions, Abortable {
  /** The values of the action's tokens. */
  readonly tokens?: Tokens | undefined;
}

/** A new connector. Its properties are taken literally, without tokens. */
export interface NewConnector {
  /** By default a new UUID. */
  readonly id?: string | undefined;
  readonly name: string;
  readonly type: string;
  /** An object, or JSON text of one. A number or boolean is its text, an object or array compact JSON. */
  readonly properties?: Readonly<Record<string, unknown>> | string | undefined;
}

/** To whom a role is granted: to the holder of an identity, or to whoever knows a passphrase. */
export type Grantee =
  { readonly key: string } | { readonly passphrase: string; readonly cost?: KdfCost | undefined };

/** Connectors with their values, as `cvault export` and `import` have them. */
export interface ConnectorsDocument {
  readonly connectors: readonly (NewConnector & Partial<Pick<Connector, "version" | "updatedAt">>)[];
}

/** What a repair saved, and the sound vault. */
export interface Repaired {
  readonly vault: Vault;
  readonly report: RepairReport;
}

/** What merging another copy would change. */
export type MergePlan = MergeReport;

/** The vault has changed: by this object, or by somebody else. */
export class VaultChangeEvent extends Event {
  /** `own`: by this object. */
  readonly origin: "own" | "other";

  constructor(origin: "own" | "other") {
    super("change");
    this.origin = origin;
  }
}

/** How often another writer may come first before a change gives up. */
const CONFLICTS_MAX = 100;
/** A file from this size on is opened in a worker, where that is possible: a page must not wait for it. */
const WORKER_FILE_LEN = 128 * 1024;

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
  #core: CoreVault | undefined;
  readonly #storage: VaultStorage;
  readonly #heads: KnownHeads | undefined;
  readonly #clock: () => Date;
  /** Bytes of a torn tail behind the log as it was last read. */
  #torn: number;
  /** Settles with the last operation: they wait for each other. */
  #last: Promise<unknown> = Promise.resolve();
  /** Plans that hold values; wiped with the keys. */
  readonly #plans = new Set<WeakRef<Plan>>();
  #unsubscribe: (() => void) | undefined;

  private constructor(core: CoreVault, storage: VaultStorage, options: HostOptions) {
    super();
    this.#core = core;
    this.#storage = storage;
    this.#heads = headsOf(storage, options);
    this.#clock = options.clock ?? (() => new Date());
    this.#torn = this.report.torn?.len ?? 0;
    this.#unsubscribe = storage.subscribe?.(() => {
      // Nobody waits for this: what is wrong, the next call says.
      this.refresh().catch(() => undefined);
    });
  }

  // Creating and opening

  /**
   * Creates a vault without connectors.
   *
   * Fails with `file_exists` if the storage holds one already; it stays as it is.
   */
  static async create(storage: VaultStorage, owner: NewOwner): Promise<Vault> {
    const { label = "owner", passphrase, signal } = owner;
    const clock = owner.clock ?? (() => new Date());
    await ready();
    const cost = costOf(owner.cost);
    const stretched = passphrase === undefined ? undefined : await stretch(passphrase, cost, signal);
    const identity = owner.identity === undefined ? undefined : identityBytes(owner.identity);
    try {
      const created = call((core) =>
        core.create(label, stretched, JSON.stringify(cost), identity, clock().toISOString()),
      );
      try {
        await storage.create(created.file());
      } catch (error) {
        created.free();
        throw error;
      }
      const vault = new Vault(
        call(() => created.intoVault()),
        storage,
        owner,
      );
      // It is stored: a witness that is missing is no failure of it.
      await vault.#remember().catch(() => undefined);
      return vault;
    } finally {
      stretched?.fill(0);
      identity?.fill(0);
    }
  }

  /**
   * Opens the vault in a storage. In browsers and Node a worker does what takes long.
   *
   * Fails with the codes of docs/format.md and of the storage: `wrong_passphrase`, `rolled_back`,
   * `damaged`, `file_not_found`, ...
   */
  static async open(storage: VaultStorage, options: OpenOptions): Promise<Vault> {
    await ready();
    const opening = await Opener.of(storage, options);
    try {
      return await opening.open();
    } catch (error) {
      if (!(error instanceof VaultError) || error.code !== "rolled_back") throw error;
      // The head may have been remembered after the bytes were read, by somebody who wrote in between.
      // Read again, they have reached that head, or were truly rolled back.
      return await opening.open();
    }
  }

  /**
   * Writes to the new storage `out` what is intact of a damaged vault: every version that stands under a
   * verified signature; with `unsigned` also those that merely open. Needs an owner.
   */
  static async repair(
    damaged: VaultStorage,
    out: VaultStorage,
    options: OpenOptions & { readonly unsigned?: boolean | undefined },
  ): Promise<Repaired> {
    await ready();
    const opening = await Opener.of(damaged, options);
    return await opening.repair(out, options.unsigned ?? false);
  }

  /**
   * The id of the vault in these bytes, its header's signature verified. Anybody can make a vault, so the
   * id alone proves nothing. Needs {@link ready}.
   */
  static identify(file: Uint8Array): string {
    return call((core) => core.identify(file));
  }

  /** @internal */
  static attach(answer: Answer, storage: VaultStorage, options: HostOptions): Vault {
    const state = answer.state ?? new Uint8Array();
    try {
      return new Vault(
        call((core) => core.Vault.attach(answer.bytes, state)),
        storage,
        options,
      );
    } finally {
      state.fill(0);
    }
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

  /** What a client keeps, to notice a rollback the next time. */
  get knownHead(): KnownHead {
    return JSON.parse(this.#ask((core) => core.knownHead())) as KnownHead;
  }

  /** The role of the grant that opened the vault. */
  get role(): Role {
    return this.#ask((core) => core.role());
  }

  /** The label of the grant that opened the vault. */
  get label(): string {
    return this.#ask((core) => core.label());
  }

  /** How many connectors there are. */
  get size(): number {
    return this.#ask((core) => core.len());
  }

  /** Whether {@link lock} was called. */
  get isLocked(): boolean {
    return this.#core === undefined;
  }

  /**
   * The connectors in the order of their creation, without their values. A page that lists many takes
   * some at a time: `count` from the one with the index `from` on.
   */
  connectors(range: { readonly from?: number; readonly count?: number } = {}): Overview[] {
    const { from = 0, count = 0xffff_ffff } = range;
    return JSON.parse(this.#ask((core) => core.connectors(from, count))) as Overview[];
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

  /** A kept version of a connector with its values, also of one that is deleted now. */
  async readVersion(id: string, version: number): Promise<Connector> {
    return JSON.parse(this.#ask((core) => core.readVersion(id, version))) as Connector;
  }

  /** The kept versions of a connector, oldest first; also of one that is deleted now. */
  history(id: string): Overview[] {
    return JSON.parse(this.#ask((core) => core.history(id))) as Overview[];
  }

  /** What changed from one kept version to another: names and kinds, no values. */
  diff(id: string, from: number, to: number): Change[] {
    return JSON.parse(this.#ask((core) => core.diff(id, from, to))) as Change[];
  }

  /** Who may do what. */
  grants(): GrantInfo[] {
    return JSON.parse(this.#ask((core) => core.grants())) as GrantInfo[];
  }

  /** Every commit of the log, oldest first: the signed audit trail. */
  log(): Commit[] {
    return JSON.parse(this.#ask((core) => core.log())) as Commit[];
  }

  /** Checks every signature, hash and, if the role reads values, every secret: a verdict for each commit. */
  verify(): Verdict[] {
    return JSON.parse(this.#ask((core) => core.verify())) as Verdict[];
  }

  /** All connectors with their values, in clear. Prefer a copy of the stored bytes: they stay encrypted. */
  async export(): Promise<{ connectors: Connector[] }> {
    return JSON.parse(this.#ask((core) => core.exportConnectors())) as { connectors: Connector[] };
  }

  // Planning: nothing is written

  /**
   * What an action would change, on what others have written until now.
   *
   * Fails with the codes of docs/action.md; the vault is as before in any case.
   */
  async plan(action: ActionInput, options: RunOptions = {}): Promise<Plan> {
    const request = await resolveRequest(action, options);
    try {
      await this.refresh(options);
      return this.#keepPlan(this.#ask((core) => core.plan(request, this.#now())));
    } finally {
      request.free();
    }
  }

  /** A plan that creates a connector. Fails with `connector_exists`. */
  planCreate(connector: NewConnector, options: ActionOptions = {}): Plan {
    return this.#keepPlan(this.#ask((core) => createPlan(core, connector, options)));
  }

  /** A plan that deletes a connector; its kept versions stay in the history. */
  planDelete(id: string, options: ActionOptions = {}): Plan {
    return this.#keepPlan(this.#ask((core) => core.planDelete(id, optionsText(options))));
  }

  /** A plan that makes the properties of a kept version the present ones. */
  planRestore(id: string, version: number, options: ActionOptions = {}): Plan {
    return this.#keepPlan(this.#ask((core) => core.planRestore(id, version, optionsText(options))));
  }

  /**
   * What merging another copy of this vault would change: per connector and per property, from the newest
   * version that both keep. Fails with `not_mergeable` for another vault.
   */
  async planMerge(theirs: VaultStorage | Uint8Array, merging: Merging = {}): Promise<MergePlan> {
    const file = await bytesOf(theirs);
    await this.refresh();
    return this.#ask((core) => {
      const copy = core.openCopy(file);
      const merge = freeing(copy, () => core.planMerge(copy, JSON.stringify(merging)));
      return freeing(merge, () => JSON.parse(merge.report()) as MergePlan);
    });
  }

  // Changing

  /** Commits exactly this plan. Fails with `conflict` if its connector has moved on. */
  async commit(plan: Plan | PromiseLike<Plan>, options: Abortable = {}): Promise<Outcome> {
    const planned = await plan;
    const outcomes = await this.#write((core) => core.prepare(planned.core, this.#now()), options);
    planned.dispose();
    return first(outcomes);
  }

  /**
   * Carries out an action: plans it on what others have written until now, and commits it before any
   * other can; where somebody was faster, it is planned again.
   */
  async run(action: ActionInput, options: RunOptions = {}): Promise<Outcome> {
    const request = await resolveRequest(action, options);
    try {
      const prepare = (core: CoreVault) => preparing(core, core.plan(request, this.#now()), this.#now());
      return first(await this.#write(prepare, options));
    } finally {
      request.free();
    }
  }

  /** Creates a connector. */
  async createConnector(connector: NewConnector, options: ActionOptions & Abortable = {}): Promise<Outcome> {
    // One id, however often it is planned.
    const { id = crypto.randomUUID() } = connector;
    const prepare = (core: CoreVault) =>
      preparing(core, createPlan(core, { ...connector, id }, options), this.#now());
    return first(await this.#write(prepare, options));
  }

  /** Deletes a connector. */
  async deleteConnector(id: string, options: ActionOptions & Abortable = {}): Promise<Outcome> {
    const prepare = (core: CoreVault) =>
      preparing(core, core.planDelete(id, optionsText(options)), this.#now());
    return first(await this.#write(prepare, options));
  }

  /** Makes the properties of a kept version the present ones: a change like any other. */
  async restore(id: string, version: number, options: ActionOptions & Abortable = {}): Promise<Outcome> {
    const prepare = (core: CoreVault) =>
      preparing(core, core.planRestore(id, version, optionsText(options)), this.#now());
    return first(await this.#write(prepare, options));
  }

  /** Adds the connectors of a document, all or none. */
  async import(document: ConnectorsDocument, options: ActionOptions & Abortable = {}): Promise<Outcome[]> {
    const [head, ...rest] = document.connectors.map((connector) => ({
      ...connector,
      id: connector.id ?? crypto.randomUUID(),
    }));
    if (head === undefined) return [];
    return await this.#write((core) => {
      const plan = createPlan(core, head, options);
      try {
        for (const connector of rest) plan.append(createPlan(core, connector, options));
      } catch (error) {
        plan.free();
        throw error;
      }
      return preparing(core, plan, this.#now());
    }, options);
  }

  /**
   * Takes over what another copy of this vault changed. The other copy is not changed.
   *
   * Fails with `merge_conflict` or `merge_stranger` for what `merging` leaves open; {@link planMerge} shows
   * it.
   */
  async merge(theirs: VaultStorage | Uint8Array, merging: Merging & Abortable = {}): Promise<Outcome[]> {
    const { signal, ...options } = merging;
    const file = await bytesOf(theirs, signal);
    return await this.#write(
      (core) => {
        const copy = core.openCopy(file);
        const merge = freeing(copy, () => core.planMerge(copy, JSON.stringify(options)));
        return preparing(core, merge.intoPlan(), this.#now());
      },
      { signal },
    );
  }

  /** Takes what others have written since. */
  async refresh(options: Abortable = {}): Promise<void> {
    await this.#queue(async () => {
      if (await this.#catchUp(this.#storage, options.signal)) await this.#remember();
    });
  }

  // Grants, for owners

  /** Grants a role. Fails with `grant_exists` if the label or the key has a grant already. */
  async grant(label: string, role: Role, to: Grantee, options: Abortable = {}): Promise<void> {
    if ("key" in to) {
      await this.#write((core) => core.prepareGrantToKey(label, role, to.key, this.#now()), options);
      return;
    }
    await this.#withPassphrase(to, options, (core, stretched, cost) =>
      core.prepareGrantToPassphrase(label, role, stretched, cost, this.#now()),
    );
  }

  /** Takes a grant away: new keys, and everything sealed again. What it tells should be rotated. */
  revoke(label: string, options: Abortable = {}): Promise<RevocationReport> {
    return this.#reduce((core) => core.prepareRevoke(label, this.#now()), options);
  }

  /** Gives a grant another role. Reducing it changes the keys, as a revocation does. */
  setRole(label: string, role: Role, options: Abortable = {}): Promise<RevocationReport> {
    return this.#reduce((core) => core.prepareRole(label, role, this.#now()), options);
  }

  /**
   * Replaces the passphrase of the grant that opened the vault. It does not help against somebody who has
   * an old copy and the old passphrase: for that, revoke and grant again.
   */
  async setPassphrase(passphrase: string, options: Abortable & { readonly cost?: KdfCost | undefined } = {}) {
    await this.#withPassphrase({ passphrase, cost: options.cost }, options, (core, stretched, cost) =>
      core.preparePassphrase(stretched, cost, this.#now()),
    );
  }

  /** Drops old versions: the newest `keep` of each connector stay, by default 10. Owners do it now and then by themselves. */
  async compact(options: Abortable & { readonly keep?: number | undefined } = {}): Promise<void> {
    await this.#write((core) => core.prepareCompaction(options.keep ?? 10), options);
  }

  /** Drops the former versions of these connectors, or of all, and what is left of torn tails beside the vault. */
  async purge(ids?: readonly string[], options: Abortable = {}): Promise<void> {
    await this.#write((core) => core.preparePurge(ids === undefined ? undefined : [...ids]), options);
    await this.#queue(async () => {
      await this.#storage.removeTornTails?.();
    });
  }

  // The end

  /** Ends the work with this vault: its keys and the values of its plans are wiped. */
  lock(): void {
    if (this.#core === undefined) return;
    this.#unsubscribe?.();
    for (const plan of this.#plans) plan.deref()?.dispose();
    this.#plans.clear();
    this.#core.free();
    this.#core = undefined;
    this.dispatchEvent(new Event("lock"));
  }

  [Symbol.dispose](): void {
    this.lock();
  }

  /** Locks once what is at work is done. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue(async () => this.lock());
  }

  /** What is logged of it. */
  toJSON(): string {
    return "Vault(..)";
  }

  #open(): CoreVault {
    if (this.#core === undefined) throw new VaultError("locked", "the vault is locked", "open it again");
    return this.#core;
  }

  #ask<T>(ask: (core: CoreVault) => T): T {
    const core = this.#open();
    return call(() => ask(core));
  }

  #now(): string {
    return this.#clock().toISOString();
  }

  #keepPlan(core: CorePlan): Plan {
    const plan = new Plan(core);
    for (const kept of this.#plans) if (kept.deref() === undefined) this.#plans.delete(kept);
    this.#plans.add(new WeakRef(plan));
    return plan;
  }

  /** Runs one operation after the other. */
  #queue<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }

  /**
   * Prepares, stores and applies a change, on what others have written until then. `prepare` runs again
   * when somebody else was faster.
   */
  #write(prepare: (core: CoreVault) => Prepared, { signal }: Abortable): Promise<Outcome[]> {
    return this.#queue(async () => {
      signal?.throwIfAborted();
      const storage = this.#storage;
      const attempt = (storage: VaultStorage) => this.#attempt(storage, prepare, signal);
      return await (storage.exclusive ? storage.exclusive(attempt, signal) : attempt(storage));
    });
  }

  async #attempt(
    storage: VaultStorage,
    prepare: (core: CoreVault) => Prepared,
    signal: AbortSignal | undefined,
  ): Promise<Outcome[]> {
    for (let conflicts = 0; ; conflicts++) {
      await this.#catchUp(storage, signal);
      const prepared = this.#ask(prepare);
      const before = this.head.hash;
      try {
        await this.#keep(storage, prepared);
      } catch (error) {
        prepared.free();
        const lost = error instanceof VaultError && error.code === "conflict";
        if (!lost || conflicts === CONFLICTS_MAX) throw error;
        await pause(conflicts);
        signal?.throwIfAborted();
        continue;
      }
      const outcomes = JSON.parse(this.#ask((core) => core.apply(prepared))) as Outcome[];
      await this.#compactIfPays(storage);
      // What is stored is stored: a witness that stays behind is no failure of it, and the next opening
      // moves it on.
      await this.#remember().catch(() => undefined);
      if (this.head.hash !== before) this.dispatchEvent(new VaultChangeEvent("own"));
      return outcomes;
    }
  }

  /** Takes what is stored by now; whether there was something. */
  async #catchUp(storage: VaultStorage, signal: AbortSignal | undefined): Promise<boolean> {
    const compared = await storage.compare(this.#logEnd(), signal);
    if (compared.state === "same") {
      this.#torn = 0;
      return false;
    }
    if (compared.state === "grown") {
      const refreshed = JSON.parse(this.#ask((core) => core.refresh(compared.tail))) as Refreshed;
      this.#torn = refreshed.torn?.len ?? 0;
      if (refreshed.commits === 0) return false;
    } else {
      const file = await storage.read(signal);
      this.#ask((core) => core.reopen(file));
      this.#torn = this.report.torn?.len ?? 0;
    }
    this.dispatchEvent(new VaultChangeEvent("other"));
    return true;
  }

  async #keep(storage: VaultStorage, prepared: Prepared): Promise<void> {
    const [commit, file] = [prepared.toAppend(), prepared.toReplace()];
    const known = this.#logEnd();
    if (commit !== undefined) await storage.append(commit, known);
    if (file !== undefined) await storage.replace(file, known);
    if (commit !== undefined || file !== undefined) this.#torn = 0;
  }

  /** The change before it is stored, and so a failure here is none of its: the next change tries again. */
  async #compactIfPays(storage: VaultStorage): Promise<void> {
    if (!this.#ask((core) => core.wantsCompaction())) return;
    let prepared: Prepared | undefined;
    try {
      prepared = this.#ask((core) => core.prepareCompaction());
      await this.#keep(storage, prepared);
    } catch {
      prepared?.free();
      return;
    }
    const kept = prepared;
    this.#ask((core) => core.apply(kept));
  }

  async #remember(): Promise<void> {
    if (this.#heads === undefined) return;
    const known = this.knownHead;
    for (const place of this.#storage.places) await this.#heads.remember(known.head.vault_id, place, known);
  }

  #logEnd(): LogEnd {
    return { ...this.#ask((core) => core.logEnd()), torn: this.#torn };
  }

  async #reduce(prepare: (core: CoreVault) => CoreRevocation, options: Abortable): Promise<RevocationReport> {
    let report = "";
    await this.#write((core) => {
      const revocation = prepare(core);
      return freeing(revocation, () => {
        report = revocation.report();
        const prepared = revocation.takePrepared();
        if (prepared === undefined) throw new VaultError("internal", "a revocation has something to store");
        return prepared;
      });
    }, options);
    return JSON.parse(report) as RevocationReport;
  }

  async #withPassphrase(
    { passphrase, cost }: { readonly passphrase: string; readonly cost?: KdfCost | undefined },
    options: Abortable,
    prepare: (core: CoreVault, stretched: Uint8Array, cost: string) => Prepared,
  ): Promise<void> {
    const costs = costOf(cost);
    const stretched = await stretch(passphrase, costs, options.signal);
    try {
      await this.#write((core) => prepare(core, stretched, JSON.stringify(costs)), options);
    } finally {
      stretched.fill(0);
    }
  }
}

/** The bytes of a storage on their way to an open vault. */
class Opener {
  readonly #storage: VaultStorage;
  readonly #options: OpenOptions;

  private constructor(storage: VaultStorage, options: OpenOptions) {
    this.#storage = storage;
    this.#options = options;
  }

  static async of(storage: VaultStorage, options: OpenOptions): Promise<Opener> {
    if ((options.passphrase === undefined) === (options.identity === undefined)) {
      throw new VaultError("invalid_argument", "a vault opens by a passphrase or by an identity: give one");
    }
    return new Opener(storage, options);
  }

  async open(): Promise<Vault> {
    const file = await this.#storage.read(this.#options.signal);
    const opening = await this.#opening(call((core) => core.identify(file)));
    const answer = await this.#perform("open", file, opening);
    const vault = Vault.attach(answer, this.#storage, this.#options);
    try {
      await this.#remember(vault, this.#storage, opening.accept === true);
    } catch (error) {
      vault.lock();
      throw error;
    }
    return vault;
  }

  async repair(out: VaultStorage, unsigned: boolean): Promise<Repaired> {
    const file = await this.#storage.read(this.#options.signal);
    const opening = await this.#opening(call((core) => core.identifyDamaged(file)));
    const answer = await this.#perform("repair", file, { ...opening, unsigned });
    await out.create(answer.bytes.slice());
    const vault = Vault.attach(answer, out, this.#options);
    // It is stored: a witness that is missing is no failure of it. What was seen of a former vault at this
    // place is none.
    await this.#remember(vault, out, true).catch(() => undefined);
    return { vault, report: JSON.parse(answer.report ?? "{}") as RepairReport };
  }

  /** What the vault is expected to be, with the heads that this client has seen of it. */
  async #opening(vaultId: string | undefined): Promise<Opening> {
    const { passphrase, grant, known, accept, tolerant, memoryKibMax } = this.#options;
    const heads = headsOf(this.#storage, this.#options);
    const seen =
      known !== undefined
        ? [known]
        : heads === undefined || vaultId === undefined
          ? []
          : await Promise.all(this.#storage.places.map((place) => heads.get(vaultId, place)));
    return {
      by: passphrase === undefined ? "identity" : "passphrase",
      ...(grant !== undefined && { grant }),
      ...(this.#options.vaultId !== undefined && { vaultId: this.#options.vaultId }),
      known: seen.filter((known) => known !== undefined),
      ...(accept !== undefined && { accept }),
      ...(tolerant !== undefined && { tolerant }),
      ...(memoryKibMax !== undefined && { memoryKibMax }),
    };
  }

  async #perform(kind: "open" | "repair", file: Uint8Array, opening: Opening): Promise<Answer> {
    const { passphrase, identity = "", signal } = this.#options;
    const secret = passphrase === undefined ? identityBytes(identity) : utf8(passphrase);
    const job: Job = { kind, file, secret, opening: JSON.stringify(opening) };
    const isShort = passphrase === undefined && file.length < WORKER_FILE_LEN;
    return isShort ? call(() => perform(job)) : await inWorker(job, signal);
  }

  async #remember(vault: Vault, storage: VaultStorage, forget: boolean): Promise<void> {
    const heads = headsOf(storage, this.#options);
    if (heads === undefined) return;
    const known = vault.knownHead;
    for (const place of storage.places) {
      // Taken on purpose: what was seen before no longer counts.
      if (forget) await heads.forget(known.head.vault_id, place);
      await heads.remember(known.head.vault_id, place, known);
    }
  }
}

function headsOf(storage: VaultStorage, options: HostOptions): KnownHeads | undefined {
  return options.heads === undefined ? storage.heads : (options.heads ?? undefined);
}

function resolveRequest(action: ActionInput, { tokens = {}, signal, ...options }: RunOptions) {
  return ready().then(() => resolve(action, tokens, options, signal));
}

function createPlan(core: CoreVault, connector: NewConnector, options: ActionOptions): CorePlan {
  const { id, name, type, properties = {} } = connector;
  const text = utf8(typeof properties === "string" ? properties : JSON.stringify(properties));
  try {
    return core.planCreate(id, name, type, text, optionsText(options));
  } finally {
    text.fill(0);
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
    resource.free();
  }
}

/** The options that the module knows. */
function optionsText(options: ActionOptions & Abortable): string {
  return JSON.stringify({ ...options, signal: undefined });
}

function costOf(cost: KdfCost | undefined): KdfCost {
  return cost ?? (JSON.parse(call((core) => core.defaultCost())) as KdfCost);
}

function identityBytes(identity: Identity | string): Uint8Array {
  return utf8(typeof identity === "string" ? identity : identity.toText());
}

async function stretch(passphrase: string, cost: KdfCost, signal: AbortSignal | undefined) {
  const job: Job = { kind: "stretch", passphrase: utf8(passphrase), cost: JSON.stringify(cost) };
  return (await inWorker(job, signal)).bytes;
}

async function inWorker(job: Job, signal: AbortSignal | undefined): Promise<Answer> {
  const { module, worker } = await moduleForWorker();
  try {
    return await runJob(module, job, worker, signal);
  } catch (error) {
    throw asVaultError(error);
  } finally {
    // Moved to the worker, they are empty here; else they are wiped.
    for (const buffer of buffersOf(job)) if (buffer.byteLength > 0) new Uint8Array(buffer).fill(0);
  }
}

async function bytesOf(source: VaultStorage | Uint8Array, signal?: AbortSignal): Promise<Uint8Array> {
  return source instanceof Uint8Array ? source : await source.read(signal);
}

function first(outcomes: readonly Outcome[]): Outcome {
  const [outcome] = outcomes;
  if (outcome === undefined) throw new VaultError("internal", "one plan has one outcome");
  return outcome;
}

/** A random part of a time that doubles, in milliseconds, so that those who wait do not go on together. */
function pause(conflicts: number): Promise<void> {
  const most = Math.min(2 ** conflicts, 500);
  return new Promise((done) => setTimeout(done, Math.random() * most));
}
