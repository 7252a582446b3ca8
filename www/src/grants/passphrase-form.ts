/** `<passphrase-form>`: another passphrase for the grant that opened the vault. */

import { LitElement, html } from "lit";
import { customElement, property, query } from "lit/decorators.js";

import { NoticeEvent } from "../notice.js";
import type { Session } from "../session.js";
import { secretFieldSheet } from "../ui/secret-field.js";
import { sheet, theme } from "../ui/sheet.js";
import { VaultWatch } from "../ui/vault-watch.js";
import { Work, workSheet } from "../ui/work.js";
import type { NewPassphrase } from "./new-passphrase.js";
import "./new-passphrase.js";

@customElement("passphrase-form")
export class PassphraseForm extends LitElement {
  static override styles = [theme, sheet, secretFieldSheet, workSheet];

  @property({ attribute: false }) session?: Session | undefined;
  @query("new-passphrase") private entry!: NewPassphrase;
  readonly #work = new Work(this);

  constructor() {
    super();
    new VaultWatch(this, { forget: () => this.#forget() });
  }

  override render() {
    return html`<form class="stack" autocomplete="off" @submit=${this.#submit}>
      <input type="text" autocomplete="username" hidden .value=${this.session?.place.label ?? ""} />
      <new-passphrase fill="new-password"></new-passphrase>
      <p class="muted">
        An old copy of the vault still opens by the old one. If somebody else knows it, have the grant revoked
        and granted again.
      </p>
      ${this.#work.template()} ${this.#work.progressTemplate()}
      <div class="row">
        <button type="submit" aria-disabled=${this.#work.ariaDisabled}>Change passphrase</button>
      </div>
    </form>`;
  }

  readonly #submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const vault = this.session?.vault;
    const passphrase = await this.entry.take();
    if (vault === undefined || passphrase === undefined) return;
    await this.#work.run(STRETCHING, async (signal) => {
      await vault.setPassphrase(passphrase, { signal });
      this.entry.clear();
      this.dispatchEvent(new NoticeEvent("Your passphrase is another one now."));
    });
  };

  #forget(): void {
    this.#work.stop();
    if (this.hasUpdated) this.entry.clear();
  }
}

/** What is said while Argon2id runs. */
export const STRETCHING =
  "Deriving a key from the passphrase. This takes about a second by design: guessing is slow, too.";

declare global {
  interface HTMLElementTagNameMap {
    "passphrase-form": PassphraseForm;
  }
}
