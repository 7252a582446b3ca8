/**
 * The connectors of a vault as a list that can be searched. A page never waits for it: overviews are loaded
 * some at a time, and with each change of the vault again.
 */

import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { DamagedConnector, Overview, Vault } from "connector-vault";

/**
 * Follows a vault for an element, which is rendered again whenever the list has changed.
 *
 * While the list is loaded for the first time, what is there already is shown. While it is loaded again
 * after a change, the former list stays. When the vault is locked, it is empty.
 *
 * @example
 * ```ts
 * class MyList extends LitElement {
 *   @property({ attribute: false }) vault?: Vault | undefined;
 *   readonly #list = new ConnectorList(this);
 *
 *   override willUpdate() {
 *     this.#list.vault = this.vault;
 *   }
 *
 *   override render() {
 *     const { found, size } = this.#list;
 *     return html`
 *       <input type="search" @input=${(event) => (this.#list.query = event.target.value)} />
 *       <p>${found.length} of ${size}</p>
 *       <ul>${found.slice(0, 20).map(({ name }) => html`<li>${name}</li>`)}</ul>
 *     `;
 *   }
 * }
 * ```
 */
export class ConnectorList implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  #vault: Vault | undefined;
  #entries: Entry[] = [];
  /** The same by their ids, as soon as somebody asks. */
  #byId: ReadonlyMap<string, Overview> | undefined;
  /** What the vault was asked for last, while the list was not complete. */
  #asked: { readonly id: string; readonly overview: Overview | undefined } | undefined;
  #query = "";
  #found: readonly Overview[] = [];
  #damaged: readonly DamagedConnector[] = [];
  #error: unknown;
  #isConnected = false;
  /** Ends the following of a vault. */
  #following: AbortController | undefined;
  #isLoading = false;
  #isOutdated = false;

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  /** The vault whose connectors are listed. */
  get vault(): Vault | undefined {
    return this.#vault;
  }

  set vault(vault: Vault | undefined) {
    if (vault === this.#vault) return;
    this.#vault = vault;
    this.#take([]);
    if (this.#isConnected) this.#follow();
  }

  /**
   * What is looked for in ids, names and types: every word must be there, in any case. What begins with
   * all of it comes first. Empty: everything is found.
   */
  get query(): string {
    return this.#query;
  }

  set query(query: string) {
    if (query === this.#query) return;
    this.#query = query;
    this.#search();
  }

  /** What was found: by name, save for what fits best. The same array until that changes. */
  get found(): readonly Overview[] {
    return this.#found;
  }

  /** How many connectors are in the list, found or not. */
  get size(): number {
    return this.#entries.length;
  }

  /**
   * The connector with an id, found or not. As long as the list is loaded, the vault is asked, once: for an id
   * that it does not have, it looks through all connectors for one that is nearly the same.
   */
  connector(id: string): Overview | undefined {
    if (!this.#isConnected) return connectorIn(this.#vault, id);
    if (this.#isLoading || this.#error !== undefined) {
      if (this.#asked?.id !== id) this.#asked = { id, overview: connectorIn(this.#vault, id) };
      return this.#asked.overview;
    }
    this.#byId ??= new Map(this.#entries.map(({ overview }) => [overview.id, overview]));
    return this.#byId.get(id);
  }

  /** The connectors that do not open: none of them is found. */
  get damaged(): readonly DamagedConnector[] {
    return this.#damaged;
  }

  /** Whether the list is being loaded, for the first time or again. */
  get isLoading(): boolean {
    return this.#isLoading;
  }

  /** Why the list could not be loaded. */
  get error(): unknown {
    return this.#error;
  }

  hostConnected(): void {
    this.#isConnected = true;
    this.#follow();
  }

  hostDisconnected(): void {
    this.#isConnected = false;
    this.#unfollow();
  }

  /** Whatever happened to the vault before: it may have changed, or be locked. */
  #follow(): void {
    this.#unfollow();
    this.#error = undefined;
    this.#asked = undefined;
    const vault = this.#vault;
    this.#damaged = [];
    if (vault === undefined || vault.isLocked) {
      this.#take([]);
      return;
    }
    this.#following = new AbortController();
    const { signal } = this.#following;
    const changed = () => {
      this.#isOutdated = true;
      this.#asked = undefined;
      void this.#keepUp(vault, signal, SETTLE_MS);
    };
    vault.addEventListener("change", changed, { signal });
    vault.addEventListener("lock", () => this.#follow(), { signal });
    this.#isOutdated = true;
    void this.#keepUp(vault, signal);
  }

  #unfollow(): void {
    this.#following?.abort();
    this.#isLoading = false;
    this.#isOutdated = false;
  }

  /** Loads until nothing has changed meanwhile. */
  async #keepUp(vault: Vault, signal: AbortSignal, delay = 0): Promise<void> {
    if (this.#isLoading) return;
    this.#isLoading = true;
    // Changes seldom come alone: those that come together are loaded together.
    if (delay > 0) await new Promise((done) => setTimeout(done, delay));
    while (this.#isOutdated && !signal.aborted) {
      this.#isOutdated = false;
      await this.#load(vault, signal);
    }
    if (signal.aborted) return;
    this.#isLoading = false;
    this.#host.requestUpdate();
  }

  async #load(vault: Vault, signal: AbortSignal): Promise<void> {
    const isFirst = this.#entries.length === 0;
    const entries: Entry[] = [];
    const damaged: DamagedConnector[] = [];
    this.#host.requestUpdate();
    try {
      let count = FIRST_PART;
      let from: string | undefined;
      while (true) {
        const began = performance.now();
        const part = vault.list({ from, count });
        for (const overview of part.connectors) entries.push(new Entry(overview));
        damaged.push(...part.damaged);
        from = part.next;
        if (from === undefined) break;
        count = nextCount(count, performance.now() - began);
        if (isFirst) this.#take(entries);
        await turn();
        if (signal.aborted) return;
      }
      this.#error = undefined;
      this.#damaged = damaged;
      this.#take(entries);
    } catch (error) {
      this.#error = error;
    }
  }

  #take(entries: readonly Entry[]): void {
    this.#entries = entries.toSorted((one, other) => (one.order < other.order ? -1 : 1));
    this.#byId = undefined;
    this.#search();
  }

  /** A millisecond or two for 10,000 connectors, so it is done at once. */
  #search(): void {
    const query = comparable(this.#query.trim());
    const words = wordsOf(query);
    const ranked: [Overview[], Overview[], Overview[]] = [[], [], []];
    for (const entry of this.#entries) {
      if (entry.has(words)) ranked[words.length === 0 ? 2 : entry.rank(query)].push(entry.overview);
    }
    this.#found = ranked.flat();
    this.#host.requestUpdate();
  }
}

/** The connector of a vault with an id; nothing if there is none, or the vault is not open. */
export function connectorIn(vault: Vault | undefined, id: string): Overview | undefined {
  if (id === "" || vault?.isLocked !== false) return undefined;
  try {
    return vault.connector(id);
  } catch {
    // There is none, or it can be no id.
    return undefined;
  }
}

/** How the case and form of letters do not matter. */
export function comparable(text: string): string {
  return text.normalize("NFC").toLowerCase();
}

/** What of a query has to be there. */
export function wordsOf(query: string): readonly string[] {
  return comparable(query)
    .split(/\s+/u)
    .filter((word) => word !== "");
}

/** A connector with what is searched of it. */
class Entry {
  readonly overview: Overview;
  /** Id, name and type, each on a line, so that no word is found across two of them. */
  readonly #text: string;
  readonly #nameAt: number;
  /** By name, then by id. */
  readonly order: string;

  constructor(overview: Overview) {
    this.overview = overview;
    const { id, name, type } = overview;
    this.#text = comparable(`${id}\n${name}\n${type}\n`);
    this.#nameAt = this.#text.indexOf("\n") + 1;
    this.order = `${comparable(name)}\n${id}`;
  }

  has(words: readonly string[]): boolean {
    return words.every((word) => this.#text.includes(word));
  }

  /** 0 if the id or the name is exactly this, 1 if one begins with it, otherwise 2. */
  rank(query: string): 0 | 1 | 2 {
    let rank: 0 | 1 | 2 = 2;
    for (const at of [0, this.#nameAt]) {
      if (!this.#text.startsWith(query, at)) continue;
      if (this.#text[at + query.length] === "\n") return 0;
      rank = 1;
    }
    return rank;
  }
}

/** How long changes are waited for that come together. */
const SETTLE_MS = 30;
/** What one part may take, a fraction of the 50 ms that people notice: it is rendered in the same task. */
const PART_MS = 8;
const FIRST_PART = 100;

/** As many as this machine loads in the time of a part. */
function nextCount(count: number, milliseconds: number): number {
  const fitting = (count * PART_MS) / Math.max(milliseconds, 0.1);
  return Math.round(Math.min(Math.max(fitting, 50), 2 * count, 1000));
}

/** Lets the page do what waits: input, frames. */
async function turn(): Promise<void> {
  const { scheduler } = globalThis as { readonly scheduler?: { yield?(): Promise<void> } };
  if (scheduler?.yield === undefined) await new Promise((done) => setTimeout(done));
  else await scheduler.yield();
}
