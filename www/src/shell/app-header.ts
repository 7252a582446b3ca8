/** `<app-header>`: the product, the ways through the vault, where it is kept and who opened it, and the lock. */

import { LitElement, css, html, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";

import { LOCK_MINUTES } from "../idle.js";
import { NavigateEvent, type Route } from "../navigation.js";
import type { Place, Session } from "../session.js";
import { ICONS, MARK } from "../ui/icons.js";
import { sheet, theme } from "../ui/sheet.js";
import { VaultWatch } from "../ui/vault-watch.js";

const WAYS = [
  { view: "connectors", text: "Connectors", icon: ICONS.connectors },
  { view: "update", text: "Update", icon: ICONS.update },
  { view: "merge", text: "Merge", icon: ICONS.merge },
  { view: "grants", text: "Grants", icon: ICONS.grants },
  { view: "log", text: "Audit log", icon: ICONS.log },
] as const;

const PLACES: Readonly<Record<Place["kind"], string>> = {
  browser: "In this browser",
  file: "A file",
  url: "At a URL",
};

/** Asks the page to lock the vault. */
export class LockEvent extends Event {
  constructor() {
    super("lock", { bubbles: true, composed: true });
  }
}

/** Asks the page for a copy of the encrypted file. */
export class CopyEvent extends Event {
  constructor() {
    super("copy-vault", { bubbles: true, composed: true });
  }
}

/** Asks the page to lock an unused vault after so many minutes. */
export class LockMinutesEvent extends Event {
  constructor(readonly minutes: number) {
    super("lock-minutes", { bubbles: true, composed: true });
  }
}

@customElement("app-header")
export class AppHeader extends LitElement {
  static override styles = [
    theme,
    sheet,
    css`
      header {
        display: flex;
        align-items: center;
        gap: calc(var(--_space) * 2);
        min-height: 56px;
        padding-inline: clamp(1rem, 2.5vw, 2rem);
        background: var(--_surface);
        border-bottom: 1px solid var(--_border);
      }
      .brand {
        display: flex;
        align-items: center;
        gap: var(--_space);
        font-weight: 650;
        letter-spacing: -0.01em;
      }
      .mark {
        flex: none;
        width: 28px;
        height: 28px;
      }
      ul {
        display: flex;
        gap: 2px;
        margin: 0;
        padding: 0;
        list-style: none;
      }
      nav button {
        padding-inline: calc(var(--_space) * 1.5);
        color: var(--_muted);
        white-space: nowrap;
      }
      /* As wide as it will be when it is bold: nothing moves then. */
      nav button::after {
        display: block;
        height: 0;
        overflow: hidden;
        visibility: hidden;
        content: attr(data-text);
        font-weight: 600;
      }
      nav button:hover,
      nav button[aria-current] {
        color: var(--_text);
      }
      nav button[aria-current] {
        font-weight: 600;
        background: var(--_accent-faint);
      }
      nav .icon {
        display: none;
      }
      .session {
        display: flex;
        align-items: center;
        gap: var(--_space);
        min-width: 0;
        margin-inline-start: auto;
      }
      .place {
        display: grid;
        grid-template-columns: minmax(0, auto) auto auto;
        align-items: center;
        column-gap: var(--_space);
        min-width: 0;
        text-align: start;
      }
      .place .name {
        overflow: hidden;
        max-width: 16rem;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .badge {
        overflow: hidden;
        max-width: 12rem;
        text-overflow: ellipsis;
        white-space: nowrap;
        padding: 0 calc(var(--_space) * 0.75);
        color: var(--_muted);
        border: 1px solid var(--_control-border);
        border-radius: 1em;
        font-size: 0.8125rem;
      }
      .lock {
        display: flex;
        align-items: center;
        gap: calc(var(--_space) * 0.75);
      }
      .lock .icon {
        width: 18px;
        height: 18px;
      }
      [popover] {
        position: fixed;
        inset: 60px clamp(1rem, 2.5vw, 2rem) auto auto;
        width: min(20rem, calc(100% - 2rem));
        margin: 0;
        padding: calc(var(--_space) * 2);
        color: var(--_text);
        background: var(--_surface);
        border: 1px solid var(--_border);
        border-radius: calc(var(--_radius) * 1.5);
        box-shadow: 0 8px 24px rgb(0 0 0 / 18%);
      }
      dl {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr);
        gap: calc(var(--_space) / 2) calc(var(--_space) * 1.5);
        margin: 0;
      }
      dt {
        color: var(--_muted);
      }
      dd {
        margin: 0;
        overflow-wrap: anywhere;
      }
      @media (max-width: 1060px) {
        .brand span {
          display: none;
        }
      }
      @media (max-width: 860px) {
        nav {
          position: fixed;
          z-index: 2;
          inset: auto 0 0;
          padding-bottom: env(safe-area-inset-bottom);
          background: var(--_surface);
          border-top: 1px solid var(--_border);
        }
        nav ul {
          display: grid;
          grid-auto-columns: 1fr;
          grid-auto-flow: column;
          gap: 0;
        }
        nav button {
          display: grid;
          justify-items: center;
          gap: 2px;
          width: 100%;
          min-height: 56px;
          padding: calc(var(--_space) * 0.75) 0;
          border-radius: 0;
          font-size: 0.75rem;
        }
        nav button::after {
          content: none;
        }
        nav button[aria-current] {
          color: var(--_accent);
          background: none;
          box-shadow: inset 0 2px var(--_accent);
        }
        nav .icon {
          display: block;
        }
      }
      @media (max-width: 400px) {
        .badge {
          display: none;
        }
        nav button {
          font-size: 0.6875rem;
        }
      }
    `,
  ];

  @property({ attribute: false }) session?: Session | undefined;
  @property({ attribute: false }) view: Route["view"] = "connectors";
  @property({ attribute: false }) lockMinutes = 0;

  /** The menu is about to be closed, and the keyboard is in it. */
  #isLeaving = false;

  constructor() {
    super();
    new VaultWatch(this);
  }

  override render() {
    const { session } = this;
    if (session === undefined || session.vault.isLocked) return nothing;
    return html`<header>
      <div class="brand">${MARK}<span>connector-vault</span></div>
      <nav aria-label="Vault">
        <ul>
          ${WAYS.map(
            ({ view, text, icon }) =>
              html`<li>
                <button
                  type="button"
                  class="quiet"
                  data-text=${text}
                  aria-current=${this.#currentOf(view)}
                  @click=${() => this.dispatchEvent(new NavigateEvent({ view }))}
                >
                  ${icon}${text}
                </button>
              </li>`,
          )}
        </ul>
      </nav>
      ${this.#session(session)}
    </header>`;
  }

  #session({ vault, place }: Session): TemplateResult {
    return html`<div class="session">
      <button
        type="button"
        class="quiet place"
        popovertarget="menu"
        title="Where the vault is, copies, locking"
      >
        <span class="name">${place.label}</span
        ><span class="badge">${vault.label}, ${vault.role}</span>${ICONS.down}
      </button>
      <div
        id="menu"
        popover
        aria-label="This vault"
        @beforetoggle=${this.#leavesMenu}
        @toggle=${this.#leftMenu}
      >
        <div class="stack">
          <dl>
            <dt>${PLACES[place.kind]}</dt>
            <dd>${place.label}</dd>
            <dt>Opened by</dt>
            <dd>${vault.label}</dd>
            <dt>Role</dt>
            <dd>${vault.role}</dd>
          </dl>
          <button type="button" @click=${() => this.dispatchEvent(new CopyEvent())}>
            Download a copy (encrypted)
          </button>
          <label>
            Lock when unused
            <select @change=${this.#chosen}>
              ${LOCK_MINUTES.map(
                (minutes) =>
                  html`<option value=${minutes} .selected=${minutes === this.lockMinutes}>
                    ${minutesText(minutes)}
                  </option>`,
              )}
            </select>
          </label>
        </div>
      </div>
      <button
        type="button"
        class="lock"
        title="Lock (Ctrl+Shift+L)"
        aria-keyshortcuts="Control+Shift+L"
        @click=${() => this.dispatchEvent(new LockEvent())}
      >
        ${ICONS.lock}Lock
      </button>
    </div>`;
  }

  /** `page` for the view itself, `true` for those that one gets to from it. */
  #currentOf(view: Route["view"]): "page" | "true" | typeof nothing {
    if (view === this.view) return "page";
    const isBelow = view === "connectors" && !WAYS.some((way) => way.view === this.view);
    return isBelow ? "true" : nothing;
  }

  readonly #leavesMenu = ({ currentTarget, newState }: ToggleEvent): void => {
    const focused = this.shadowRoot?.activeElement ?? null;
    this.#isLeaving = newState === "closed" && (currentTarget as Element).contains(focused);
  };

  /** Not every browser gives the focus back to the button. */
  readonly #leftMenu = (): void => {
    if (this.#isLeaving) this.renderRoot.querySelector<HTMLElement>(".place")?.focus();
    this.#isLeaving = false;
  };

  readonly #chosen = (event: Event): void => {
    this.dispatchEvent(new LockMinutesEvent(Number((event.currentTarget as HTMLSelectElement).value)));
  };
}

function minutesText(minutes: number): string {
  return minutes === 0 ? "never" : minutes === 1 ? "after 1 minute" : `after ${minutes} minutes`;
}

declare global {
  interface HTMLElementTagNameMap {
    "app-header": AppHeader;
  }
}
