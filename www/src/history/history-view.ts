/** `<history-view>`: the versions of a connector, also of one that is deleted. */

import { LitElement, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { Overview, Vault } from "connector-vault";
import type { RestoredEvent } from "connector-vault-elements/connector-history.js";

import { NavigateEvent, type Route } from "../navigation.js";
import { NoticeEvent } from "../notice.js";
import type { Session } from "../session.js";
import { sheet, theme } from "../ui/sheet.js";
import { VaultWatch } from "../ui/vault-watch.js";
import { Work, workSheet } from "../ui/work.js";
import "connector-vault-elements/connector-history.js";

@customElement("history-view")
export class HistoryView extends LitElement {
  static override styles = [theme, sheet, workSheet];

  @property({ attribute: false }) session?: Session | undefined;
  @property({ attribute: false }) connectorId?: string | undefined;

  readonly #work = new Work(this);

  constructor() {
    super();
    new VaultWatch(this, { forget: () => this.#work.stop() });
  }

  override render() {
    const { session, connectorId: id } = this;
    if (session === undefined || session.vault.isLocked || id === undefined) return nothing;
    const versions = versionsOf(session.vault, id);
    const newest = versions.at(-1);
    const isDeleted = newest?.op === "delete";
    const last = versions.findLast(({ op }) => op !== "delete");
    return html`<div class="stack">
      <header class="stack">
        <div class="row spread">
          <h1 tabindex="-1">History of ${newest?.name ?? id}</h1>
          <div class="row">
            ${
              isDeleted || newest === undefined
                ? this.#way("All connectors", { view: "connectors" })
                : html`${this.#way("Connector", { view: "connector", id })}
                  ${this.#way("Update", { view: "update", id })}`
            }
          </div>
        </div>
        <p class="muted"><code>${id}</code>${isDeleted ? " is deleted." : nothing}</p>
        ${isDeleted && last !== undefined ? this.#again(session.vault, last) : nothing}
      </header>
      <section class="card" aria-label="Versions">
        <connector-history
          .vault=${session.vault}
          .connectorId=${id}
          @restored=${({ version, outcome }: RestoredEvent) =>
            this.dispatchEvent(
              new NoticeEvent(
                `Version ${version} was restored: ${newest?.name ?? id} is at version ${outcome.versionAfter}.`,
              ),
            )}
        ></connector-history>
      </section>
    </div>`;
  }

  /** A version is restored of what is there; what was deleted is undeleted, and its versions go on. */
  #again(vault: Vault, { id, name, version }: Overview) {
    return html`${this.#work.template()}
      <div class="row">
        <button
          type="button"
          class="primary"
          aria-disabled=${this.#work.ariaDisabled}
          @click=${() =>
            this.#work.run("Undeleting it", async (signal) => {
              const outcome = await vault.undelete(id, { version, signal });
              this.dispatchEvent(
                new NoticeEvent(`${name} is there again, at version ${outcome.versionAfter}.`),
              );
            })}
        >
          Undelete it as version ${version} had it
        </button>
      </div>`;
  }

  #way(text: string, route: Route) {
    return html`<button type="button" @click=${() => this.dispatchEvent(new NavigateEvent(route))}>
      ${text}
    </button>`;
  }
}

/** None if no version is kept; the component says so. */
function versionsOf(vault: Vault, id: string): Overview[] {
  try {
    return vault.history(id);
  } catch {
    return [];
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "history-view": HistoryView;
  }
}
