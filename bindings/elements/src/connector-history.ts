/** `<connector-history>`: the versions of a connector, compared and restored. */

import type { Outcome, Overview, Vault } from "connector-vault";
import { LitElement, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";

import { compare, comparisonTemplate, neighbour, type Comparison } from "./history/comparison.js";
import { Restoring } from "./history/restoring.js";
import { historySheet } from "./history/sheet.js";
import { valuesTemplate } from "./history/values.js";
import { versionTemplate, type Panel } from "./history/version.js";
import { languageOf } from "./history/when.js";
import { changesSheet } from "./plan/changes.js";
import { problemAbout, problemTemplate, type Problem } from "./problem.js";
import { Reveal, secretValueSheet } from "./secret-value.js";
import { TextsController } from "./texts.js";
import { theme } from "./theme.js";
import "./update-plan.js";
import { VaultWatch } from "./vault-watch.js";

/** How many versions are shown at first, and how many more at a time. */
const PAGE = 50;

/** The user wants a former version back. Prevent it to do that in another way. */
export class RestoreEvent extends Event {
  readonly connectorId: string;
  readonly version: number;

  constructor(connectorId: string, version: number) {
    super("restore", { bubbles: true, composed: true, cancelable: true });
    this.connectorId = connectorId;
    this.version = version;
  }
}

/** A former version was restored. */
export class RestoredEvent extends Event {
  readonly connectorId: string;
  readonly version: number;
  readonly outcome: Outcome;

  constructor(connectorId: string, version: number, outcome: Outcome) {
    super("restored", { bubbles: true, composed: true });
    this.connectorId = connectorId;
    this.version = version;
    this.outcome = outcome;
  }
}

/** What is open below a version. */
type Open = { readonly version: number } & (
  | { readonly panel: "compare"; readonly comparison: Comparison }
  | { readonly panel: "values" }
  | { readonly panel: "restore"; readonly restoring: Restoring }
);

/**
 * The kept versions of a connector, newest first: what happened, who, when, and which names. Two versions are
 * compared without their values, which the user may reveal one property at a time; a former version is restored
 * after a look at what that would change.
 *
 * @fires restore - The user confirmed to restore `event.version`. Cancelable.
 * @fires restored - It was restored; `event.outcome` is the report.
 * @csspart version - One version.
 * @csspart number - Which one it is.
 * @csspart present - Marks the newest.
 * @csspart name - A property's name.
 * @csspart note - A version's note.
 * @csspart button - Opens and closes something below a version.
 * @csspart panel - What is open.
 * @csspart older - The button for older versions.
 * @csspart error - Why something cannot be done.
 */
@customElement("connector-history")
export class ConnectorHistory extends LitElement {
  static override styles = [theme, changesSheet, secretValueSheet, historySheet];

  /** The vault of the connector. */
  @property({ attribute: false }) vault?: Vault | undefined;

  /** The connector's id. */
  @property({ attribute: "connector-id" }) connectorId?: string | undefined;

  /** Newest first, or why there are none. */
  @state() private _versions: readonly Overview[] | Problem = [];
  @state() private _count = PAGE;
  @state() private _open: Open | undefined;
  /** What was done last. */
  @state() private _done = "";

  readonly #texts = new TextsController(this);
  readonly #reveal = new Reveal(this);

  constructor() {
    super();
    new VaultWatch(this, {
      changed: () => this.#load(),
      gone: () => this.#clear(),
    });
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("connectorId") || !this.isConnected) return;
    this.#clear();
    this.#load();
  }

  protected override render(): TemplateResult {
    const texts = this.#texts.history;
    const { vault, _versions: versions } = this;
    return html`<div class="history">
      <p role="status" class=${this._done === "" ? "visually-hidden" : "done"}>${this._done}</p>
      ${vault?.isLocked === true ? html`<p class="muted">${texts.locked}</p>` : nothing}
      ${"message" in versions ? problemTemplate(versions) : nothing}
      ${
        vault === undefined || "message" in versions || versions.length === 0
          ? nothing
          : this.#list(vault, versions)
      }
    </div>`;
  }

  #list(vault: Vault, versions: readonly Overview[]): TemplateResult {
    const texts = this.#texts.history;
    const language = languageOf(this);
    const rest = versions.length - this._count;
    const version = (overview: Overview, index: number): TemplateResult => {
      const open = this._open?.version === overview.version ? this._open : undefined;
      return versionTemplate(texts, overview, {
        isPresent: index === 0,
        panels: [
          ...(versions.length > 1 ? (["compare"] as const) : []),
          "values",
          ...(index > 0 ? (["restore"] as const) : []),
        ],
        open: open?.panel,
        content: open === undefined ? nothing : this.#panel(vault, versions, overview, open),
        language,
        toggle: (panel) => this.#toggle(vault, overview, panel),
      });
    };
    return html`<ol class="versions" part="versions" role="list" tabindex="-1" aria-label=${texts.label}>
        ${repeat(versions.slice(0, this._count), ({ version }) => version, version)}
      </ol>
      ${
        rest > 0
          ? html`<button type="button" class="older" part="older" @click=${() => this.#showOlder()}>
              ${texts.older(rest)}
            </button>`
          : nothing
      }`;
  }

  #panel(vault: Vault, versions: readonly Overview[], overview: Overview, open: Open): TemplateResult {
    const { version } = overview;
    if (open.panel === "values") return valuesTemplate(this.#texts, overview, vault, this.#reveal);
    if (open.panel === "restore") return this.#confirmation(vault, open.restoring);
    return comparisonTemplate(this.#texts, open.comparison, {
      vault,
      reveal: this.#reveal,
      version,
      versions: versions.map(({ version }) => version),
      choose: (other) => {
        this.#reveal.hide();
        this._open = { version, panel: "compare", comparison: compare(vault, overview.id, version, other) };
      },
    });
  }

  #confirmation(vault: Vault, restoring: Restoring): TemplateResult {
    const texts = this.#texts.history;
    const { plan, problem, version, isBusy } = restoring;
    return html`${plan === undefined ? nothing : html`<update-plan .vault=${vault} .plan=${plan}></update-plan>`}
      ${problem === undefined ? nothing : problemTemplate(problem)}
      <div class="confirm">
        ${
          plan === undefined
            ? nothing
            : html`<button
                type="button"
                class="primary"
                ?disabled=${plan.isUnchanged}
                aria-disabled=${isBusy}
                @click=${() => void this.#restore(restoring)}
              >
                ${texts.confirm(plan.outcome.versionAfter)}
              </button>`
        }
        <button type="button" @click=${() => this.#cancel(version)}>${texts.cancel}</button>
      </div>`;
  }

  #toggle(vault: Vault, { id, version }: Overview, panel: Panel): void {
    const isOpen = this._open?.version === version && this._open.panel === panel;
    this.#close();
    this._done = "";
    if (isOpen) return;
    if (panel === "values") this._open = { version, panel };
    if (panel === "restore")
      this._open = { version, panel, restoring: new Restoring(this, vault, id, version) };
    const other = neighbour(version, this.#numbers());
    if (panel === "compare" && other !== undefined) {
      this._open = { version, panel, comparison: compare(vault, id, version, other) };
    }
  }

  async #restore(restoring: Restoring): Promise<void> {
    const { id, version } = restoring;
    if (restoring.isBusy) return;
    if (!this.dispatchEvent(new RestoreEvent(id, version))) return this.#cancel(version);
    const outcome = await restoring.commit();
    if (outcome === undefined) return;
    if (this._open?.panel === "restore" && this._open.restoring === restoring) {
      this.#close();
      this._done = this.#texts.history.restored(version, outcome.versionAfter);
      await this.updateComplete;
      // The button that had the focus is gone.
      this.renderRoot.querySelector<HTMLElement>(".versions")?.focus();
    }
    this.dispatchEvent(new RestoredEvent(id, version, outcome));
  }

  #cancel(version: number): void {
    this.#close();
    this.#button(version, '[data-panel="restore"]')?.focus();
  }

  #showOlder(): void {
    const first = this.#numbers()[this._count];
    this._count += PAGE;
    // The user goes on where the list went on.
    void this.updateComplete.then(() => first !== undefined && this.#button(first, "button")?.focus());
  }

  #button(version: number, selector: string): HTMLElement | null {
    return this.renderRoot.querySelector(`[data-version="${version}"] ${selector}`);
  }

  #numbers(): number[] {
    return "message" in this._versions ? [] : this._versions.map(({ version }) => version);
  }

  #load(): void {
    const { vault, connectorId } = this;
    this.#reveal.hide();
    if (vault === undefined || connectorId === undefined || vault.isLocked) return;
    try {
      this._versions = vault.history(connectorId).reverse();
    } catch (error) {
      this._versions = problemAbout(error, vault);
    }
    const open = this._open;
    if (open?.panel === "restore") void open.restoring.replan();
    const kept = this.#numbers();
    if (open !== undefined && !kept.includes(open.version)) return this.#close();
    if (open?.panel !== "compare") return;
    const { from, to } = open.comparison;
    if (!kept.includes(from) || !kept.includes(to)) return this.#close();
    this._open = { ...open, comparison: compare(vault, connectorId, from, to) };
  }

  #close(): void {
    this.#reveal.hide();
    if (this._open?.panel === "restore") this._open.restoring.end();
    this._open = undefined;
  }

  #clear(): void {
    this.#close();
    this._versions = [];
    this._count = PAGE;
    this._done = "";
  }
}

declare global {
  interface HTMLElementEventMap {
    restore: RestoreEvent;
    restored: RestoredEvent;
  }
  interface HTMLElementTagNameMap {
    "connector-history": ConnectorHistory;
  }
}
