/** `<sample-note>`: what a sample vault is, and the passphrase that was made for it, which nobody is shown again. */

import { LitElement, css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";

import { COPIED_TEXT, copySecret } from "../clipboard.js";
import { sheet, theme } from "../ui/sheet.js";

@customElement("sample-note")
export class SampleNote extends LitElement {
  static override styles = [
    theme,
    sheet,
    css`
      section {
        display: grid;
        gap: var(--_space);
        padding: calc(var(--_space) * 1.5) calc(var(--_space) * 2);
        background: var(--_accent-faint);
        border: 1px solid var(--_border);
        border-radius: var(--_radius);
      }
      p:empty {
        position: absolute;
      }
      .passphrase {
        padding: calc(var(--_space) / 2) var(--_space);
        background: var(--_surface);
        border-radius: var(--_radius);
        overflow-wrap: anywhere;
        user-select: all;
      }
    `,
  ];

  @property({ attribute: false }) passphrase = "";
  @property({ attribute: false }) name = "";
  @state() private told = "";

  override render() {
    return html`<section aria-label="Sample vault">
      <p>
        This is a sample, kept in this browser as <strong>${this.name}</strong>; no value in it is real. To
        unlock it again you need its passphrase, which is shown here only until you close this note or lock
        the vault:
      </p>
      <div class="row">
        <code class="passphrase">${this.passphrase}</code>
        <button type="button" @click=${() => void this.#copy()}>Copy passphrase</button>
        <button type="button" class="quiet" @click=${() => this.dispatchEvent(new Event("done"))}>
          Close
        </button>
      </div>
      <p class="muted" role="status">${this.told}</p>
    </section>`;
  }

  async #copy(): Promise<void> {
    try {
      await copySecret(this.passphrase);
      this.told = COPIED_TEXT;
    } catch {
      this.told = "The browser does not permit to copy: select it and copy it yourself.";
    }
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "sample-note": SampleNote;
  }
}
