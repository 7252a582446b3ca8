/** `<connector-picker>`: a field in which a connector is chosen, out of many. */

import type { Overview, Vault } from "connector-vault";
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { live } from "lit/directives/live.js";

import { FormField, isComposing } from "./form-field.js";
import { Announcer } from "./picker/announcer.js";
import { belowTemplate, noteOf } from "./picker/below.js";
import { Entry } from "./picker/entry.js";
import { CHEVRON, CROSS } from "./picker/icons.js";
import { act, type Combobox } from "./picker/keys.js";
import { Listbox } from "./picker/listbox.js";
import type { Option } from "./picker/options.js";
import { Popup } from "./picker/popup.js";
import { Search, openOnly, textWith, type Typing } from "./picker/search.js";
import { pickerSheet } from "./picker/sheet.js";
import { detailOf, invalidityOf, type Judged } from "./picker/verdict.js";
import { TextsController, type PickerTexts } from "./texts.js";
import { theme } from "./theme.js";
import type { TokenSuggestion } from "./tokens.js";

export type { TokenSuggestion };

/**
 * A field in which a connector is chosen: by name, id or type, with the keyboard, a mouse or a finger. Its
 * value is the connector's id. It needs no permission to read values: the grant of a viewer is enough.
 *
 * It is a combobox with a listbox after the ARIA Authoring Practices Guide, and a field of its form. It
 * follows its vault: what others change is shown at once. When the vault is locked, everything that came of
 * it goes; the value stays, since it is the host's.
 *
 * @example
 * ```html
 * <form>
 *   <connector-picker name="connector" label="Account" required></connector-picker>
 * </form>
 * <script type="module">
 *   import "connector-vault-elements/connector-picker.js";
 *   const picker = document.querySelector("connector-picker");
 *   picker.vault = vault;
 *   picker.addEventListener("change", () => console.log(picker.value, picker.connector?.name));
 * </script>
 * ```
 *
 * @fires input - The value is another one.
 * @fires change - The user has settled on another value.
 * @slot label - In place of the attribute `label`, where the label is more than text.
 * @csspart label - The label.
 * @csspart field - The box around the input and the buttons.
 * @csspart input - The input.
 * @csspart clear - The button that empties the field.
 * @csspart open - The button that opens and closes the list.
 * @csspart detail - The line below the field: id and type of what was chosen, or what is wrong.
 * @csspart popup - What pops up.
 * @csspart listbox - The list in it, which scrolls.
 * @csspart option - An option.
 * @csspart active-option - The option that Enter chooses.
 * @csspart option-name - Its name; so `option-id` and `option-type`.
 * @csspart match - What was looked for, in an option.
 * @csspart note - What stands in the popup where there are no options.
 * @csspart count - How many connectors there are, below the list.
 * @cssprop [--cv-picker-height=24rem] - How tall the popup becomes.
 * @cssprop --cv-accent - Colour of what is active; so the others of the theme: `--cv-text`, `--cv-muted`,
 *   `--cv-surface`, `--cv-raised`, `--cv-border`, `--cv-control-border`, `--cv-accent-faint`, `--cv-token`,
 *   `--cv-error`, `--cv-radius`, `--cv-space`, `--cv-font`, `--cv-font-mono`.
 */
@customElement("connector-picker")
export class ConnectorPicker extends FormField {
  static override styles = [theme, pickerSheet];

  /** Where the connectors are. */
  @property({ attribute: false }) vault?: Vault | undefined;

  /** What stands above the field. */
  @property() label?: string | undefined;

  /** What stands in the field while it is empty. */
  @property() placeholder?: string | undefined;

  /** Whether text that is no connector is accepted as the value: `[Flow:Connector]`, say. */
  @property({ type: Boolean }) expressions = false;

  /** Tokens that are suggested below the connectors, where expressions are accepted. */
  @property({ attribute: false }) tokens?: readonly TokenSuggestion[] | undefined;

  @query("input") private readonly _input!: HTMLInputElement | null;
  /** Whether it is shown what is wrong: not before the user has done something. */
  @state() private _isTouched = false;

