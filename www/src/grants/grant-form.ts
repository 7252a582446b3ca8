/** `<grant-form>`: grants a role to a passphrase, to a public key, or to a new identity for a service. */

import { LitElement, css, html, nothing, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { Identity, type Role, type Vault } from "connector-vault";

import { NoticeEvent } from "../notice.js";
import type { Session } from "../session.js";
import { secretFieldSheet } from "../ui/secret-field.js";
import { segments, segmentsSheet } from "../ui/segments.js";
import { sheet, theme } from "../ui/sheet.js";
import { VaultWatch } from "../ui/vault-watch.js";
import { Work, workSheet } from "../ui/work.js";
import type { NewPassphrase } from "./new-passphrase.js";
import { STRETCHING } from "./passphrase-form.js";
import { ROLES } from "./roles.js";
import "./identity-once.js";
import "./new-passphrase.js";

type Way = "passphrase" | "key" | "identity";

const WAYS = [
  { value: "passphrase", text: "Passphrase" },
  { value: "key", text: "Public key" },
  { value: "identity", text: "New identity" },
] as const;

/** Whom each way is for. */
const ABOUT: Readonly<Record<Way, string>> = {
  passphrase: "For a person. Give them the passphrase where nobody else listens.",
  key: "For whoever has an identity and gave you its public key. Nothing secret has to travel.",
  identity: "For a service. The identity is made here, and its secret is shown once.",
};

@customElement("grant-form")
export class GrantForm extends LitElement {
  static override styles = [
    theme,
    sheet,
    secretFieldSheet,
    segmentsSheet,
    workSheet,
    css`
      .pair {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(12rem, 100%), 1fr));
        gap: calc(var(--_space) * 1.5);
      }
    `,
  ];

  @property({ attribute: false }) session?: Session | undefined;
  @state() private way: Way = "passphrase";
  /** An identity that was granted a role and is shown now. */
  @state() private made: { readonly label: string; readonly identity: Identity } | undefined;
  @query("form") private form!: HTMLFormElement | null;
  @query("new-passphrase") private entry!: NewPassphrase | null;
  readonly #work = new Work(this);

  constructor() {
    super();
    new VaultWatch(this, { forget: () => this.#forget() });
  }

  override render() {
    if (this.made !== undefined) {
      return html`<identity-once
        .identity=${this.made.identity}
        .label=${this.made.label}
        .vaultId=${this.session?.vault.head.vaultId}
        @kept=${this.#kept}
      ></identity-once>`;
    }
    return html`<form class="stack" autocomplete="off" @submit=${this.#submit}>
      <div class="pair">
        <label>
          Label
          <input name="label" required autocomplete="off" placeholder="who it is for" />
        </label>
        <label>
          Role
          <select name="role">
            ${ROLES.map(({ role }) => html`<option value=${role}>${role}</option>`)}
          </select>
        </label>
      </div>
      <div class="field">
        <span aria-hidden="true">Opens by</span>
        ${segments("Opens by", "way", WAYS, this.way, (way) => this.#choose(way))}
      </div>
      <p class="muted">${ABOUT[this.way]}</p>
      ${this.#fields()} ${this.#work.template()}
      ${this.way === "passphrase" ? this.#work.progressTemplate() : nothing}
      <div class="row">
        <button type="submit" class="primary" aria-disabled=${this.#work.ariaDisabled}>Grant</button>
      </div>
      <p class="muted">The vault file shows labels and roles to everybody who has it.</p>
    </form>`;
  }

  #fields(): TemplateResult | typeof nothing {
    switch (this.way) {
      case "passphrase":
        return html`<new-passphrase></new-passphrase>`;
      case "key":
        return html`<label>
          Public key
          <textarea
            name="key"
            class="mono"
            rows="3"
            required
            autocomplete="off"
            spellcheck="false"
            autocapitalize="none"
          ></textarea>
        </label>`;
      case "identity":
        return nothing;
    }
  }

  #choose(way: Way): void {
    this.#work.stop();
    this.entry?.clear();
    this.way = way;
  }

  readonly #submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const vault = this.session?.vault;
    if (vault === undefined) return;
    const fields = new FormData(event.target as HTMLFormElement);
    const label = String(fields.get("label")).trim();
    const role = String(fields.get("role")) as Role;
    switch (this.way) {
      case "passphrase": {
        const passphrase = await this.entry?.take();
        if (passphrase === undefined) return;
        await this.#grant(label, role, STRETCHING, (signal) =>
          vault.grant(label, role, { passphrase }, { signal }),
        );
        break;
      }
      case "key": {
        const key = String(fields.get("key")).trim();
        await this.#grant(label, role, "Granting", (signal) => vault.grant(label, role, { key }, { signal }));
        break;
      }
      case "identity":
        await this.#grant(label, role, "Granting", () => this.#grantIdentity(vault, label, role));
    }
  };

  async #grant(
    label: string,
    role: Role,
    busy: string,
    grant: (signal: AbortSignal) => Promise<unknown>,
  ): Promise<void> {
    await this.#work.run(busy, async (signal) => {
      await grant(signal);
      this.form?.reset();
      this.entry?.clear();
      this.dispatchEvent(new NoticeEvent(`${label} is ${role} now.`));
    });
  }

  async #grantIdentity(vault: Vault, label: string, role: Role): Promise<void> {
    const identity = Identity.generate();
    try {
      // Not given up halfway: a grant whose identity nobody has seen would be of no use.
      await vault.grant(label, role, { key: identity.grantKey });
    } catch (error) {
      identity.dispose();
      throw error;
    }
    if (vault.isLocked || !this.isConnected) identity.dispose();
    else this.made = { label, identity };
  }

  readonly #kept = (): void => {
    this.#dropIdentity();
    // The button that was pressed is gone.
    void this.updateComplete.then(() => this.form?.querySelector("input")?.focus());
  };

  #dropIdentity(): void {
    this.made?.identity.dispose();
    this.made = undefined;
  }

  #forget(): void {
    this.#work.stop();
    this.#dropIdentity();
    if (!this.hasUpdated) return;
    this.form?.reset();
    this.entry?.clear();
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "grant-form": GrantForm;
  }
}
