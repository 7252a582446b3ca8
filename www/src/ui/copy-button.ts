/** `<copy-button>`: copies a text that is no secret. */

import { LitElement, css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";

import { copyText } from "../clipboard.js";
import { sheet, theme } from "./sheet.js";

/** How long it says that it has copied. */
const TOLD_MS = 2_000;

@customElement("copy-button")
export class CopyButton extends LitElement {
  static override styles = [
    theme,
    sheet,
    css`
      :host {
        display: inline-block;
      }
      button {
        color: var(--_accent);
        white-space: nowrap;
      }
    `,
  ];

  /** What is copied, asked for when the button is pressed. */
  @property({ attribute: false }) text: (() => string) | undefined;
  /** What the button says. */
  @property() label = "Copy";
  /** What is copied, for those who do not see what the button stands beside. */
  @property() what = "";
  @state() private told = "";
  #timer: ReturnType<typeof setTimeout> | undefined;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#timer);
    this.told = "";
  }

  override render() {
    return html`<button type="button" class="quiet" @click=${() => void this.#copy()}>
        ${this.told === "" ? this.label : this.told}<span class="visually-hidden"> ${this.what}</span>
      </button>
      <span class="visually-hidden" role="status">${this.told}</span>`;
  }

  async #copy(): Promise<void> {
    if (this.text === undefined) return;
    try {
      await copyText(this.text());
      this.told = "Copied";
    } catch {
      this.told = "Not permitted";
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (this.told = ""), TOLD_MS);
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "copy-button": CopyButton;
  }
}
