/** `<token-values>`: the values of an action's tokens for one run. Tells `values` when there are others. */

import { LitElement, css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { TokenInfo } from "connector-vault";

import { sheet, theme } from "../ui/sheet.js";
import "../ui/value-field.js";

@customElement("token-values")
export class TokenValues extends LitElement {
  static override styles = [
    theme,
    sheet,
    css`
      .token {
        display: grid;
        gap: calc(var(--_space) / 2);
      }
      .token > span {
        font-family: var(--_font-mono);
        font-size: 0.9em;
        color: var(--_token);
        overflow-wrap: anywhere;
      }
    `,
  ];

  /** What the action needs. */
  @property({ attribute: false }) tokens: readonly TokenInfo[] = [];

  override render() {
    if (this.tokens.length === 0) return nothing;
    return html`<section class="card stack" aria-labelledby="title">
      <h2 id="title">Values of its tokens</h2>
      <p class="muted">In a workflow the platform supplies these. Here they are for this run only.</p>
      <div class="stack" @input=${this.#typed}>
        ${repeat(
          this.tokens,
          ({ key }) => key,
          ({ key, required }) =>
            html`<div class="token">
              <span aria-hidden="true">${key}</span>
              <value-field
                label=${key}
                hint=${required ? "" : "Without a value its default is used."}
              ></value-field>
            </div>`,
        )}
      </div>
    </section>`;
  }

  /** What was typed, by the tokens' keys. An empty field gives no value. */
  get values(): Record<string, string> {
    const fields = [...this.renderRoot.querySelectorAll("value-field")];
    return Object.fromEntries(
      fields.map(({ label, value }) => [label, value]).filter(([, value]) => value !== ""),
    );
  }

  /** Forgets what was typed. */
  clear(): void {
    for (const field of this.renderRoot.querySelectorAll("value-field")) field.clear();
  }

  readonly #typed = (event: Event): void => {
    event.stopPropagation();
    this.dispatchEvent(new Event("values"));
  };
}

declare global {
  interface HTMLElementTagNameMap {
    "token-values": TokenValues;
  }
}
