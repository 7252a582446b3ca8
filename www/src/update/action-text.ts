/** `<action-text>`: the action's document, to be copied into a workflow. */

import { LitElement, css, html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";

import { COPIED_TEXT, copySecret } from "../clipboard.js";
import { sheet, theme } from "../ui/sheet.js";
import { literalsOf } from "./action.js";
import "../ui/copy-button.js";

@customElement("action-text")
export class ActionText extends LitElement {
  static override styles = [
    theme,
    sheet,
    css`
      summary {
        min-height: 24px;
        cursor: pointer;
      }
      pre {
        max-height: 24rem;
        margin: var(--_space) 0 0;
        padding: calc(var(--_space) * 1.5);
        overflow: auto;
        font: 0.875rem/1.5 var(--_font-mono);
        background: var(--_raised);
        border: 1px solid var(--_border);
        border-radius: var(--_radius);
        tab-size: 2;
      }
      .clear {
        padding: calc(var(--_space) * 1.25) calc(var(--_space) * 1.5);
        border: 1px solid var(--_border);
        border-inline-start: 4px solid var(--_warning);
        border-radius: var(--_radius);
      }
    `,
  ];

  /** The document. */
  @property({ attribute: false }) action = "";
  @state() private told = "";
  /** It may hold values that were typed into masked fields elsewhere: it is written out on request alone. */
  @state() private isOpen = false;

  override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (changed.has("action")) this.told = "";
  }

  override render() {
    const literals = literalsOf(this.action);
    return html`<section class="card stack" aria-labelledby="title">
      <div class="row spread">
        <h2 id="title">For a workflow</h2>
        ${
          literals.length === 0
            ? html`<copy-button .text=${() => this.action} label="Copy the action"></copy-button>`
            : html`<button type="button" @click=${() => void this.#copy()}>Copy the action</button>`
        }
      </div>
      ${literals.length === 0 ? nothing : clearTemplate(literals)}
      <p class="muted" role="status" ?hidden=${this.told === ""}>${this.told}</p>
      <details @toggle=${(event: Event) => (this.isOpen = (event.target as HTMLDetailsElement).open)}>
        <summary>Show its JSON</summary>
        ${this.isOpen ? html`<pre tabindex="0" aria-label="JSON of the action">${this.action}</pre>` : nothing}
      </details>
    </section>`;
  }

  /** Values in it leave the clipboard again, as far as that is possible. */
  async #copy(): Promise<void> {
    try {
      await copySecret(this.action);
      this.told = COPIED_TEXT;
    } catch {
      this.told = "The browser does not permit it. Show the JSON, and copy it by hand.";
    }
  }
}

function clearTemplate(literals: readonly string[]): TemplateResult {
  const names = literals.map((name, index) => html`${index === 0 ? "" : ", "}<b>${name}</b>`);
  return html`<p class="clear">
    In clear in this action: ${names}. Whoever sees the workflow can read that. Write tokens in place of
    secrets, such as <code>[Secrets:TwitterKey]</code>.
  </p>`;
}

declare global {
  interface HTMLElementTagNameMap {
    "action-text": ActionText;
  }
}
