/** `<update-connector-editor>`: the form of the action `Connectors.Update`. */

import type { Outcome, UpdateAction, Vault } from "connector-vault";
import { LitElement, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";

import { ConnectorPicker } from "./connector-picker.js";
import { Draft } from "./editor/draft.js";
import { Grid } from "./editor/grid.js";
import { JsonEditor } from "./editor/json-editor.js";
import { readAction } from "./editor/check.js";
import { EMPTY_MODEL, actionObjectOf, actionOf, type UpdateModel } from "./editor/model.js";
import { Problems, hasPlace } from "./editor/problems.js";
import { editorSheet } from "./editor/sheet.js";
import { FormField, type Invalidity } from "./form-field.js";
import { problemOf, sentence, quietProblemTemplate } from "./problem.js";
import { TextsController } from "./texts.js";
import { theme } from "./theme.js";
import type { TokenSuggestion } from "./tokens.js";
import { whenLocked } from "./vault-watch.js";

export type { TokenSuggestion };

/** How long after the last key it is said what is wrong, in milliseconds. */
const CHECK_MS = 150;

/**
 * The form of the action `Connectors.Update`: which connector, the grid of properties, and Dynamic Properties
 * as JSON, which overrides the grid. Its value is the action's document, as JSON text; the core says what is
 * wrong with it, each thing at its place.
 *
 * It is a field of its form. An empty editor is valid unless it is `required`. When its vault is locked, all
 * that was written goes, and with it what could be undone.
 *
 * Rows are pasted from a spreadsheet (two columns, or a header row `Name` and `Value`, or `PropertyName` and
 * `PropertyValue`) or from a `.env` file, and inserted where they are pasted. Other text of several lines
 * becomes a value of several lines.
 *
 * @example
 * ```ts
 * import "connector-vault-elements/update-connector-editor.js";
 * const editor = document.querySelector("update-connector-editor");
 * editor.vault = vault;
 * editor.tokens = [{ name: "Secrets:TwitterKey", description: "from the vault of secrets" }];
 * editor.addEventListener("input", () => (plan.action = editor.value));
 * ```
 *
 * @fires input - The action is another one.
 * @fires change - An edit is done: the focus has left a field, or rows were pasted, moved or removed.
 * @csspart connector - The field of the connector.
 * @csspart grid - The table of properties.
 * @csspart row - A row of it.
 * @csspart name - The cell of a name; so `value`.
 * @csspart handle - What a row is dragged by.
 * @csspart row-button - The buttons that move or remove a row.
 * @csspart mark - What the dry run says of a row; also has the part `overridden` or `repeated`.
 * @csspart status - What was done last.
 * @csspart undo - The button that undoes it.
 * @csspart tokens - The tokens that are offered.
 * @csspart token-option - One of them; the one that Enter chooses also has the part `active-option`.
 * @csspart json - The JSON editor.
 * @csspart error - What is wrong.
 * @cssprop --cv-token - Colour of tokens, on `--cv-token-faint`; so the others of the theme.
 */
@customElement("update-connector-editor")
export class UpdateConnectorEditor extends FormField {
  static override styles = [theme, editorSheet];

  // A click beside the fields is no reason to go to the first one.
  static override shadowRootOptions: ShadowRootInit = LitElement.shadowRootOptions;

  /** Where connectors are chosen from. The editor changes nothing in it. */
  @property({ attribute: false }) vault?: Vault | undefined;

  /** Tokens that are offered where a bracket opens. */
  @property({ attribute: false }) tokens: readonly TokenSuggestion[] = [];

  /** The dry run's report of this action: what it says of a row stands there. */
  @property({ attribute: false }) plan?: Outcome | undefined;

  /** Why the action cannot be planned or run: shown at its place. */
  @property({ attribute: false }) error?: unknown;

  /** Whether the action can be read but not changed. */
  @property({ type: Boolean, reflect: true }) readonly = false;

  /** The action of a form that is reset. No place for secrets: it stands in the page. */
  @property({ attribute: "value" }) defaultValue = "";

  @query("connector-picker") private readonly _picker!: ConnectorPicker | null;
  /** An action that the form cannot show: it stays as it is. */
  @state() private _unreadable: Unreadable | undefined;

  readonly #texts = new TextsController(this);
  readonly #draft = new Draft();
  readonly #problems = new Problems(this.#draft);
  readonly #grid = new Grid(this, this.#draft, {
    edited: (how) => this.#edited(how),
    leftRow: (key) => this.#problems.visit(key),
  });
  readonly #json = new JsonEditor(this, (text) => this.#editedJson(text));
  /** Whether the host or the user has said what the value is. */
  #isSet = false;
  /** The action when the last `change` was fired. */
  #settled: string;
  #checking: ReturnType<typeof setTimeout> | undefined;
  /** What browsers focus when the form cannot be sent. */
  #anchored: HTMLElement | undefined;
  #watching: AbortController | undefined;

  constructor() {
    super();
    this.#settled = this.value;
    this.addEventListener("invalid", () => this.#report());
  }

  /**
   * The action's document as JSON text. Set it as text or as an object: what it holds is shown in the form, and
   * an action that the form cannot show stays as it is. Prefer the text, which keeps large numbers.
   */
  @property({ attribute: false })
  get value(): string {
    return this._unreadable?.text ?? actionOf(this.#draft.model);
  }

  set value(value: string | object | null | undefined) {
    const text = typeof value === "object" && value !== null ? JSON.stringify(value) : (value ?? "");
    const read = readText(text);
    this.#isSet = true;
    // What the host was told is no reason to take the caret from the user.
    if (text === this.value || ("model" in read && actionOf(read.model) === this.value)) return;
    this.#load(read);
  }

  /** The action as an object. Nothing if the form cannot show what it was given. */
  get action(): UpdateAction | undefined {
    return this._unreadable === undefined ? actionObjectOf(this.#draft.model) : undefined;
  }

  /** Focuses the first field. */
  override focus(options?: FocusOptions): void {
    this._picker?.focus(options);
  }

  /** Resolves when the JSON editor is the comfortable one. */
  async loaded(): Promise<void> {
    await this.#json.loaded();
    await this.updateComplete;
  }

  override formResetCallback(): void {
    this.#isSet = false;
    this.#load(readText(this.defaultValue));
  }

  /** Browsers would keep the action where secrets do not belong, so it gives them nothing to restore. */
  override formStateRestoreCallback(): void {}

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#checking);
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("vault")) this.#watch();
    // With a vault the core is there.
    if (changed.has("vault")) this.#check();
    if (changed.has("vault") || changed.has("error")) this.#problems.hear(this.error, this.vault);
    if (changed.has("defaultValue") && !this.#isSet) this.#load(readText(this.defaultValue));
    if (changed.has("required")) this.#setForm();
    this.#grid.completion.tokens = this.tokens;
  }

  protected override firstUpdated(): void {
    this.#setForm();
  }

  protected override updated(): void {
    // Where the problem is may be there only now: a row, or the JSON editor in place of the text field.
    if (!this.validity.valid && this.#anchor() !== this.#anchored) this.#setValidity();
  }

  protected override render(): TemplateResult {
    const texts = this.#texts.editor;
    if (this._unreadable !== undefined) return this.#unreadableTemplate(this._unreadable.error);
    const isFixed = this.isDisabled || this.readonly;
    const problems = this.#problems.shown;
    const at = (parameter: string) => problems.filter(({ place }) => place?.parameter === parameter);
    const elsewhere = problems.filter((problem) => !hasPlace(problem));
    return html`<div
      class=${`editor${isFixed ? " fixed" : ""}${this.isDisabled ? " disabled" : ""}`}
      role="group"
      aria-label=${texts.label}
      @input=${stop}
      @change=${stop}
      @focusout=${this.#left}
    >
      <section>
        <connector-picker
          part="connector"
          expressions
          required
          .vault=${this.vault}
          .tokens=${this.tokens}
          .label=${texts.connector}
          .value=${this.#draft.entryId}
          ?disabled=${isFixed}
          @input=${this.#picked}
          @change=${this.#picked}
        ></connector-picker>
        <div role="status">${at("EntryId").map(quietProblemTemplate)}</div>
      </section>
      <section>
        <span id="properties-label" class="label">${texts.properties}</span>
        ${this.#grid.template({
          isDisabled: this.isDisabled,
          isReadonly: this.readonly,
          texts,
          plan: this.plan,
          problemsOf: (index) => at("Properties").filter(({ place }) => place?.row === index + 1),
        })}
        <p id="grid-hint" class="hint">${isFixed ? nothing : texts.gridHint}</p>
      </section>
      <section>
        <span id="json-label" class="label">${texts.json}</span>
        <p id="json-hint" class="hint">${texts.jsonHint}</p>
        ${this.#json.template(texts, {
          text: this.#draft.json,
          tokens: this.tokens,
          problem: at("PropertiesJson")[0],
          isDisabled: this.isDisabled,
          isReadonly: this.readonly,
        })}
      </section>
      <div role="status">${elsewhere.map(quietProblemTemplate)}</div>
    </div>`;
  }

  #unreadableTemplate(error: unknown): TemplateResult {
    const texts = this.#texts.editor;
    const canChange = !this.isDisabled && !this.readonly;
    return html`<div class="unreadable" role="group" aria-label=${texts.label}>
      <p>${texts.unreadable}</p>
      ${quietProblemTemplate(problemOf(error))}
      ${
        canChange
          ? html`<button type="button" @click=${this.#startAnew}>${texts.startAnew}</button>`
          : nothing
      }
    </div>`;
  }

  // What the user does

  #edited(how: "typed" | "done"): void {
    this.#isSet = true;
    this.requestUpdate();
    this.#setForm();
    this.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
    if (how === "done") this.#settle();
    else this.#checkSoon();
  }

  #editedJson(text: string): void {
    this.#problems.visit("PropertiesJson");
    this.#draft.json = text;
    this.#edited("typed");
  }

  readonly #picked = ({ type, currentTarget }: Event): void => {
    if (!(currentTarget instanceof ConnectorPicker)) return;
    if (this.#draft.entryId !== currentTarget.value) {
      this.#draft.entryId = currentTarget.value;
      this.#edited("typed");
    }
    if (type !== "change") return;
    this.#problems.visit("EntryId");
    this.#settle();
  };

  /** The focus has left a field. */
  readonly #left = (): void => {
    if (this.#isSet) this.#settle();
  };

  readonly #startAnew = (): void => {
    this.#load({ model: EMPTY_MODEL });
    this.#edited("done");
  };

  #settle(): void {
    this.#check();
    const { value } = this;
    if (value === this.#settled) return;
    this.#settled = value;
    this.dispatchEvent(new Event("change", { bubbles: true, composed: true }));
  }

  // What comes of it

  #load(read: Read): void {
    this._unreadable = "model" in read ? undefined : read;
    this.#draft.load("model" in read ? read.model : EMPTY_MODEL);
    this.#grid.reset();
    this.#json.reset();
    this.#problems.clear();
    this.#settled = this.value;
    this.#check();
  }

  /** What was written may be secret, and nobody is here any more who may see it. */
  #forget(): void {
    this.#load({ model: EMPTY_MODEL });
    this.plan = undefined;
    this.error = undefined;
  }

  #watch(): void {
    this.#watching?.abort();
    this.#watching = new AbortController();
    if (this.vault === undefined) return;
    if (this.vault.isLocked) this.#forget();
    whenLocked(this.vault, this, (editor) => editor.#forget(), this.#watching.signal);
  }

  #checkSoon(): void {
    clearTimeout(this.#checking);
    this.#checking = setTimeout(() => this.#check(), CHECK_MS);
  }

  #check(): void {
    clearTimeout(this.#checking);
    this.#problems.check();
    this.#setForm();
    this.requestUpdate();
  }

  /** The user wants to send the form: all that is wrong is shown. */
  #report(): void {
    this.#problems.report();
    this._picker?.checkValidity();
    this.requestUpdate();
  }

  #setForm(): void {
    // The second one is what browsers keep, on the disk too.
    this.internals.setFormValue(this.#isEmpty ? null : this.value, "");
    this.#setValidity();
  }

  #setValidity(): void {
    const invalidity = this.#invalidity();
    this.#anchored = invalidity === undefined ? undefined : this.#anchor();
    if (invalidity === undefined) this.internals.setValidity({});
    else this.internals.setValidity(invalidity.flags, invalidity.message, this.#anchored);
  }

  get #isEmpty(): boolean {
    const { entryId, rows, json } = this.#draft.model;
    return this._unreadable === undefined && entryId === "" && rows.length === 0 && json === "";
  }

  #invalidity(): Invalidity | undefined {
    if (this._unreadable !== undefined) {
      return { flags: { customError: true }, message: sentence(problemOf(this._unreadable.error).message) };
    }
    const [first] = this.#problems.found;
    if (first === undefined || (this.#isEmpty && !this.required)) return undefined;
    const isMissing = first.code === "missing_parameter";
    return {
      flags: isMissing ? { valueMissing: true } : { customError: true },
      message: sentence(first.message),
    };
  }

  /** Where the first problem is. */
  #anchor(): HTMLElement | undefined {
    const { parameter, row } = this.#problems.found[0]?.place ?? {};
    if (parameter === "PropertiesJson") return this.#json.field ?? undefined;
    if (parameter === "Properties" && row !== undefined) return this.#grid.fieldOf(row - 1) ?? undefined;
    // The picker hands the focus on, which is not enough for browsers.
    return this._picker?.shadowRoot?.querySelector("input") ?? undefined;
  }
}

/** An action that the form cannot show, and why. */
interface Unreadable {
  readonly text: string;
  readonly error: unknown;
}

/** What came of a text. */
type Read = { readonly model: UpdateModel } | Unreadable;

function readText(text: string): Read {
  try {
    return { model: text === "" ? EMPTY_MODEL : readAction(text) };
  } catch (error) {
    return { text, error };
  }
}

/** Fields have events of their own, which are not the editor's. */
function stop(event: Event): void {
  event.stopPropagation();
}

declare global {
  interface HTMLElementTagNameMap {
    "update-connector-editor": UpdateConnectorEditor;
  }
}
