/** `<idle-warning>`: counts the seconds until an unused vault is locked. */

import { LitElement, css, html } from "lit";
import { customElement, property } from "lit/decorators.js";

import { sheet, theme } from "../ui/sheet.js";

@customElement("idle-warning")
export class IdleWarning extends LitElement {
  static override styles = [
    theme,
    sheet,
    css`
      :host {
        padding: calc(var(--_space) * 1.5) calc(var(--_space) * 2);
        background: var(--_surface);
        border: 1px solid var(--_border);
        border-inline-start: 4px solid var(--_warning);
        border-radius: var(--_radius);
        box-shadow: 0 8px 24px rgb(0 0 0 / 18%);
      }
      b {
        font-variant-numeric: tabular-nums;
      }
    `,
  ];

  /** When it is locked, as `Date.now()` has it. */
  @property({ attribute: false }) locksAt = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#timer = setInterval(() => this.requestUpdate(), 1000);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.#timer);
  }

  override render() {
    const seconds = Math.max(0, Math.ceil((this.locksAt - Date.now()) / 1000));
    // Announced once: the seconds that pass are for the eye.
    return html`<p role="alert">
        Nobody has used this vault for a while, so it locks soon. Any key keeps it open.
      </p>
      <p aria-hidden="true">In <b>${seconds}</b> ${seconds === 1 ? "second" : "seconds"}</p>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "idle-warning": IdleWarning;
  }
}
