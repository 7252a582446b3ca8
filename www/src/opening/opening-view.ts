/** `<opening-view>`: what the page shows while no vault is open. */

import { LitElement, css, html, nothing, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { problemOf, problemTemplate, type Problem } from "connector-vault-elements/problem.js";

import { SessionEvent, type Place } from "../session.js";
import { ICONS, MARK } from "../ui/icons.js";
import { sheet, theme } from "../ui/sheet.js";
import type { VaultForm } from "./vault-form.js";
import "./vault-form.js";

@customElement("opening-view")
export class OpeningView extends LitElement {
  static override styles = [
    theme,
    sheet,
    css`
      :host {
        display: grid;
        align-items: start;
        grid-template-columns: minmax(0, 27rem) minmax(0, 28rem);
        justify-content: center;
        gap: clamp(2rem, 6vw, 6rem);
        padding: clamp(1.5rem, 7vh, 6rem) clamp(1rem, 4vw, 3rem) 4rem;
      }
      .about {
        display: grid;
        gap: calc(var(--_space) * 2.5);
        padding-top: calc(var(--_space) * 2);
      }
      .name {
        display: flex;
        align-items: center;
        gap: calc(var(--_space) * 1.5);
      }
      .mark {
        flex: none;
        width: 44px;
        height: 44px;
      }
      h1 {
        font-size: 1.875rem;
        letter-spacing: -0.015em;
      }
      .lead {
        font-size: 1.1875rem;
        line-height: 1.45;
        text-wrap: pretty;
      }
      ul {
        display: grid;
        gap: var(--_space);
        margin: 0;
        padding: 0;
        color: var(--_muted);
        list-style: none;
      }
      li {
        display: grid;
        grid-template-columns: auto 1fr;
        gap: calc(var(--_space) * 1.25);
      }
      li .icon {
        margin-top: 1px;
        color: var(--_accent);
      }
      .try {
        display: grid;
        justify-items: start;
        gap: var(--_space);
        margin-top: var(--_space);
      }
      .try button {
        min-height: 48px;
        padding-inline: calc(var(--_space) * 3.5);
        font-size: 1.0625rem;
        font-weight: 600;
        background: var(--_surface);
        border-color: var(--_accent);
        color: var(--_accent);
      }
      .try button:hover:enabled {
        background: var(--_accent-faint);
      }
      .card {
        padding: calc(var(--_space) * 3);
        box-shadow:
          0 1px 2px rgb(0 0 0 / 6%),
          0 8px 24px rgb(0 0 0 / 6%);
      }
      .locked {
        display: flex;
        gap: var(--_space);
        padding: var(--_space) calc(var(--_space) * 1.5);
        background: var(--_accent-faint);
        border-radius: var(--_radius);
      }
      @media (max-width: 860px) {
        :host {
          grid-template-columns: minmax(0, 30rem);
          gap: 2rem;
        }
        .about {
          padding-top: 0;
        }
        :host {
          padding-top: 1.5rem;
        }
        :host([locked]) .about > :not(.name) {
          display: none;
        }
      }
      @media (max-width: 480px) {
        .card {
          padding: calc(var(--_space) * 2);
        }
      }
    `,
  ];

  /** The place of the session that was locked. */
  @property({ attribute: false }) place: Place | undefined;
  /** Why it was locked. */
  @property() status = "";
  @property({ type: Boolean, reflect: true }) locked = false;
  @state() private making: AbortController | undefined;
  @state() private problem: Problem | undefined;
  @query("vault-form") private form!: VaultForm;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.making?.abort();
  }

  override render() {
    return html`<section class="about">
        <div class="name">
          ${MARK}
          <h1 tabindex="-1">connector-vault</h1>
        </div>
        <p class="lead">
          The credentials of your workflow connectors in one encrypted file, and what an update would change
          before it runs.
        </p>
        <ul>
          <li>
            ${ICONS.lock}<span
              >Encrypted and decrypted on this page: no account, and nothing leaves it in clear.</span
            >
          </li>
          <li>${ICONS.log}<span>Every change is signed, kept in the history, and can be undone.</span></li>
          <li>${ICONS.file}<span>One file for this page, the command line, Rust and JavaScript.</span></li>
        </ul>
        ${this.#try()}
      </section>
      <section class="card stack" aria-label="Open or create a vault">
        <p class="locked" role="status" ?hidden=${this.status === ""}>
          ${ICONS.lock}<span>${this.status}</span>
        </p>
        <vault-form .place=${this.place}></vault-form>
      </section>`;
  }

  /** Gives the focus to where typing begins. */
  override focus(): void {
    void this.updateComplete.then(() => this.form.updateComplete).then(() => this.form.focus());
  }

  #try(): TemplateResult {
    const { making } = this;
    return html`<div class="try">
      <button type="button" aria-disabled=${making !== undefined} @click=${() => void this.#makeSample()}>
        Try it
      </button>
      <p class="muted" role="status">
        ${
          making === undefined
            ? "Makes a vault with sample connectors in this browser."
            : "Deriving the key of a sample vault. This takes about a second by design."
        }
      </p>
      ${this.problem === undefined ? nothing : problemTemplate(this.problem)}
    </div>`;
  }

  async #makeSample(): Promise<void> {
    if (this.making !== undefined) return;
    this.problem = undefined;
    const making = (this.making = new AbortController());
    try {
      const { createSample } = await import("./sample.js");
      const { session, passphrase } = await createSample(making.signal);
      // Something else was opened meanwhile.
      if (making.signal.aborted) session.vault.lock();
      else this.dispatchEvent(new SessionEvent(session, passphrase));
    } catch (error) {
      if (!making.signal.aborted) this.problem = problemOf(error);
    } finally {
      this.making = undefined;
    }
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "opening-view": OpeningView;
  }
}
