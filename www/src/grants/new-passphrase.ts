/**
 * `<new-passphrase>`: a new passphrase, typed twice or suggested. Holds it until it is taken. It renders into the tree of
 * its form, as its fields do: Enter submits, and password managers find them.
 */

import { LitElement, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Problem } from "connector-vault-elements/problem.js";

import { lengthHint, suggestedPassphrase } from "../ui/passphrase.js";
import type { SecretField } from "../ui/secret-field.js";
import "../ui/secret-field.js";

@customElement("new-passphrase")
export class NewPassphrase extends LitElement {
  /** What a password manager makes of it: `off` if it is somebody else's. */
  @property() fill: "new-password" | "off" = "off";
  @state() private hint = lengthHint("");
  @state() private problem: Problem | undefined;
  @state() private told = "";

  protected override createRenderRoot(): this {
    return this;
  }

  override render() {
    return html`<div class="stack" @input=${this.#typed}>
      <secret-field
        field="passphrase"
        label="New passphrase"
        fill=${this.fill}
        hint=${this.hint}
      ></secret-field>
      <div class="row"><button type="button" @click=${this.#suggest}>Suggest a passphrase</button></div>
      <secret-field
        field="again"
        label="The same passphrase again"
        fill=${this.fill}
        .problem=${this.problem}
      ></secret-field>
      <p class="visually-hidden" role="status">${this.told}</p>
    </div>`;
  }

  /** What was typed, if it was typed twice. Otherwise it says so beside the second field. */
  async take(): Promise<string | undefined> {
    this.problem = undefined;
    // The same problem once more is told once more.
    await this.updateComplete;
    const passphrase = this.#field("passphrase")?.value ?? "";
    if (passphrase === this.#field("again")?.value) return passphrase;
    this.problem = { code: undefined, message: "the two passphrases differ", hint: undefined };
    return undefined;
  }

  /** Forgets what was typed. */
  clear(): void {
    for (const field of ["passphrase", "again"]) this.#field(field)?.clear();
    this.hint = lengthHint("");
    this.problem = undefined;
    this.told = "";
  }

  readonly #typed = (): void => {
    this.hint = lengthHint(this.#field("passphrase")?.value ?? "");
  };

  readonly #suggest = (): void => {
    const passphrase = suggestedPassphrase();
    for (const field of ["again", "passphrase"]) this.#field(field)?.suggest(passphrase);
    this.told = "A passphrase was filled in. Keep it before you go on.";
  };

  #field(name: string): SecretField | null {
    return this.querySelector<SecretField>(`secret-field[field="${name}"]`);
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "new-passphrase": NewPassphrase;
  }
}
