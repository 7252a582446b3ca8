/** `<designer-app>`: the page: what is shown before, while and after a vault is open. */

import { LitElement, html, nothing, type TemplateResult } from "lit";
import { customElement, query, state } from "lit/decorators.js";
import { keyed } from "lit/directives/keyed.js";
import { problemOf } from "connector-vault-elements/problem.js";
import type { VaultChangeEvent } from "connector-vault";

import { appSheet } from "./app-sheet.js";
import { clearSecret } from "./clipboard.js";
import { core } from "./core.js";
import { emptyInputs, forgetMatches } from "./forget.js";
import { IdleWatch, keepLockMinutes, lockMinutes } from "./idle.js";
import { Navigation, type NavigateEvent, type Route } from "./navigation.js";
import { NoticeEvent } from "./notice.js";
import type { Place, Session, SessionEvent } from "./session.js";
import type { LockMinutesEvent } from "./shell/app-header.js";
import { remarksOn } from "./shell/remarks.js";
import { download } from "./ui/download.js";
import { sheet, theme } from "./ui/sheet.js";
import { TITLES, load, viewTemplate } from "./views.js";
import "./opening/opening-view.js";
import "./shell/app-header.js";
import "./shell/idle-warning.js";
import "./shell/sample-note.js";

/** How long a notice is shown. */
const NOTICE_MS = 8_000;

const LOCKED = "Locked.";
const LOCKED_UNUSED = "Locked, because nobody used the vault for a while.";

/** A view that is shown; the number tells one from the next, also of the same kind. */
interface Shown {
  readonly number: number;
  readonly route: Route;
}

@customElement("designer-app")
export class DesignerApp extends LitElement {
  static override styles = [theme, sheet, appSheet];

