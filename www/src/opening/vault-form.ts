/** `<vault-form>`: opens or creates a vault, and says next to which field something is wrong. */

import { LitElement, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { Vault, type Expected, type KdfCost } from "connector-vault";
import { problemTemplate } from "connector-vault-elements/problem.js";

import { core } from "../core.js";
import { askToPersist } from "../places/browser.js";
import { SessionEvent, type Place } from "../session.js";
import { secretFieldSheet, type SecretField } from "../ui/secret-field.js";
import { segments, segmentsSheet } from "../ui/segments.js";
import { sheet, theme } from "../ui/sheet.js";
import { failureOf, placeFailure, type Failure, type Field, type Offer } from "./failure.js";
import { formSheet } from "./form-sheet.js";
import { lengthHint, suggestedPassphrase } from "../ui/passphrase.js";
import type { Mode, ModeEvent, PlaceChoice } from "./place-choice.js";
import "../ui/secret-field.js";
import "./place-choice.js";

const MODES = [
  { value: "open", text: "Open" },
  { value: "create", text: "Create" },
] as const;

const MEANS = [
  { value: "passphrase", text: "Passphrase" },
  { value: "identity", text: "Identity" },
] as const;

/** What a guess may cost, beside what the core takes by itself. */
const COSTS: readonly { readonly text: string; readonly cost: KdfCost | undefined }[] = [
  { text: "As recommended", cost: undefined },
  {
    text: "More: 256 MiB and 4 passes, several seconds on a phone",
    cost: { memoryKib: 262_144, passes: 4, lanes: 1 },
  },
  { text: "Least: 19 MiB and 2 passes, for small devices", cost: { memoryKib: 19_456, passes: 2, lanes: 1 } },
];

@customElement("vault-form")
export class VaultForm extends LitElement {
  static override styles = [theme, sheet, segmentsSheet, secretFieldSheet, formSheet];

  /** The place of the former session. */
  @property({ attribute: false }) place: Place | undefined;
  @state() private mode: Mode = "open";
  @state() private by: "passphrase" | "identity" = "passphrase";
  @state() private passphraseHint = lengthHint("");
  @state() private failure: Failure | undefined;
  @state() private busy: { readonly text: string; readonly ending: AbortController } | undefined;
  @state() private told = "";
  @query("place-choice") private choice!: PlaceChoice;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.busy?.ending.abort();
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("place") && this.place !== undefined) this.mode = "open";
  }

  override render() {
    const { busy } = this;
    return html`<form @submit=${this.#submit} @input=${this.#typed}>
      <fieldset class="plain" ?disabled=${busy !== undefined}>
        ${segments("What to do", "mode", MODES, this.mode, (mode) => this.#choose(mode))}
        <place-choice
          .mode=${this.mode}
          .place=${this.place}
          .problem=${this.#problemOf("place")}
          @mode=${({ mode }: ModeEvent) => this.#choose(mode)}
          @change=${() => (this.failure = undefined)}
        ></place-choice>
        <input id="user" type="text" autocomplete="username" hidden />
        ${this.mode === "open" ? this.#unlocking() : this.#creating()}
      </fieldset>
      ${this.failure?.field === "form" ? problemTemplate(this.failure.problem) : nothing} ${this.#offer()}
      ${busy === undefined ? this.#buttons() : this.#progress(busy)}
      <p class="visually-hidden" role="status">${this.told}</p>
    </form>`;
  }

  /** Gives the focus to where typing goes on. */
  override focus(): void {
    this.renderRoot.querySelector<SecretField>("secret-field")?.focus();
  }

  #unlocking(): TemplateResult {
    return html`${segments("Unlock with", "by", MEANS, this.by, (by) => {
      this.#clear();
      this.by = by;
    })}
    ${
      this.by === "passphrase"
        ? html`<secret-field
            field="passphrase"
            label="Passphrase"
            fill="current-password"
            .problem=${this.#problemOf("passphrase")}
          ></secret-field>`
        : html`<secret-field
              field="identity"
              label="Identity"
              hint="cvault-identity-1 and 58 characters: what a service holds instead of a passphrase."
              .problem=${this.#problemOf("identity")}
            ></secret-field>
            <label>
              Vault id
              <input
                id="vault-id"
                class="mono"
                autocomplete="off"
                autocapitalize="none"
                spellcheck="false"
                placeholder="needed the first time in this browser"
                aria-invalid=${this.failure?.field === "vaultId" ? "true" : nothing}
                aria-describedby="vault-id-problem"
              />
            </label>
            ${this.#problemAt("vaultId", "vault-id-problem")}`
    }`;
  }

  #creating(): TemplateResult {
    return html`<div class="field">
        <label for="label">Your name in this vault</label>
        <input
          id="label"
          autocomplete="off"
          placeholder="owner"
          aria-describedby="label-hint label-problem"
        />
        <span id="label-hint" class="muted hint">
          Others see it in the audit log. It stands in the file unencrypted.
        </span>
      </div>
      ${this.#problemAt("label", "label-problem")}
      <secret-field
        field="passphrase"
        label="Passphrase"
        fill="new-password"
        hint=${this.passphraseHint}
        .problem=${this.#problemOf("passphrase")}
      ></secret-field>
      <button type="button" class="suggest" @click=${this.#suggest}>Suggest a passphrase</button>
      <secret-field
        field="again"
        label="The same passphrase again"
        fill="new-password"
        .problem=${this.#problemOf("again")}
      ></secret-field>
      <details>
        <summary>What a guess costs</summary>
        <label>
          Memory and time that each try of a passphrase takes
          <select id="cost">
            ${COSTS.map(({ text }, index) => html`<option value=${index}>${text}</option>`)}
          </select>
        </label>
      </details>`;
  }

  #offer(): TemplateResult | typeof nothing {
    const offer = this.failure?.offer;
    if (offer === undefined || this.busy !== undefined) return nothing;
    return html`<div class="offer">
      <p>${offer.explanation}</p>
      <button type="button" @click=${() => this.#take(offer)}>${offer.text}</button>
    </div>`;
  }

  #buttons(): TemplateResult {
    return html`<button class="primary">${this.mode === "open" ? "Unlock" : "Create the vault"}</button>`;
  }

  #progress({ text, ending }: { readonly text: string; readonly ending: AbortController }): TemplateResult {
    return html`<div class="busy" tabindex="-1">
      <p>${text}</p>
      <progress aria-label="Unlocking"></progress>
      <div><button type="button" @click=${() => ending.abort()}>Cancel</button></div>
    </div>`;
  }

  #problemOf(field: Field) {
    return this.failure?.field === field ? this.failure.problem : undefined;
  }

  #problemAt(field: Field, id: string): TemplateResult {
    const problem = this.#problemOf(field);
    return html`<div id=${id} ?hidden=${problem === undefined}>
      ${problem === undefined ? nothing : problemTemplate(problem)}
    </div>`;
  }

  #choose(mode: Mode): void {
    this.#clear();
    this.mode = mode;
    this.failure = undefined;
  }

  readonly #typed = (): void => {
    if (this.mode === "create") this.passphraseHint = lengthHint(this.#secret("passphrase")?.value ?? "");
  };

  readonly #suggest = (): void => {
    const passphrase = suggestedPassphrase();
    for (const field of ["again", "passphrase"]) this.#secret(field)?.suggest(passphrase);
    this.told = "A passphrase was filled in. Keep it before you go on.";
  };

  readonly #submit = (event: Event): void => {
    event.preventDefault();
    void this.#begin({});
  };

  #take(offer: Offer): void {
    if (offer.step === "create" || offer.step === "open") {
      this.#choose(offer.step);
      return;
    }
    void this.#begin({ accept: true });
  }

  async #begin(options: Expected): Promise<void> {
    if (this.busy !== undefined) return;
    this.failure = undefined;
    // The same failure once more is told once more.
    await this.updateComplete;
    let place: Place;
    try {
      place = this.choice.take();
    } catch (error) {
      this.failure = placeFailure(error);
      return;
    }
    if (this.mode === "create" && this.#secret("passphrase")?.value !== this.#secret("again")?.value) {
      const message = "the two passphrases differ";
      this.failure = { field: "again", problem: { code: undefined, message, hint: undefined } };
      return;
    }
    // Password managers tell one vault from another by it.
    const user = this.#input("user");
    if (user !== null) user.value = place.label;
    const ending = new AbortController();
    const work = this.by === "identity" && this.mode === "open" ? "Opening the vault" : DERIVING;
    this.busy = { text: work, ending };
    this.told = work;
    // Before the button: Enter that is pressed once more must not cancel.
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>(".busy")?.focus());
    await this.#run(place, options, ending.signal);
  }

  async #run(place: Place, options: Expected, signal: AbortSignal): Promise<void> {
    try {
      await core();
      const vault = await (this.mode === "create"
        ? this.#create(place, signal)
        : this.#open(place, options, signal));
      if (signal.aborted) {
        vault.lock();
        signal.throwIfAborted();
      }
      this.busy = undefined;
      this.#clear();
      this.choice.clear();
      if (this.mode === "create" && place.kind === "browser") void askToPersist();
      this.dispatchEvent(new SessionEvent({ vault, place }));
    } catch (error) {
      this.busy = undefined;
      this.told = signal.aborted ? "Cancelled." : "";
      if (!signal.aborted) this.failure = failureOf(error, this.by);
      await this.updateComplete;
      if (signal.aborted) this.focus();
      else if (this.failure?.field === "vaultId") this.#input("vault-id")?.focus();
      else if (this.failure?.field === "label") this.#input("label")?.focus();
      // Not what is offered: a key that is pressed once more must not choose it.
      else if (this.failure?.field === "form")
        this.renderRoot.querySelector<HTMLElement>(".primary")?.focus();
    }
  }

  #open(place: Place, options: Expected, signal: AbortSignal): Promise<Vault> {
    const { value = "" } = this.#secret(this.by) ?? {};
    const vaultId = this.#input("vault-id")?.value.trim() || undefined;
    const secret = this.by === "passphrase" ? { passphrase: value } : { identity: value.trim() };
    return Vault.open(place.storage, { ...options, ...secret, vaultId, signal });
  }

  #create(place: Place, signal: AbortSignal): Promise<Vault> {
    const label = this.#input("label")?.value.trim() || undefined;
    const { value: passphrase = "" } = this.#secret("passphrase") ?? {};
    const cost = COSTS[this.renderRoot.querySelector<HTMLSelectElement>("#cost")?.selectedIndex ?? 0]?.cost;
    return Vault.create(place.storage, { label, passphrase, cost, signal });
  }

  /** Forgets what was typed that is secret. */
  #clear(): void {
    for (const field of this.renderRoot.querySelectorAll("secret-field")) field.clear();
    this.passphraseHint = lengthHint("");
    this.told = "";
  }

  #secret(field: string): SecretField | null {
    return this.renderRoot.querySelector<SecretField>(`secret-field[field="${field}"]`);
  }

  #input(id: string): HTMLInputElement | null {
    return this.renderRoot.querySelector<HTMLInputElement>(`#${id}`);
  }
}

const DERIVING =
  "Deriving the key from the passphrase. This takes about a second by design: guessing is slow, too.";

declare global {
  interface HTMLElementTagNameMap {
    "vault-form": VaultForm;
  }
}
