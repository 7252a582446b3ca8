/** `<place-choice>`: where a vault is or is to be: in this browser, in a file, at a URL. */

import { LitElement, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { VaultError } from "connector-vault";
import { problemOf, problemTemplate, type Problem } from "connector-vault-elements/problem.js";

import { browserPlace, browserVaults } from "../places/browser.js";
import { canWriteFiles, memoryPlace, pickFile, pickNewFile } from "../places/file.js";
import { splitUrl, urlPlace, type SplitUrl } from "../places/url.js";
import type { Place } from "../session.js";
import { ICONS } from "../ui/icons.js";
import { segments, segmentsSheet } from "../ui/segments.js";
import { sheet, theme } from "../ui/sheet.js";
import { choiceSheet } from "./choice-sheet.js";

/** Whether a vault is opened or made. */
export type Mode = "open" | "create";

const KINDS = [
  { value: "browser", text: "This browser" },
  { value: "file", text: "A file" },
  { value: "url", text: "A URL" },
] as const;

/** What a new file is called, unless the user says otherwise. */
const NEW_FILE = "team.cvault";

/** Asks for the other mode. */
export class ModeEvent extends Event {
  constructor(readonly mode: Mode) {
    super("mode");
  }
}

@customElement("place-choice")
export class PlaceChoice extends LitElement {
  static override styles = [theme, sheet, segmentsSheet, choiceSheet];

  @property() mode: Mode = "open";
  /** The place that is chosen to begin with. */
  @property({ attribute: false }) place: Place | undefined;
  /** What is wrong with the choice. */
  @property({ attribute: false }) problem: Problem | undefined;
  @state() private kind: Place["kind"] = "browser";
  @state() private names: readonly string[] | undefined;
  @state() private name = "";
  @state() private file: Place | undefined;
  @state() private url: SplitUrl = { url: "", user: "", password: "" };
  @state() private failed: Problem | undefined;
  @query("#new-name, #file-name, #url, .names :checked, #choose") private field!: HTMLElement | null;

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#list();
  }

  override willUpdate(changed: PropertyValues<this>): void {
    const { place } = this;
    if (!changed.has("place") || place === undefined) return;
    this.kind = place.kind;
    if (place.kind === "browser") this.name = place.label;
    if (place.kind === "file") this.file = place;
    if (place.kind === "url") this.url = { url: place.label, user: "", password: "" };
  }

  override render() {
    const problem = this.failed ?? this.problem;
    return html`<div class="stack">
      ${segments("Where the vault is", "kind", KINDS, this.kind, (kind) => {
        this.kind = kind;
        this.failed = undefined;
        this.dispatchEvent(new Event("change"));
      })}
      ${this.#fields()} ${problem === undefined ? nothing : problemTemplate(problem)}
    </div>`;
  }

  protected override updated(changed: PropertyValues<this>): void {
    // The one that is chosen may be far down. Not `scrollIntoView`, which moves the page, too.
    const [list, chosen] = [this.renderRoot.querySelector(".names"), this.field?.closest(".names label")];
    if (list && chosen instanceof HTMLElement && changed.size > 0) {
      list.scrollTop = Math.min(list.scrollTop, chosen.offsetTop);
      list.scrollTop = Math.max(list.scrollTop, chosen.offsetTop + chosen.offsetHeight - list.clientHeight);
    }
    if (changed.has("problem") && this.problem !== undefined) this.focus();
  }

  /** What is chosen. Fails if nothing is, or if the page may not go there. */
  take(): Place {
    switch (this.kind) {
      case "browser":
        if (this.name !== "") return browserPlace(this.name);
        throw new VaultError("place_missing", "the vault has no name", "give it one");
      case "file":
        // What the empty field shows.
        if (this.mode === "create" && !canWriteFiles()) this.file ??= memoryPlace(NEW_FILE);
        if (this.file !== undefined) return this.file;
        throw new VaultError("place_missing", "no file is chosen", "choose one");
      case "url":
        if (this.url.url !== "") return urlPlace(this.url);
        throw new VaultError("place_missing", "there is no URL", "enter one");
    }
  }

  /** Forgets user and password of a URL. */
  clear(): void {
    this.url = { ...this.url, user: "", password: "" };
  }

  override focus(): void {
    this.field?.focus();
  }

  #fields(): TemplateResult {
    switch (this.kind) {
      case "browser":
        return this.mode === "open" ? this.#listed() : this.#named();
      case "file":
        return canWriteFiles()
          ? this.#picked()
          : this.mode === "open"
            ? this.#uploaded()
            : this.#downloaded();
      case "url":
        return this.#addressed();
    }
  }

  /** The vaults of this browser. */
  #listed(): TemplateResult {
    const { names } = this;
    if (names === undefined) return html`<p class="muted" role="status">Looking for vaults</p>`;
    if (names.length === 0) {
      return html`<p class="muted">
        There is no vault in this browser yet.
        <button type="button" @click=${() => this.dispatchEvent(new ModeEvent("create"))}>Create one</button>
      </p>`;
    }
    return html`<fieldset class="names">
      <legend class="visually-hidden">Vault in this browser</legend>
      ${names.map(
        (name) =>
          html`<label>
            <input
              type="radio"
              name="name"
              .checked=${name === this.name}
              @change=${() => {
                this.name = name;
                this.dispatchEvent(new Event("change"));
              }}
            />${name}
          </label>`,
      )}
    </fieldset>`;
  }

  #named(): TemplateResult {
    return html`<div class="field">
      <label>
        Name of the vault
        <input
          id="new-name"
          autocomplete="off"
          .value=${this.name}
          @input=${(event: InputEvent) => (this.name = textOf(event).trim())}
          @keydown=${this.#submitByEnter}
        />
      </label>
      <p class="muted small">
        It stays in this browser's storage, encrypted. Download a copy now and then: a browser may clear what
        sites keep.
      </p>
    </div>`;
  }

  #picked(): TemplateResult {
    const isNew = this.mode === "create";
    const pick = async () => {
      this.failed = undefined;
      try {
        this.file = (await (isNew ? pickNewFile() : pickFile())) ?? this.file;
        this.dispatchEvent(new Event("change"));
      } catch (error) {
        this.failed = problemOf(error);
      }
    };
    return html`<div class="row">
        <button id="choose" type="button" @click=${() => void pick()}>
          ${isNew ? "Choose where to save it" : this.file === undefined ? "Choose a file" : "Choose another"}
        </button>
        ${this.#chosen()}
      </div>
      <p class="muted small">
        ${isNew ? "Choose a new name: browsers empty a file that is there already. " : nothing}This page
        writes the file in place. Tabs of this page take turns; do not change it at the same time by other
        programs, such as <code>cvault</code>: browsers know no lock that they would see.
      </p>`;
  }

  #uploaded(): TemplateResult {
    const take = async (event: Event) => {
      const [file] = (event.currentTarget as HTMLInputElement).files ?? [];
      if (file === undefined) return;
      this.failed = undefined;
      try {
        this.file = memoryPlace(file.name, new Uint8Array(await file.arrayBuffer()));
        this.dispatchEvent(new Event("change"));
      } catch (error) {
        this.failed = problemOf(error);
      }
    };
    return html`<label>
        Vault file
        <input id="choose" type="file" @change=${(event: Event) => void take(event)} />
      </label>
      ${this.#chosen()}
      <p class="muted small">
        This browser does not write files in place: after changes, download the changed vault.
      </p>`;
  }

  #downloaded(): TemplateResult {
    return html`<div class="field">
      <label>
        Name of the file
        <input
          id="file-name"
          autocomplete="off"
          placeholder=${NEW_FILE}
          .value=${this.file?.label ?? ""}
          @change=${(event: Event) => (this.file = memoryPlace(textOf(event).trim() || NEW_FILE))}
          @keydown=${this.#submitByEnter}
        />
      </label>
      <p class="muted small">This browser does not write files in place: you download the vault.</p>
    </div>`;
  }

  #chosen(): TemplateResult | typeof nothing {
    return this.file === undefined
      ? nothing
      : html`<span class="chosen">${ICONS.file}<strong>${this.file.label}</strong></span>`;
  }

  #addressed(): TemplateResult {
    const split = (event: Event) => {
      const input = event.currentTarget as HTMLInputElement;
      const url = splitUrl(input.value.trim());
      if (url.url === this.url.url && url.user + url.password === "") return;
      this.url = url;
      // Also if what is bound is the same as before.
      input.value = url.url;
      this.dispatchEvent(new Event("change"));
    };
    const isSplit = this.url.user + this.url.password !== "";
    // Said on the label's line: what moves when the field is left would not be clicked.
    return html`<div class="field">
      <div class="row spread">
        <label for="url">URL</label>
        <span class="muted small" role="status">${isSplit ? "user and password taken out" : ""}</span>
      </div>
      <input
        id="url"
        inputmode="url"
        autocomplete="off"
        autocapitalize="none"
        spellcheck="false"
        placeholder=${`${location.origin}/team.cvault`}
        aria-describedby="url-hint"
        .value=${this.url.url}
        @change=${split}
        @keydown=${this.#submitByEnter}
      />
      <p id="url-hint" class="muted small">
        The server takes the file by PUT, and has strong ETags and If-Match. User and password go to that
        server alone, and are kept no longer than the vault is open.
      </p>
    </div>`;
  }

  async #list(): Promise<void> {
    try {
      const names = await browserVaults();
      this.names = names;
      if (this.name === "" && this.mode === "open") this.name = names[0] ?? "";
      // Not for whoever was faster than the list, and has chosen another place.
      const isUnasked = this.place === undefined && this.kind === "browser";
      if (names.length === 0 && isUnasked) this.dispatchEvent(new ModeEvent("create"));
    } catch (error) {
      this.names = [];
      this.failed = problemOf(error);
    }
  }

  /** A form does not know inputs in another shadow root. */
  readonly #submitByEnter = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    // Takes user and password out of a URL first.
    event.currentTarget?.dispatchEvent(new Event("change"));
    this.closest("form")?.requestSubmit();
  };
}

function textOf(event: Event): string {
  return (event.currentTarget as HTMLInputElement).value;
}

declare global {
  interface HTMLElementTagNameMap {
    "place-choice": PlaceChoice;
  }
}
