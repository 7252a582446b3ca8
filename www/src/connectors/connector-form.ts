/** `<connector-form>`: a new connector, or other values for one that is there. Values are taken literally. */

import { LitElement, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { problemAbout, problemOf, problemTemplate, type Problem } from "connector-vault-elements/problem.js";
import type { CreateOptions, ErrorPlace, Outcome, Overview, Vault } from "connector-vault";

import { NavigateEvent } from "../navigation.js";
import { NoticeEvent } from "../notice.js";
import type { Session } from "../session.js";
import { sheet, theme } from "../ui/sheet.js";
import type { ValueField } from "../ui/value-field.js";
import { VaultWatch } from "../ui/vault-watch.js";
import { formSheet } from "./form-sheet.js";
import { gridOf, newRow, rowsOf, sentRows, textOf, type FormRow, type SentRow } from "./rows.js";
import "../ui/value-field.js";

/** What is wrong, and where it is shown. */
interface Failure {
  readonly problem: Problem;
  readonly row?: FormRow | undefined;
}

@customElement("connector-form")
export class ConnectorForm extends LitElement {
  static override styles = [theme, sheet, formSheet];

  @property({ attribute: false }) session?: Session | undefined;
  /** The connector to change; without it a new one is made. */
  @property({ attribute: false }) connectorId: string | undefined;
  @state() private rows: FormRow[] = [newRow()];
  /** The connector as the form was filled from it. */
  @state() private base: Overview | undefined;
  @state() private failure: Failure | undefined;
  @state() private isBusy = false;

  constructor() {
    super();
    new VaultWatch(this, { forget: () => this.#forget() });
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("session") || changed.has("connectorId")) this.#fill();
  }

  override render() {
    const vault = this.session?.vault;
    if (vault === undefined || vault.isLocked) return nothing;
    if (this.connectorId !== undefined && this.base === undefined) {
      return html`<h1 tabindex="-1">Edit connector</h1>
        ${this.failure === undefined ? nothing : problemTemplate(this.failure.problem)}`;
    }
    const { base } = this;
    return html`<form class="stack" autocomplete="off" @submit=${this.#submit}>
      <h1 tabindex="-1">${base === undefined ? "New connector" : `Edit ${base.name}`}</h1>
      ${base === undefined ? this.#identity() : this.#facts(base, vault)}
      <section class="card stack" aria-labelledby="properties">
        <div>
          <h2 id="properties">Properties</h2>
          <p class="muted">
            Values are taken as they are typed: brackets are no tokens here.
            ${base === undefined ? nothing : "What you do not touch keeps its value."}
          </p>
        </div>
        <ul>
          ${repeat(
            this.rows,
            ({ key }) => key,
            (row, index) => this.#row(row, index),
          )}
        </ul>
        <div><button id="add" type="button" @click=${this.#add}>Add a property</button></div>
      </section>
      <div class="field note">
        <label for="note">Note</label>
        <input id="note" autocomplete="off" placeholder="why, for the history" aria-describedby="note-hint" />
        <span id="note-hint" class="muted small"
          >Everybody who opens the vault can read it: write no secret.</span
        >
      </div>
      ${this.failure === undefined || this.failure.row !== undefined ? nothing : this.#problem(this.failure.problem)}
      <div class="row">
        <button class="primary" aria-disabled=${this.isBusy}>
          ${base === undefined ? "Create connector" : "Save changes"}
        </button>
        <button type="button" @click=${this.#leave}>Cancel</button>
        <span class="muted" role="status">${this.isBusy ? "Saving" : ""}</span>
      </div>
    </form>`;
  }

  #identity(): TemplateResult {
    return html`<section class="card identity" aria-label="Connector">
      <label>
        Name
        <input id="name" required autocomplete="off" placeholder="Twitter API" />
      </label>
      <label>
        Type
        <input id="type" required autocomplete="off" placeholder="Twitter" />
      </label>
      <div class="field wide">
        <label for="id">Id</label>
        <input
          id="id"
          class="mono"
          autocomplete="off"
          autocapitalize="none"
          spellcheck="false"
          placeholder="twitterConnectorId"
          aria-describedby="id-hint"
        />
        <span id="id-hint" class="muted small">
          What workflows refer to. It never changes. If you leave it empty, one is made.
        </span>
      </div>
    </section>`;
  }

  #facts(base: Overview, vault: Vault): TemplateResult {
    const present = presentOf(vault, base.id);
    return html`<p class="facts">
        <code>${base.id}</code><span class="muted">${base.type}, version ${base.version}</span>
      </p>
      ${
        present === undefined || present.version === base.version || this.isBusy
          ? nothing
          : html`<div class="card changed row spread" role="status">
              <span
                >${present.author} has changed it meanwhile: it is at version ${present.version}. What you
                typed is not lost.</span
              >
              <button type="button" @click=${() => this.#rebase(present)}>
                Go on with version ${present.version}
              </button>
            </div>`
      }`;
  }

  #row(row: FormRow, index: number): TemplateResult {
    const isWrong = this.failure?.row === row;
    const what = row.name === "" ? `property ${index + 1}` : row.name;
    return html`<li id=${`row-${row.key}`} class=${row.state}>
      ${
        row.isStored
          ? html`<span class="name">${row.name}</span>`
          : html`<input
              class="name"
              aria-label=${`Name of property ${index + 1}`}
              autocomplete="off"
              autocapitalize="none"
              spellcheck="false"
              placeholder="Name"
              .value=${row.name}
              aria-invalid=${isWrong ? "true" : nothing}
              @input=${(event: InputEvent) => {
                row.name = (event.currentTarget as HTMLInputElement).value;
                this.requestUpdate();
              }}
            />`
      }
      ${
        row.state === "written"
          ? html`<value-field
              data-key=${row.key}
              label=${`Value of ${what}`}
              ?invalid=${isWrong}
            ></value-field>`
          : html`<span class="muted kept">
              ${row.state === "removed" ? "will be removed" : html`<span aria-hidden="true">••••••••</span> kept`}
            </span>`
      }
      <span class="buttons">${this.#buttons(row, what)}</span>
      ${isWrong && this.failure !== undefined ? html`<div class="told">${this.#problem(this.failure.problem)}</div>` : nothing}
    </li>`;
  }

  #buttons(row: FormRow, what: string): TemplateResult {
    const button = (text: string, act: () => void) =>
      html`<button type="button" class="quiet" aria-label=${`${text} ${what}`} @click=${act}>
        ${text}
      </button>`;
    if (!row.isStored) return button("Remove", () => this.#drop(row));
    if (row.state !== "kept") return button("Keep", () => this.#set(row, "kept"));
    return html`${button("Change", () => void this.#change(row))}
    ${button("Remove", () => this.#set(row, "removed"))}`;
  }

  #problem(problem: Problem): TemplateResult {
    return html`<div class="stack">
      ${problemTemplate(problem)}
      ${
        problem.code === "mask_value"
          ? html`<div>
              <button type="button" @click=${() => void this.#save({ allowMask: true })}>
                It is the value: save it
              </button>
            </div>`
          : nothing
      }
    </div>`;
  }

  #fill(): void {
    const { session, connectorId } = this;
    this.base = this.failure = undefined;
    if (session === undefined || connectorId === undefined) return;
    try {
      this.base = session.vault.connector(connectorId);
      this.rows = rowsOf(this.base.properties);
    } catch (error) {
      this.failure = { problem: problemAbout(error, session.vault) };
    }
  }

  #rebase(present: Overview): void {
    this.base = present;
    this.rows = rowsOf(present.properties, this.rows);
    this.failure = undefined;
  }

  #set(row: FormRow, state: FormRow["state"]): void {
    this.#field(row)?.clear();
    row.state = state;
    this.requestUpdate();
    this.#focus(`#row-${row.key} .buttons button`);
  }

  #drop(row: FormRow): void {
    this.rows = this.rows.filter((other) => other !== row);
    this.#focus("#add");
  }

  /** Where the keyboard goes on when the button that was pressed is gone. */
  #focus(selector: string): void {
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>(selector)?.focus());
  }

  /** Begins with the present value. Who may not read it begins with an empty field. */
  async #change(row: FormRow): Promise<void> {
    row.state = "written";
    this.failure = undefined;
    this.requestUpdate();
    await this.updateComplete;
    const field = this.#field(row);
    await field?.updateComplete;
    field?.focus();
    try {
      const value = await this.session?.vault.readProperty(this.base?.id ?? "", row.name);
      // Whoever was faster keeps what they typed.
      if (value !== undefined && field?.value === "" && row.state === "written") field.value = value;
    } catch (error) {
      this.failure = { problem: problemOf(error), row };
    }
  }

  readonly #add = (): void => {
    this.rows = [...this.rows, newRow()];
    void this.updateComplete.then(() => {
      const names = this.renderRoot.querySelectorAll<HTMLInputElement>("input.name");
      names[names.length - 1]?.focus();
    });
  };

  readonly #submit = (event: Event): void => {
    event.preventDefault();
    void this.#save({});
  };

  async #save(options: { readonly allowMask?: boolean }): Promise<void> {
    const vault = this.session?.vault;
    if (vault === undefined || this.isBusy) return;
    this.isBusy = true;
    this.failure = undefined;
    const sent = sentRows(this.rows, (row) => this.#field(row)?.value ?? "");
    try {
      const note = this.#text("note");
      const noted = { ...options, ...(note !== "" && { note }) };
      const { base } = this;
      const outcome =
        base === undefined
          ? await this.#create(vault, sent, noted)
          : await vault.run(
              {
                ActionType: "Connectors.Update",
                Parameters: { EntryId: base.id, Properties: gridOf(sent) },
              },
              { ...noted, noTokens: true, null: "remove", ifVersion: base.version },
            );
      this.#forget();
      this.dispatchEvent(new NoticeEvent(noticeOf(outcome)));
      this.dispatchEvent(new NavigateEvent({ view: "connector", id: outcome.id }));
    } catch (error) {
      const { row } = (error as { readonly place?: ErrorPlace }).place ?? {};
      this.failure = {
        problem: problemAbout(error, vault),
        row: row === undefined ? undefined : sent[row - 1]?.row,
      };
      // Not otherwise: it is about to go elsewhere.
      this.isBusy = false;
    }
  }

  #create(vault: Vault, sent: readonly SentRow[], options: CreateOptions): Promise<Outcome> {
    const connector = {
      id: this.#text("id") || undefined,
      name: this.#text("name"),
      type: this.#text("type"),
      properties: textOf(sent),
    };
    return vault.createConnector(connector, options);
  }

  readonly #leave = (): void => {
    this.#forget();
    const { connectorId: id } = this;
    this.dispatchEvent(
      new NavigateEvent(id === undefined ? { view: "connectors" } : { view: "connector", id }),
    );
  };

  #text(id: string): string {
    return this.renderRoot.querySelector<HTMLInputElement>(`#${id}`)?.value ?? "";
  }

  #field(row: FormRow): ValueField | null {
    return this.renderRoot.querySelector<ValueField>(`value-field[data-key="${row.key}"]`);
  }

  /** Forgets the values that were typed. */
  #forget(): void {
    for (const field of this.renderRoot?.querySelectorAll("value-field") ?? []) field.clear();
  }
}

function presentOf(vault: Vault, id: string): Overview | undefined {
  try {
    return vault.connector(id);
  } catch {
    return undefined;
  }
}

function noticeOf({ status, id, versionAfter, warnings }: Outcome): string {
  const done =
    status === "unchanged"
      ? `${id} stays at version ${versionAfter}: nothing is different.`
      : `${id} is at version ${versionAfter}.`;
  return [done, ...warnings.map(({ message }) => `Note: ${message}.`)].join(" ");
}

declare global {
  interface HTMLElementTagNameMap {
    "connector-form": ConnectorForm;
  }
}