  @state() private session: Session | undefined;
  @state() private shown: Shown | undefined;
  /** Where the vault of the former session is. */
  @state() private formerPlace: Place | undefined;
  /** Why there is no session any more. */
  @state() private status = "";
  @state() private notice = "";
  @state() private remarks: readonly string[] = [];
  @state() private samplePassphrase: string | undefined;
  @state() private locksAt: number | undefined;
  @query("main") private main!: HTMLElement;
  /** Places whose bytes are in this tab alone until the user has downloaded them. */
  readonly #memoryPlaces = new Set<Place>();
  readonly #navigation = new Navigation((route) => void this.#show(route));
  #lockMinutes = lockMinutes();
  #idle: IdleWatch | undefined;
  #asked = 0;
  #noticeTimer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    addEventListener("keydown", (event) => {
      if (!(event.ctrlKey || event.metaKey) || !event.shiftKey || event.code !== "KeyL") return;
      event.preventDefault();
      // Else a page that nobody has opened yet would say that it is locked.
      if (this.session !== undefined) this.#lock(LOCKED);
    });
    addEventListener("beforeunload", (event) => {
      if (this.#unsaved().length > 0) event.preventDefault();
    });
  }

  protected override firstUpdated(): void {
    // Until a passphrase is typed, what is seen next is there.
    void core()
      .then(() => load({ view: "connectors" }))
      .catch(() => undefined);
  }

  override render() {
    return html`${this.session === undefined ? this.#opening() : this.#open(this.session)}
      <p class=${this.notice === "" ? "toast empty" : "toast"} role="status">${this.notice}</p>`;
  }

  #opening(): TemplateResult {
    return html`<main>
      ${this.#saving()}
      <opening-view
        .place=${this.formerPlace}
        .status=${this.status}
        ?locked=${this.status !== ""}
        @session=${this.#begin}
      ></opening-view>
    </main>`;
  }

  #open(session: Session): TemplateResult {
    const { shown, locksAt, samplePassphrase } = this;
    return html`<app-header
        .session=${session}
        .view=${shown?.route.view ?? "connectors"}
        .lockMinutes=${this.#lockMinutes}
        @navigate=${this.#navigate}
        @lock=${() => this.#lock(LOCKED)}
        @copy-vault=${() => void this.#copy(session)}
        @lock-minutes=${this.#takeLockMinutes}
      ></app-header>
      <main @navigate=${this.#navigate} @notice=${({ text }: NoticeEvent) => this.#tell(text)}>
        ${this.#saving()} ${this.remarks.map((remark) => html`<p class="note">${remark}</p>`)}
        ${
          samplePassphrase === undefined || shown?.route.view !== "connectors"
            ? nothing
            : html`<sample-note
                .passphrase=${samplePassphrase}
                .name=${session.place.label}
                @done=${() => (this.samplePassphrase = undefined)}
              ></sample-note>`
        }
        ${shown === undefined ? nothing : keyed(shown.number, viewTemplate(shown.route, session))}
      </main>
      ${locksAt === undefined ? nothing : html`<idle-warning .locksAt=${locksAt}></idle-warning>`}`;
  }

  /** Vaults that are in this tab alone. */
  #saving(): TemplateResult[] {
    return this.#unsaved().map(
      (place) =>
        html`<div class="note row spread">
          <span><strong>${place.label}</strong> has changes that are in this tab alone.</span>
          <button
            type="button"
            class="primary"
            @click=${() => {
              place.download?.save();
              this.requestUpdate();
            }}
          >
            Download the changed vault
          </button>
        </div>`,
    );
  }

  #unsaved(): Place[] {
    return [...this.#memoryPlaces].filter(({ download }) => download?.isSaved === false);
  }

  readonly #begin = ({ session, samplePassphrase }: SessionEvent): void => {
    const { vault, place } = session;
    this.session = session;
    this.samplePassphrase = samplePassphrase;
    this.remarks = remarksOn(vault.report);
    this.status = "";
    if (place.download !== undefined) this.#memoryPlaces.add(place);
    const ending = new AbortController();
    vault.addEventListener("change", this.#changed, { signal: ending.signal });
    vault.addEventListener(
      "lock",
      () => {
        ending.abort();
        this.#end(session);
      },
      { signal: ending.signal },
    );
    this.#watch();
    this.#navigation.begin();
  };

  readonly #changed = ({ origin }: VaultChangeEvent): void => {
    if (origin === "other")
      this.#tell("Changed elsewhere, in another tab or program: this is the new state.");
    this.requestUpdate();
  };

  readonly #navigate = ({ route }: NavigateEvent): void => this.#navigation.go(route);

  async #show(route: Route): Promise<void> {
    const number = ++this.#asked;
    try {
      await load(route);
    } catch (error) {
      this.#tell(`This part of the page cannot be loaded: ${problemOf(error).message}.`);
      return;
    }
    // Something else was asked for meanwhile, or the vault was locked.
    if (number !== this.#asked || this.session === undefined) return;
    this.shown = { number, route };
    document.title = `${TITLES[route.view]} - connector-vault`;
    await this.updateComplete;
    scrollTo(0, 0);
    await this.#focusHeading();
  }

  /** Screen readers begin to read there, and the keyboard goes on from there. */
  async #focusHeading(): Promise<void> {
    const view = this.main.lastElementChild;
    if (view instanceof LitElement) await view.updateComplete;
    const heading = view?.shadowRoot?.querySelector("h1");
    if (heading === null || heading === undefined) return;
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }

  #watch(): void {
    this.#idle?.stop();
    this.locksAt = undefined;
    if (this.session === undefined) return;
    this.#idle = new IdleWatch(this.#lockMinutes, {
      warn: (locksAt) => (this.locksAt = locksAt),
      active: () => (this.locksAt = undefined),
      lock: () => this.#lock(LOCKED_UNUSED),
    });
  }

  readonly #takeLockMinutes = ({ minutes }: LockMinutesEvent): void => {
    this.#lockMinutes = minutes;
    keepLockMinutes(minutes);
    this.#watch();
    this.requestUpdate();
  };

  async #copy({ place }: Session): Promise<void> {
    try {
      if (place.download !== undefined) place.download.save();
      else download(fileNameOf(place), new Uint8Array(await place.storage.read()));
      this.#tell("A copy of the encrypted vault was handed to the browser's downloads.");
    } catch (error) {
      this.#tell(`No copy was made: ${problemOf(error).message}.`);
    }
  }

  #lock(status: string): void {
    this.status = status;
    this.session?.vault.lock();
  }

  /** The vault is locked: by this page, or by whoever else holds it. */
  #end({ place }: Session): void {
    emptyInputs(this.renderRoot as ShadowRoot);
    this.#asked++;
    this.#navigation.end();
    this.#idle?.stop();
    // What ended the watch remembers who called, and so the vault, and so where it was.
    this.#idle = undefined;
    this.session = this.shown = this.samplePassphrase = this.locksAt = undefined;
    this.remarks = [];
    this.notice = "";
    this.status ||= LOCKED;
    this.formerPlace = place.afterwards?.() ?? place;
    document.title = "connector-vault";
    void clearSecret();
    void this.#afterEnd();
  }

  async #afterEnd(): Promise<void> {
    await this.updateComplete;
    this.renderRoot.querySelector("opening-view")?.focus();
    // Last, since rendering matches texts too.
    forgetMatches();
  }

  #tell(text: string): void {
    clearTimeout(this.#noticeTimer);
    this.notice = text;
    this.#noticeTimer = setTimeout(() => (this.notice = ""), NOTICE_MS);
  }
}

function fileNameOf({ kind, label }: Place): string {
  const name = kind === "url" ? (label.split("/").at(-1) ?? "") : label;
  return name.endsWith(".cvault") ? name : `${name || "vault"}.cvault`;
}

declare global {
  interface HTMLElementTagNameMap {
    "designer-app": DesignerApp;
  }
}
