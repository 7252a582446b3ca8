/** `<connector-view>`: one connector: what it is, its properties, of which one at a time is revealed, and what can be done. */

import { LitElement, html, nothing, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { problemAbout, problemOf, problemTemplate, type Problem } from "connector-vault-elements/problem.js";
import type { Overview } from "connector-vault";

import { COPIED_TEXT, copySecret } from "../clipboard.js";
import { NavigateEvent, type Route } from "../navigation.js";
import { NoticeEvent } from "../notice.js";
import type { Session } from "../session.js";
import { sheet, theme } from "../ui/sheet.js";
import { timeTemplate } from "../ui/time.js";
import { VaultWatch } from "../ui/vault-watch.js";
import { detailSheet } from "./detail-sheet.js";
import "../ui/copy-button.js";

/** How long a revealed value is shown. */
const REVEALED_MS = 30_000;

/** What is shown below a property. */
interface Beside {
  readonly name: string;
  readonly value?: string;
  readonly told?: string;
  readonly problem?: Problem;
}

@customElement("connector-view")
export class ConnectorView extends LitElement {
  static override styles = [theme, sheet, detailSheet];

  @property({ attribute: false }) session?: Session | undefined;
  @property({ attribute: false }) connectorId = "";
  @state() private beside: Beside | undefined;
  @state() private problem: Problem | undefined;
  @state() private isDeleting = false;
  @query("dialog") private dialog!: HTMLDialogElement | null;
  /** What was asked for last: what comes for another is too late. */
  #asked: object | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    new VaultWatch(this, { changed: () => this.#forget(), forget: () => this.#forget() });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#forget();
  }

  override render() {
    const vault = this.session?.vault;
    if (vault === undefined || vault.isLocked) return nothing;
    let connector: Overview;
    try {
      connector = vault.connector(this.connectorId);
    } catch (error) {
      // It is about to go elsewhere.
      if (this.isDeleting) return nothing;
      return this.#missing(problemAbout(error, vault));
    }
    return html`<article class="stack">
      <header class="stack">
        <div class="row spread">
          <h1 tabindex="-1">${connector.name}</h1>
          <div class="row">
            ${this.#way("Update", { view: "update", id: connector.id }, "primary")}
            ${this.#way("Edit", { view: "edit", id: connector.id })}
            ${this.#way("History", { view: "history", id: connector.id })}
            <button type="button" class="danger" @click=${() => this.dialog?.showModal()}>Delete</button>
          </div>
        </div>
        ${this.#facts(connector)}
      </header>
      <section class="card" aria-labelledby="properties">
        <h2 id="properties">Properties</h2>
        ${
          connector.properties.length === 0
            ? html`<p class="muted none">It has none yet. Edit it to add some.</p>`
            : html`<ul>
                ${connector.properties.map((name) => this.#property(name))}
              </ul>`
        }
      </section>
      ${this.#deletion(connector)}
    </article>`;
  }

  #missing(problem: Problem): TemplateResult {
    return html`<div class="stack">
      <h1 tabindex="-1">Connector</h1>
      ${problemTemplate(problem)}
      <div class="row">
        ${this.#way("History", { view: "history", id: this.connectorId })}
        ${this.#way("All connectors", { view: "connectors" })}
      </div>
    </div>`;
  }

  #facts({ id, type, version, at, author, note }: Overview): TemplateResult {
    return html`<dl>
      <div class="wide">
        <dt>Id</dt>
        <dd class="row"><code>${id}</code><copy-button .text=${() => id} what="the id"></copy-button></dd>
      </div>
      <div>
        <dt>Type</dt>
        <dd>${type}</dd>
      </div>
      <div>
        <dt>Version</dt>
        <dd>${version}</dd>
      </div>
      <div>
        <dt>Changed</dt>
        <dd><span>${timeTemplate(at)} by ${author}</span></dd>
      </div>
      ${
        note === undefined
          ? nothing
          : html`<div>
              <dt>Note</dt>
              <dd>${note}</dd>
            </div>`
      }
    </dl>`;
  }

  #property(name: string): TemplateResult {
    const beside = this.beside?.name === name ? this.beside : undefined;
    const isShown = beside?.value !== undefined;
    return html`<li>
      <span class="name">${name}</span>
      ${
        isShown
          ? html`<span class="value mono" tabindex="0" aria-label=${`Value of ${name}`} role="group"
              >${beside.value === "" ? html`<span class="muted">(empty)</span>` : beside.value}</span
            >`
          : html`<span class="value masked" aria-hidden="true">••••••••</span>`
      }
      <span class="buttons">
        <button
          type="button"
          class="quiet"
          aria-label=${`${isShown ? "Hide" : "Reveal"} ${name}`}
          @click=${() => (isShown ? this.#forget() : void this.#reveal(name))}
        >
          ${isShown ? "Hide" : "Reveal"}
        </button>
        <button
          type="button"
          class="quiet"
          aria-label=${`Copy ${name}`}
          @click=${() => void this.#copy(name)}
        >
          Copy
        </button>
      </span>
      <div class="told" role="status">
        ${beside?.told === undefined ? nothing : html`<p class="muted">${beside.told}</p>`}
      </div>
      ${beside?.problem === undefined ? nothing : html`<div class="told">${problemTemplate(beside.problem)}</div>`}
    </li>`;
  }

  #deletion({ id, name, version }: Overview): TemplateResult {
    return html`<dialog aria-labelledby="delete-title" @close=${() => (this.problem = undefined)}>
      <form method="dialog" class="stack">
        <h2 id="delete-title">Delete ${name}?</h2>
        <p>
          Workflows that refer to <code>${id}</code> fail from then on. Its versions stay in the history of
          this vault.
        </p>
        ${this.problem === undefined ? nothing : problemTemplate(this.problem)}
        <div class="row">
          <button type="submit" autofocus>Keep it</button>
          <button
            type="button"
            class="danger"
            aria-disabled=${this.isDeleting}
            @click=${() => void this.#delete(id, version)}
          >
            Delete ${name}
          </button>
        </div>
      </form>
    </dialog>`;
  }

  #way(text: string, route: Route, kind = ""): TemplateResult {
    return html`<button type="button" class=${kind} @click=${() => this.#go(route)}>${text}</button>`;
  }

  #go(route: Route): void {
    this.dispatchEvent(new NavigateEvent(route));
  }

  async #reveal(name: string): Promise<void> {
    await this.#withValue(name, async (value) => ({ name, value }));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#forget(), REVEALED_MS);
  }

  async #copy(name: string): Promise<void> {
    await this.#withValue(name, async (value) => {
      try {
        await copySecret(value);
        return { name, told: COPIED_TEXT };
      } catch {
        return { name, told: "The browser does not permit to copy: reveal it and copy it yourself." };
      }
    });
  }

  /** Reads one value for `use`, and shows what that makes of it. Whether it may be read, the core says. */
  async #withValue(name: string, use: (value: string) => Promise<Beside>): Promise<void> {
    this.#forget();
    const mine = (this.#asked = {});
    let beside: Beside;
    try {
      const value = await this.session?.vault.readProperty(this.connectorId, name);
      if (value === undefined) return;
      beside = await use(value);
    } catch (error) {
      beside = { name, problem: problemOf(error) };
    }
    if (this.#asked === mine) this.beside = beside;
  }

  async #delete(id: string, version: number): Promise<void> {
    if (this.isDeleting) return;
    this.isDeleting = true;
    this.problem = undefined;
    try {
      await this.session?.vault.deleteConnector(id, { ifVersion: version });
      this.dispatchEvent(new NoticeEvent(`${id} was deleted. Its versions are in the history.`));
      this.#go({ view: "connectors" });
    } catch (error) {
      this.problem = problemOf(error);
    } finally {
      this.isDeleting = false;
    }
  }

  #forget(): void {
    clearTimeout(this.#timer);
    this.#asked = this.beside = undefined;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "connector-view": ConnectorView;
  }
}
