/** `<identity-once>`: an identity that was made here, to be kept elsewhere. Tells `kept` when it was. */

import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Identity } from "connector-vault";

import { COPIED_TEXT, copySecret } from "../clipboard.js";
import { download } from "../ui/download.js";
import { sheet, theme } from "../ui/sheet.js";
import "../ui/copy-button.js";

@customElement("identity-once")
export class IdentityOnce extends LitElement {
  static override styles = [
    theme,
    sheet,
    css`
      .secret {
        padding: var(--_space);
        overflow-wrap: anywhere;
        background: var(--_raised);
        border-radius: var(--_radius);
      }
      code {
        overflow-wrap: anywhere;
      }
    `,
  ];

  @property({ attribute: false }) identity: Identity | undefined;
  @property({ attribute: false }) label = "";
  @property({ attribute: false }) vaultId: string | undefined;
  @state() private isShown = false;
  @state() private copied = "";

  override render() {
    const { identity, vaultId } = this;
    if (identity === undefined) return nothing;
    return html`<section class="stack" aria-labelledby="title">
      <h3 id="title" tabindex="-1">The identity of ${this.label}</h3>
      <p>
        Keep it now, as you keep a key: it is shown this once. Whoever has it opens the vault as
        ${this.label}.
      </p>
      <p class="secret">
        <code>${this.isShown ? identity.toText() : "cvault-identity-1••••••••••••••••••••••••"}</code>
      </p>
      <div class="row">
        <button type="button" @click=${() => (this.isShown = !this.isShown)}>
          ${this.isShown ? "Hide" : "Reveal"}<span class="visually-hidden"> the identity</span>
        </button>
        <button type="button" @click=${() => void this.#copy(identity)}>
          Copy<span class="visually-hidden"> the identity</span>
        </button>
        <button type="button" @click=${() => this.#save(identity)}>Save as a file</button>
      </div>
      <p class="muted" role="status">${this.copied}</p>
      ${
        vaultId === undefined
          ? nothing
          : html`<p>
              The service needs the vault's id too: <code>${vaultId}</code>
              <copy-button .text=${() => vaultId} what="the id of the vault"></copy-button>
            </p>`
      }
      <div class="row">
        <button type="button" class="primary" @click=${() => this.dispatchEvent(new Event("kept"))}>
          I have kept it
        </button>
      </div>
    </section>`;
  }

  override firstUpdated(): void {
    this.renderRoot.querySelector("h3")?.focus();
  }

  async #copy(identity: Identity): Promise<void> {
    try {
      await copySecret(identity.toText());
      this.copied = COPIED_TEXT;
    } catch {
      this.copied = "The browser does not permit it. Reveal the identity, and copy it by hand.";
    }
  }

  #save(identity: Identity): void {
    download(`${this.label || "service"}.cvault-identity`, `${identity.toText()}\n`, "text/plain");
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "identity-once": IdentityOnce;
  }
}
