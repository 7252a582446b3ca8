/** `<connectors-view>`: all connectors of a vault, found by name, id and type. */

import { LitElement, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { ConnectorList } from "connector-vault-elements/connector-list.js";
import { problemOf, problemTemplate, type Problem } from "connector-vault-elements/problem.js";
import { VirtualRows, placed, rem, type Row } from "connector-vault-elements/virtual-rows.js";

import type { DamagedConnector } from "connector-vault";

import { NavigateEvent } from "../navigation.js";
import type { Session } from "../session.js";
import { sheet, theme } from "../ui/sheet.js";
import { timeText } from "../ui/time.js";
import { listSheet } from "./list-sheet.js";
import { listStateOf } from "./list-state.js";

/** Where rows have two lines. */
const NARROW = matchMedia("(max-width: 800px)");

@customElement("connectors-view")
export class ConnectorsView extends LitElement {
  static override styles = [theme, sheet, listSheet];

  @property({ attribute: false }) session?: Session | undefined;
  /** The row that the keyboard is at. */
  @state() private active = 0;
  @query("#search") private search!: HTMLInputElement;
  @query(".columns") private columns!: HTMLElement | null;
  @query(".scroller") private scroller!: HTMLElement | null;
  readonly #list = new ConnectorList(this);
  readonly #rows = new VirtualRows(this, {
    scroller: () => this.scroller,
    rowHeight: () => rem(NARROW.matches ? 4 : 2.875),
  });
  /** The row to find again is not loaded yet. */
  #isReturning = true;

  override connectedCallback(): void {
    super.connectedCallback();
    NARROW.addEventListener("change", this.#resized);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    NARROW.removeEventListener("change", this.#resized);
  }

  override willUpdate(changed: PropertyValues<this>): void {
    const { session } = this;
    this.#list.vault = session?.vault;
    if (changed.has("session") && session !== undefined) this.#list.query = listStateOf(session).query;
    this.#findAgain();
    this.active = Math.max(0, Math.min(this.active, this.#list.found.length - 1));
  }

  protected override updated(): void {
    // As wide as the rows, beside which there may be a scroll bar.
    const { scroller } = this;
    if (scroller === null) return;
    this.columns?.style.setProperty("margin-inline-end", `${scroller.offsetWidth - scroller.clientWidth}px`);
  }

  override render() {
    const { found, size, isLoading, query, damaged, error } = this.#list;
    const isEmpty = size === 0 && !isLoading && damaged.length === 0 && error === undefined;
    return html`<div class="head">
        <h1 tabindex="-1">Connectors</h1>
        <button type="button" class="primary" @click=${() => this.#go({ view: "create" })}>
          New connector
        </button>
      </div>
      ${error === undefined ? nothing : problemTemplate(problemOf(error))}
      ${damaged.length === 0 ? nothing : problemTemplate(damageOf(damaged))}
      ${isEmpty ? this.#emptyVault() : this.#searchable(found.length, size)}
      ${
        isEmpty || found.length > 0 || isLoading
          ? nothing
          : html`<div class="card empty">
              <p>Nothing has <strong>${query}</strong> in its name, id or type.</p>
              <button type="button" @click=${() => this.#find("")}>Show all</button>
            </div>`
      }`;
  }

  #emptyVault(): TemplateResult {
    return html`<div class="card empty">
      <h2>There are no connectors yet</h2>
      <p class="muted">
        A connector has an id that workflows refer to, a name, a type, and properties such as
        <code>APIKey</code>.
      </p>
      <button type="button" class="primary" @click=${() => this.#go({ view: "create" })}>
        Create the first connector
      </button>
    </div>`;
  }

  #searchable(found: number, size: number): TemplateResult {
    return html`<div class="search">
        <label class="visually-hidden" for="search">Search connectors by name, id or type</label>
        <input
          id="search"
          type="search"
          autocomplete="off"
          autocapitalize="none"
          spellcheck="false"
          placeholder="Search by name, id or type"
          .value=${this.#list.query}
          @input=${() => this.#find(this.search.value)}
          @keydown=${this.#searchKey}
        />
        <p class="muted count" role="status">${countText(found, size)}</p>
      </div>
      ${found === 0 ? nothing : this.#table()}`;
  }

  #table(): TemplateResult {
    const { found } = this.#list;
    this.#rows.count = found.length;
    this.#rows.kept = this.active;
    return html`<div class="list">
      <div class="columns" aria-hidden="true">
        <span>Name</span><span>Id</span><span>Type</span><span>Version</span><span>Changed</span>
      </div>
      <div
        class="scroller"
        role="listbox"
        tabindex="0"
        aria-label="Connectors"
        aria-activedescendant=${`row-${this.active}`}
        @keydown=${this.#listKey}
      >
        <div class="rows" role="presentation" ${placed({ height: this.#rows.height })}>
          ${repeat(
            this.#rows.rows,
            ({ index }) => found[index]?.id,
            (row) => this.#row(row),
          )}
        </div>
      </div>
    </div>`;
  }

  #row(row: Row): TemplateResult | typeof nothing {
    const { found } = this.#list;
    const connector = found[row.index];
    if (connector === undefined) return nothing;
    const { id, name, type, version, at } = connector;
    return html`<div
      id=${`row-${row.index}`}
      class="item"
      role="option"
      aria-selected=${row.index === this.active}
      aria-setsize=${found.length}
      aria-posinset=${row.index + 1}
      ${placed(row)}
      @click=${() => this.#open(row.index)}
    >
      <span class="name">${name}</span>
      <span class="id mono">${id}</span>
      <span class="type">${type}</span>
      <span class="version"><span class="said">version </span>${version}</span>
      <span class="when">${timeText(at)}</span>
    </div>`;
  }

  #find(query: string): void {
    this.#list.query = query;
    this.active = 0;
    if (this.session !== undefined) listStateOf(this.session).query = query;
    if (this.search.value !== query) this.search.value = query;
    this.scroller?.scrollTo(0, 0);
    if (query === "") this.search.focus();
  }

  /** Makes the row active that was opened before. */
  #findAgain(): void {
    const { session } = this;
    if (!this.#isReturning || session === undefined) return;
    const { id } = listStateOf(session);
    const index = this.#list.found.findIndex((connector) => connector.id === id);
    if (index < 0) {
      if (!this.#list.isLoading && this.hasUpdated) this.#isReturning = false;
      return;
    }
    this.#isReturning = false;
    this.active = index;
    void this.updateComplete.then(() => this.#rows.scrollToIndex(index, "center"));
  }

  #move(to: number): void {
    this.active = Math.max(0, Math.min(to, this.#list.found.length - 1));
    this.#rows.scrollToIndex(this.active);
  }

  #open(index: number): void {
    const { session } = this;
    const connector = this.#list.found[index];
    if (session === undefined || connector === undefined) return;
    listStateOf(session).id = connector.id;
    this.#go({ view: "connector", id: connector.id });
  }

  #go(route: NavigateEvent["route"]): void {
    this.dispatchEvent(new NavigateEvent(route));
  }

  readonly #searchKey = (event: KeyboardEvent): void => {
    if (event.isComposing) return;
    if (event.key === "ArrowDown") this.scroller?.focus();
    else if (event.key === "Enter") this.#open(this.active);
    else if (event.key === "Escape" && this.#list.query !== "") this.#find("");
    else return;
    event.preventDefault();
  };

  readonly #listKey = (event: KeyboardEvent): void => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const { active } = this;
    const page = this.#rows.perPage;
    const to: Readonly<Record<string, number>> = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: active + page,
      PageUp: active - page,
      Home: 0,
      End: this.#list.found.length - 1,
    };
    const target = to[event.key];
    if (target !== undefined) this.#move(target);
    else if (event.key === "Enter" || event.key === " ") this.#open(active);
    else {
      // Whoever types searches: the key goes to where the focus is by then.
      if (event.key.length === 1) this.search.focus();
      return;
    }
    event.preventDefault();
  };

  readonly #resized = (): void => this.requestUpdate();
}

/** How many damaged connectors are told one by one. */
const DAMAGED_TOLD = 5;

/** What the page says of connectors that do not open. */
function damageOf(damaged: readonly DamagedConnector[]): Problem {
  const told = damaged.slice(0, DAMAGED_TOLD).map(({ message }) => message);
  const more = damaged.length - told.length;
  if (more > 0) told.push(`and ${more.toLocaleString()} more`);
  return {
    code: "damaged",
    message: told.join("; "),
    hint: "`cvault repair` saves into a new file what is intact; all other connectors work as ever",
  };
}

function countText(found: number, size: number): string {
  const all = size === 1 ? "1 connector" : `${size.toLocaleString()} connectors`;
  return found === size ? all : `${found.toLocaleString()} of ${all}`;
}

declare global {
  interface HTMLElementTagNameMap {
    "connectors-view": ConnectorsView;
  }
}
