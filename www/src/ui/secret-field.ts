/**
 * `<secret-field>`: a label, an input that is masked, and a button that shows what was typed.
 *
 * It renders into its parent's tree, not into one of its own: password managers find the fields of a form only where the
 * form is. Its look is {@link secretFieldSheet}, for the parent.
 */

import { LitElement, css, html, nothing, type PropertyValues } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { problemTemplate, type Problem } from "connector-vault-elements/problem.js";

@customElement("secret-field")
export class SecretField extends LitElement {
  /** The input's id in the parent's tree. */
  @property() field = "secret";
  @property() label = "";
  /** What a password manager makes of it. */
  @property() fill: "current-password" | "new-password" | "off" = "off";
  /** What is said below it. */
  @property() hint = "";
  /** What is wrong with what was typed. */
  @property({ attribute: false }) problem: Problem | undefined;
  @state() private isShown = false;
  @query("input") private input!: HTMLInputElement;

  protected override createRenderRoot(): this {
    return this;
  }

  override render() {
    const { field, problem } = this;
    return html`<label for=${field}>${this.label}</label>
      <span class="secret">
        <input
          id=${field}
          type=${this.isShown ? "text" : "password"}
          autocomplete=${this.fill}
          autocapitalize="none"
          spellcheck="false"
          aria-describedby=${`${field}-problem ${field}-hint`}
          aria-invalid=${problem === undefined ? nothing : "true"}
        />
        <button
          type="button"
          class="quiet"
          aria-label=${`${this.isShown ? "Hide" : "Show"}: ${this.label}`}
          @click=${() => (this.isShown = !this.isShown)}
        >
          ${this.isShown ? "Hide" : "Show"}
        </button>
      </span>
      <div id=${`${field}-problem`} ?hidden=${problem === undefined}>
        ${problem === undefined ? nothing : problemTemplate(problem)}
      </div>
      <p id=${`${field}-hint`} class="muted hint" ?hidden=${this.hint === ""}>${this.hint}</p>`;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("problem") && this.problem !== undefined) this.focus();
  }

  /** What was typed. */
  get value(): string {
    return this.hasUpdated ? this.input.value : "";
  }

  /** Shows a value that the page has made, which the user should see. */
  suggest(value: string): void {
    this.input.value = value;
    this.isShown = true;
    this.input.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }

  /** Forgets what was typed. */
  clear(): void {
    if (this.hasUpdated) this.input.value = "";
    this.isShown = false;
  }

  override focus(): void {
    this.input.focus();
    this.input.select();
  }
}

/** The look of secret fields, for those who have some. */
export const secretFieldSheet = css`
  secret-field {
    display: grid;
    gap: calc(var(--_space) / 2);
  }
  .secret {
    position: relative;
    display: block;
  }
  .secret input {
    padding-inline-end: 4.5rem;
  }
  .secret input[type="text"] {
    font-family: var(--_font-mono);
    font-size: 0.9em;
  }
  .secret button {
    position: absolute;
    inset-block: 3px;
    inset-inline-end: 3px;
    padding-block: 0;
    padding-inline: var(--_space);
    color: var(--_accent);
    font-size: 0.875rem;
  }
  .hint {
    font-size: 0.875rem;
  }
`;

declare global {
  interface HTMLElementTagNameMap {
    "secret-field": SecretField;
  }
}
