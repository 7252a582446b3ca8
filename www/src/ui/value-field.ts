/** `<value-field>`: a property's value while it is typed: masked, with a button that shows it; it may have several lines. */

import { LitElement, css, html, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";

import { withoutLineEnd } from "./line-end.js";
import { sheet, theme } from "./sheet.js";

@customElement("value-field")
export class ValueField extends LitElement {
  static override shadowRootOptions: ShadowRootInit = {
    ...LitElement.shadowRootOptions,
    delegatesFocus: true,
  };
  static override styles = [
    theme,
    sheet,
    css`
      :host {
        position: relative;
      }
      textarea {
        display: block;
        min-height: 36px;
        max-height: 14rem;
        padding-inline-end: 4.5rem;
        field-sizing: content;
        resize: vertical;
        font: 0.9em/1.45 var(--_font-mono);
        overflow-wrap: anywhere;
      }
      textarea.masked {
        -webkit-text-security: disc;
      }
      button {
        position: absolute;
        inset-block-start: 3px;
        inset-inline-end: 3px;
        min-height: 30px;
        padding-block: 0;
        padding-inline: var(--_space);
        color: var(--_accent);
        font-size: 0.875rem;
      }
      p {
        font-size: 0.875rem;
      }
    `,
  ];

  /** What the value is of. */
  @property() label = "";
  /** What is said below it. */
  @property() hint = "";
  @property({ type: Boolean }) invalid = false;
  @state() private isShown = false;
  @query("textarea") private input!: HTMLTextAreaElement;
  /** A value that was given, and what the textarea makes of it: line breaks of other kinds are lost there. */
  #given: { readonly value: string; readonly shown: string } | undefined;

  override render() {
    return html`<textarea
        rows="1"
        class=${this.isShown ? "" : "masked"}
        aria-label=${this.label}
        aria-invalid=${this.invalid ? "true" : nothing}
        autocomplete="off"
        autocapitalize="none"
        spellcheck="false"
        aria-describedby="hint"
        @paste=${this.#paste}
      ></textarea>
      <button
        type="button"
        class="quiet"
        aria-label=${`${this.isShown ? "Hide" : "Show"}: ${this.label}`}
        @click=${() => (this.isShown = !this.isShown)}
      >
        ${this.isShown ? "Hide" : "Show"}
      </button>
      <p id="hint" class="muted" ?hidden=${this.hint === ""}>${this.hint}</p>`;
  }

  /** What was typed, or what was given as long as nobody has changed it. */
  get value(): string {
    const typed = this.hasUpdated ? this.input.value : "";
    return typed === this.#given?.shown ? this.#given.value : typed;
  }

  set value(value: string) {
    this.input.value = value;
    this.#given = { value, shown: this.input.value };
  }

  readonly #paste = (event: ClipboardEvent): void => {
    const text = event.clipboardData?.getData("text/plain") ?? "";
    const value = withoutLineEnd(text);
    // Otherwise browsers insert it as it is.
    if (value === text && !text.includes("\r")) return;
    event.preventDefault();
    const { input } = this;
    const { selectionStart, selectionEnd } = input;
    if (selectionStart === 0 && selectionEnd === input.value.length) {
      this.value = value;
      input.setSelectionRange(input.value.length, input.value.length);
    } else {
      input.setRangeText(value, selectionStart, selectionEnd, "end");
    }
    input.dispatchEvent(
      new InputEvent("input", { bubbles: true, composed: true, inputType: "insertFromPaste" }),
    );
  };

  /** Forgets what was typed. */
  clear(): void {
    this.#given = undefined;
    if (this.hasUpdated) this.input.value = "";
    this.isShown = false;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "value-field": ValueField;
  }
}
