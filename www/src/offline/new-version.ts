/** `<new-version>`: offers to load a newer version of the page. */

import { LitElement, css, html } from "lit";
import { customElement, property } from "lit/decorators.js";

import { sheet, theme } from "../ui/sheet.js";

@customElement("new-version")
export class NewVersion extends LitElement {
  static override styles = [
    theme,
    sheet,
    css`
      :host {
        position: fixed;
        z-index: 10;
        inset-block-end: calc(var(--_space) * 2);
        inset-inline: calc(var(--_space) * 2) auto;
        max-width: min(30rem, calc(100vw - var(--_space) * 4));
      }
      @media (max-width: 760px) {
        :host {
          /* Not over the navigation. */
          inset-block-end: 5rem;
        }
      }
      .card {
        padding: calc(var(--_space) * 1.5) calc(var(--_space) * 2);
        border-color: var(--_accent);
        box-shadow: 0 4px 16px rgb(0 0 0 / 25%);
      }
    `,
  ];

  /** Loads it. */
  @property({ attribute: false }) take: (() => void) | undefined;

  override render() {
    return html`<div class="card row spread" role="status">
      <span>A new version of this page is ready. <span class="muted">Loading it locks the vault.</span></span>
      <span class="row">
        <button type="button" class="primary" @click=${() => this.take?.()}>Reload</button>
        <button type="button" class="quiet" @click=${() => this.remove()}>Later</button>
      </span>
    </div>`;
  }
}

/** Shows the offer, once. */
export function offerNewVersion(take: () => void): void {
  const offer = document.querySelector("new-version") ?? document.createElement("new-version");
  offer.take = take;
  document.body.append(offer);
}

declare global {
  interface HTMLElementTagNameMap {
    "new-version": NewVersion;
  }
}