  readonly #entry = new Entry();
  /** What was typed is taken as soon as all connectors are loaded: one that is still to come may have that name. */
  #isSettling = false;
  /** The vault that was open when the element was last rendered. */
  #former: Vault | undefined;
  readonly #texts = new TextsController(this);
  readonly #search = new Search(this);
  // Before the listbox, which has a size only in an open popup.
  readonly #popup = new Popup(this, {
    popup: () => this.renderRoot?.querySelector<HTMLElement>(".popup"),
    anchor: () => this.renderRoot?.querySelector<HTMLElement>(".field"),
  });
  readonly #listbox = new Listbox(this, () => this.renderRoot?.querySelector(".listbox"));
  readonly #announcer = new Announcer(this, () => this.#results());

  constructor() {
    super();
    this.addEventListener("invalid", () => (this._isTouched = true));
  }

  /**
   * The id of the connector that is chosen, also if no connector has it; an expression where those are
   * accepted; or empty.
   */
  @property()
  get value(): string {
    return this.#entry.value;
  }

  set value(value: string | null | undefined) {
    const text = value ?? "";
    // What the host was told is no reason to drop what the user is typing.
    if (text === this.value && !this.#entry.isUnmatched) return;
    this.#entry.set(text);
    this.#setForm();
    this.requestUpdate();
  }

  /** The connector that is chosen, if there is one with that id. */
  get connector(): Overview | undefined {
    return this.#search.connector(this.vault, this.value);
  }

  override formResetCallback(): void {
    this._isTouched = false;
    this.#close();
    this.#entry.set(this.getAttribute("value") ?? "");
    this.#setForm();
    this.requestUpdate();
  }

  override formStateRestoreCallback(state: string): void {
    this.value = state;
  }

  protected override willUpdate(): void {
    this.#search.list.vault = this.vault;
    const vault = openOnly(this.vault);
    const isGone = this.#former !== undefined && this.#former !== vault;
    this.#former = vault;
    // What was typed to search in a vault says what is in it.
    if (isGone) this.#entry.forget();
    if (isGone || this.isDisabled) this.#close();
    if (this.#popup.isOpen) this.#find();
    this.#setForm();
  }

  protected override updated(): void {
    if (this.#isSettling && this.isConnected && !this.#search.list.isLoading) this.#settle();
  }

  protected override render(): TemplateResult {
    const texts = this.#texts.picker;
    // A label outside stands for one of its own.
    const isLabelled = this.label === undefined && this.labels.length > 0;
    const label = this.label ?? (textOf(this.labels) || texts.label);
    const isInvalid = this._isTouched && !this.validity.valid;
    return html`<div class="picker">
      ${isLabelled ? nothing : labelTemplate(label, this.required)}
      <div
        class="field ${isInvalid ? "invalid" : ""} ${this.isDisabled ? "disabled" : ""}"
        part="field"
        @mousedown=${keepFocus}
      >
        ${this.#inputTemplate(texts, isInvalid, isLabelled ? label : nothing)} ${this.#buttonsTemplate(texts)}
      </div>
      ${this.#detailTemplate(texts, isInvalid)}
      <div class="popup" part="popup" popover="manual" @mousedown=${keepFocus} @click=${this.#onOption}>
        ${this.#listbox.template(texts, label, this.value)}
        ${this.#popup.isOpen ? belowTemplate(texts, this.#search.list, this.#note) : nothing}
      </div>
      ${this.#announcer.template()}
    </div>`;
  }

  #inputTemplate(texts: PickerTexts, isInvalid: boolean, label: string | typeof nothing): TemplateResult {
    const text = this.#text;
    const isCode = text !== "" && this.#entry.typed === undefined && this.connector === undefined;
    const placeholder = this.expressions ? texts.placeholderWithExpressions : texts.placeholder;
    return html`<input
      id="input"
      part="input"
      class=${isCode ? "mono" : ""}
      type="text"
      role="combobox"
      aria-label=${label}
      aria-autocomplete="list"
      aria-haspopup="listbox"
      aria-expanded=${this.#popup.isOpen}
      aria-controls="listbox"
      aria-activedescendant=${this.#listbox.activeId ?? nothing}
      aria-required=${this.required}
      aria-invalid=${isInvalid}
      aria-describedby="detail"
      autocomplete="off"
      autocapitalize="off"
      autocorrect="off"
      spellcheck="false"
      enterkeyhint="done"
      placeholder=${this.placeholder ?? placeholder}
      ?disabled=${this.isDisabled}
      .value=${live(text)}
      @input=${this.#onInput}
      @keydown=${this.#onKey}
      @click=${this.#onClick}
      @blur=${this.#leave}
    />`;
  }

  /** Not in the order of Tab: the keys of the input do the same. */
  #buttonsTemplate(texts: PickerTexts): TemplateResult {
    const clear = html`<button
      type="button"
      class="quiet"
      part="clear"
      tabindex="-1"
      aria-label=${texts.clear}
      @click=${this.#clear}
    >
      ${CROSS}
    </button>`;
    return html`${this.#text === "" || this.isDisabled ? nothing : clear}<button
        type="button"
        class="quiet"
        part="open"
        tabindex="-1"
        aria-label=${texts.open}
        aria-expanded=${this.#popup.isOpen}
        aria-controls="listbox"
        ?disabled=${this.isDisabled}
        @click=${this.#toggle}
      >
        ${CHEVRON}
      </button>`;
  }

  /** What was chosen, or what is wrong with it. */
  #detailTemplate(texts: PickerTexts, isInvalid: boolean): TemplateResult {
    const { content, isWrong = false } = isInvalid
      ? { content: this.validationMessage, isWrong: true }
      : detailOf(texts, this.#judged);
    return html`<p id="detail" part="detail" role="status" class="detail ${isWrong ? "error" : "muted"}">
      ${content}
    </p>`;
  }

  /** Why there are no options. */
  get #note(): string | undefined {
    if (this.#listbox.count > 0) return undefined;
    return noteOf(this.#texts.picker, this.#search.list, this.expressions);
  }

  #results(): string | undefined {
    if (this.#search.list.isLoading) return undefined;
    return this.#note ?? this.#texts.picker.results(this.#listbox.count);
  }

  readonly #onInput = (event: InputEvent): void => {
    event.stopPropagation();
    const text = this._input?.value ?? "";
    this.#isSettling = false;
    this.#change(() => this.#entry.type(text, this.expressions));
    this.#open();
    // Where everything typed is a value, Enter takes it; elsewhere it takes what fits best.
    const isValue = this.expressions || text.trim() === "";
    this.#listbox.activate(isValue ? undefined : 0);
    if (isValue) this.#listbox.reveal(0);
  };

  readonly #onKey = (event: KeyboardEvent): void => {
    if (isComposing(event) || event.ctrlKey || event.metaKey) return;
    if (act(this.#combobox(), event)) event.preventDefault();
  };

  #combobox(): Combobox {
    return {
      isOpen: this.#popup.isOpen,
      listbox: this.#listbox,
      value: this.value,
      open: () => this.#open(),
      close: () => this.#close(),
      choose: (option) => this.#choose(option),
      settle: () => this.#settle(),
      revert: () => {
        if (this.#entry.typed === undefined) return false;
        this.#change(() => this.#entry.revert());
        return true;
      },
    };
  }

  readonly #onClick = (): void => {
    if (this.#popup.isOpen) return;
    this.#open();
    // What is typed next replaces what is chosen.
    if (this.#entry.typed === undefined) this._input?.select();
  };

  readonly #onOption = (event: Event): void => {
    const option = this.#listbox.optionOf(event);
    if (option !== undefined) this.#choose(option);
  };

  readonly #toggle = (): void => {
    if (this.#popup.isOpen) return this.#close();
    this._input?.focus();
    this.#open();
  };

  readonly #clear = (): void => {
    this._input?.focus();
    this.#close();
    this.#change(() => this.#entry.choose(""), true);
  };

  readonly #leave = (): void => {
    this.#close();
    this.#settle();
  };

  #open(): void {
    if (this.isDisabled) return;
    const wasOpen = this.#popup.isOpen;
    this.#popup.isOpen = true;
    this.#find();
    if (!wasOpen) this.#listbox.reveal(this.#listbox.indexOf(this.value) ?? 0);
    this.#announcer.soon();
  }

  #close(): void {
    this.#announcer.stop();
    this.#popup.isOpen = false;
    this.#listbox.clear();
  }

  #find(): void {
    this.#listbox.show(this.#search.find(this.#typing, this.expressions ? (this.tokens ?? []) : []));
  }

  #choose(option: Option): void {
    const value = option.token === undefined ? option.connector.id : textWith(option.token, this.#typing);
    this.#close();
    this.#change(() => this.#entry.choose(value), true);
  }

  /** Takes what was typed, if it can be a value. */
  #settle(): void {
    const { typed, isUnmatched } = this.#entry;
    this.#isSettling = false;
    if (typed === undefined || isUnmatched) return;
    const text = typed.trim();
    const id = text === "" ? "" : this.#search.connector(this.vault, text)?.id;
    this.#isSettling = id === undefined && this.#search.list.isLoading;
    if (this.#isSettling) return;
    const value = id ?? this.#search.named(text) ?? (this.expressions ? text : undefined);
    if (value !== undefined) this.#change(() => this.#entry.choose(value), true);
    else if (this.#search.vault === undefined) this.#change(() => this.#entry.revert());
    else this.#change(() => this.#entry.refuse(), true);
  }

  /** Changes the entry, and tells the host what came of it. */
  #change(change: () => void, isSettled = false): void {
    const { value } = this;
    change();
    if (isSettled) this._isTouched = true;
    this.#setForm();
    this.requestUpdate();
    // As browsers' own fields do it: the first leaves shadow trees, the second does not.
    if (this.value !== value) this.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
    if (isSettled && this.#entry.settle()) this.dispatchEvent(new Event("change", { bubbles: true }));
  }

  #setForm(): void {
    this.setForm(this.value, invalidityOf(this.#texts.picker, this.#judged), this._input);
  }

  get #judged(): Judged {
    const { vault, required, expressions } = this;
    return { entry: this.#entry, vault, connector: () => this.connector, required, expressions };
  }

  /** What stands in the input. */
  get #text(): string {
    return this.#entry.typed ?? this.connector?.name ?? this.value;
  }

  get #typing(): Typing {
    return { text: this.#entry.typed ?? "", caret: this._input?.selectionStart ?? 0 };
  }
}

function labelTemplate(label: string, isRequired: boolean): TemplateResult {
  return html`<label for="input" part="label">
    <slot name="label">${label}</slot>${
      isRequired ? html` <span class="muted" aria-hidden="true">*</span>` : nothing
    }
  </label>`;
}

function textOf(labels: NodeList): string {
  return Array.from(labels, ({ textContent }) => textContent?.trim() ?? "").join(" ");
}

/** What is pressed leaves the focus in the input. */
function keepFocus(event: Event): void {
  if (!(event.target instanceof HTMLInputElement)) event.preventDefault();
}

declare global {
  interface HTMLElementTagNameMap {
    "connector-picker": ConnectorPicker;
  }
}
