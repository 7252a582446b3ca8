/** `<merge-view>`: takes over what another copy of the vault changed, once the user has seen what that is. */

import { LitElement, css, html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type {
  Change,
  Conflict,
  MergeReport,
  Merging,
  NotTaken,
  Outcome,
  Stranger,
  Vault,
} from "connector-vault";
import { ConnectorList } from "connector-vault-elements/connector-list.js";

import { NavigateEvent } from "../navigation.js";
import { NoticeEvent } from "../notice.js";
import type { Session } from "../session.js";
import { sheet, theme } from "../ui/sheet.js";
import { timeTemplate } from "../ui/time.js";
import { VaultWatch } from "../ui/vault-watch.js";
import { Work, workSheet } from "../ui/work.js";
import "./copy-drop.js";
import type { CopyChosen } from "./copy-drop.js";

/** How many conflicts and outcomes are listed. */
const LISTED = 200;

type Resolve = NonNullable<Merging["resolve"]>;

const SIDES: readonly { readonly resolve: Resolve; readonly text: string; readonly about: string }[] = [
  { resolve: "ours", text: "This vault", about: "what is here stays" },
  { resolve: "theirs", text: "The copy", about: "what the copy has is taken over" },
  { resolve: "newest", text: "The newest", about: "what was changed last, by its author's clock" },
];

const KINDS: Readonly<Record<Conflict["kind"], string>> = {
  property: "both changed it",
  identity: "it has another name or type in each",
  meta: "both changed its meta",
  group: "both moved it to another group",
  deleted_in_ours: "deleted here, changed in the copy",
  deleted_in_theirs: "changed here, deleted in the copy",
  other: "both changed it",
};

const WINNERS = { ours: "this vault's", theirs: "the copy's" } as const;

/** The file with the copy. */
interface Copy {
  readonly name: string;
  readonly bytes: Uint8Array;
}

@customElement("merge-view")
export class MergeView extends LitElement {
  static override styles = [
    theme,
    sheet,
    workSheet,
    css`
      .list {
        max-height: 24rem;
        overflow: auto;
      }
      .list thead {
        position: sticky;
        top: 0;
        background: var(--_surface);
      }
      tbody tr:last-child td {
        border-bottom: 0;
      }
      th {
        overflow-wrap: normal;
      }
      td {
        overflow-wrap: break-word;
      }
      .strangers {
        border-color: var(--_warning);
      }
      ul {
        margin: 0;
        padding-inline-start: 1.25rem;
      }
      .added {
        color: var(--_added);
      }
      .changed {
        color: var(--_changed);
      }
      .removed {
        color: var(--_removed);
      }
    `,
  ];

  @property({ attribute: false }) session?: Session | undefined;
  /** The name of the file that was chosen, also of one that is no copy. */
  @state() private chosen: string | undefined;
  @state() private copy: Copy | undefined;
  @state() private report: MergeReport | undefined;
  @state() private merging: Merging = {};
  /** What was merged last. */
  @state() private merged: readonly Outcome[] | undefined;
  readonly #work = new Work(this);
  /** For names: asked for an id that only the copy has, the vault would look for a similar one. */
  readonly #list = new ConnectorList(this);

  constructor() {
    super();
    new VaultWatch(this, {
      // Not while it is merged: that is the change.
      changed: (vault) => this.#work.busy === undefined && this.#plan(vault),
      forget: () => {
        this.#work.stop();
        this.#drop();
        this.merged = undefined;
      },
    });
  }

  override willUpdate(): void {
    this.#list.vault = this.session?.vault;
  }

  override render() {
    const vault = this.session?.vault;
    if (vault === undefined || vault.isLocked) return nothing;
    return html`<div class="stack">
      <header class="stack">
        <h1 tabindex="-1">Merge a copy</h1>
        <p class="muted">
          Two copies of this vault that went on separately become one. First you see what would change; the
          copy itself is not changed, and stays in this page.
        </p>
      </header>
      <section class="card stack" aria-labelledby="copy">
        <h2 id="copy">${this.chosen ?? "The copy"}</h2>
        <copy-drop
          .isChosen=${this.chosen !== undefined}
          @copy-chosen=${({ file }: CopyChosen) => this.#choose(vault, file)}
        ></copy-drop>
        ${this.report === undefined ? this.#work.template() : nothing}
      </section>
      ${this.merged === undefined ? nothing : mergedTemplate(this.merged, (id) => this.#toHistory(id))}
      ${this.report === undefined ? nothing : this.#review(vault, this.report)}
    </div>`;
  }

  #review(vault: Vault, report: MergeReport): TemplateResult {
    const { conflicts, strangers, notTaken, outcomes } = report;
    if (report.unchanged) {
      return html`<section class="card stack" aria-labelledby="same">
        <h2 id="same">Nothing to merge</h2>
        <p>The copy has nothing that this vault does not have.</p>
      </section>`;
    }
    return html`${strangers.length === 0 ? nothing : this.#strangers(vault, strangers)}
      ${conflicts.length === 0 ? nothing : this.#conflicts(vault, conflicts)}
      ${notTaken.length === 0 ? nothing : notTakenTemplate(notTaken, this.#nameOf)}
      <section class="card stack" aria-labelledby="outcomes">
        <h2 id="outcomes">What would change here</h2>
        ${
          outcomes.length === 0
            ? html`<p>No connector. The copy's commits count as seen then.</p>`
            : outcomesTemplate(report, this.#nameOf)
        }
        ${
          conflicts.length > 0 && this.merging.resolve === undefined
            ? html`<p class="muted">Conflicts are left out until you say whose side wins.</p>`
            : nothing
        }
        ${this.#work.template()}
        <div class="row">
          <button
            type="button"
            class="primary"
            aria-disabled=${this.#work.ariaDisabled}
            @click=${() => this.#merge(vault)}
          >
            Merge
          </button>
          <button
            type="button"
            @click=${() => {
              this.#work.stop();
              this.#drop();
              this.renderRoot.querySelector("h1")?.focus();
            }}
          >
            Leave it
          </button>
        </div>
      </section>`;
  }

  #strangers(vault: Vault, strangers: readonly Stranger[]): TemplateResult {
    return html`<section class="card stack strangers" aria-labelledby="strangers">
      <h2 id="strangers">Signed by grants that this vault does not have</h2>
      <p>
        These wrote to the copy, and have no grant here, or had more rights there. It may be a grant that was
        revoked here. Look at what would change, and take it over on purpose or not at all.
      </p>
      <ul>
        ${strangers.map(
          ({ id, fingerprint }) =>
            html`<li class="mono">${id}${fingerprint === null ? nothing : ` (${fingerprint})`}</li>`,
        )}
      </ul>
      <label class="inline">
        <input
          type="checkbox"
          .checked=${this.merging.acceptStrangers === true}
          @change=${(event: Event) =>
            this.#replan(vault, { acceptStrangers: (event.target as HTMLInputElement).checked })}
        />
        Take over what they wrote
      </label>
    </section>`;
  }

  #conflicts(vault: Vault, conflicts: readonly Conflict[]): TemplateResult {
    return html`<section class="card stack" aria-labelledby="conflicts">
      <h2 id="conflicts">${conflicts.length === 1 ? "One conflict" : `${conflicts.length} conflicts`}</h2>
      <div class="list" role="group" tabindex="0" aria-labelledby="conflicts">
        <table>
          <thead>
            <tr>
              <th>Connector</th>
              <th>Property</th>
              <th>What happened</th>
              <th>Last changed here</th>
              <th>Last changed in the copy</th>
              <th>Whose stays</th>
            </tr>
          </thead>
          <tbody>
            ${conflicts.slice(0, LISTED).map(
              ({ id, kind, property, oursAt, oursBy, theirsAt, theirsBy, winner }) =>
                html`<tr>
                  <td>${this.#nameOf(id)}</td>
                  <td>${property ?? "–"}</td>
                  <td>${KINDS[kind]}</td>
                  <td>${timeTemplate(oursAt)} by ${oursBy}</td>
                  <td>${timeTemplate(theirsAt)} by ${theirsBy}</td>
                  <td>${winner === null ? "not decided" : WINNERS[winner]}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
      ${moreTemplate(conflicts.length)}
      <fieldset>
        <legend>Whose side wins, in all of them?</legend>
        ${SIDES.map(
          ({ resolve, text, about }) =>
            html`<label class="choice">
              <input
                type="radio"
                name="resolve"
                .checked=${this.merging.resolve === resolve}
                @change=${() => this.#replan(vault, { resolve })}
              />
              <span>${text} <span class="muted">${about}</span></span>
            </label>`,
        )}
      </fieldset>
    </section>`;
  }

  #choose(vault: Vault, file: File): void {
    this.#work.stop();
    this.#drop();
    this.merged = undefined;
    this.chosen = file.name;
    void this.#work.run(`Reading ${file.name}`, async (signal) => {
      const bytes = new Uint8Array(await file.arrayBuffer());
      // Another copy was chosen meanwhile, or the vault was locked.
      if (signal.aborted) return;
      const report = await vault.planMerge(bytes);
      if (signal.aborted) return;
      this.copy = { name: file.name, bytes };
      this.report = report;
    });
  }

  #replan(vault: Vault, part: Partial<Merging>): void {
    this.merging = { ...this.merging, ...part };
    this.#plan(vault);
  }

  #plan(vault: Vault): void {
    const { copy, merging } = this;
    if (copy === undefined) return;
    this.#work.stop();
    void this.#work.run("Comparing", async (signal) => {
      const report = await vault.planMerge(copy.bytes, merging);
      if (!signal.aborted) this.report = report;
    });
  }

  #merge(vault: Vault): void {
    const { copy, merging } = this;
    if (copy === undefined) return;
    void this.#work.run(`Merging ${copy.name}`, async (signal) => {
      const merged = await vault.merge(copy.bytes, { ...merging, signal });
      if (signal.aborted) return;
      this.merged = merged;
      this.#drop();
      // The button that was pressed is gone.
      void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>("#merged")?.focus());
      const changed = new Set(merged.map(({ id }) => id));
      this.dispatchEvent(new NoticeEvent(`${copy.name} was merged: ${countOf(changed.size)} changed.`));
    });
  }

  /** A connector that only the copy has has no name here. */
  readonly #nameOf = (id: string): string => this.#list.connector(id)?.name ?? id;

  #drop(): void {
    this.chosen = this.copy = this.report = undefined;
    this.merging = {};
  }

  #toHistory(id: string): void {
    this.dispatchEvent(new NavigateEvent({ view: "history", id }));
  }
}

function notTakenTemplate(versions: readonly NotTaken[], name: (id: string) => string): TemplateResult {
  return html`<section class="card stack" aria-labelledby="not-taken">
    <h2 id="not-taken">Not taken from the copy</h2>
    <ul>
      ${versions
        .slice(0, LISTED)
        .map(
          ({ id, version, message }) =>
            html`<li>${id === null ? "An unknown connector" : name(id)}, version ${version}: ${message}</li>`,
        )}
    </ul>
    ${moreTemplate(versions.length)}
  </section>`;
}

function outcomesTemplate({ outcomes, deleted }: MergeReport, name: (id: string) => string): TemplateResult {
  return html`<div class="list" role="group" tabindex="0" aria-labelledby="outcomes">
      <table>
        <thead>
          <tr>
            <th>Connector</th>
            <th>Version</th>
            <th>Properties</th>
          </tr>
        </thead>
        <tbody>
          ${outcomes.slice(0, LISTED).map(
            ({ id, versionBefore, versionAfter, changes }) =>
              html`<tr>
                <td>${name(id)}</td>
                <td>${versionBefore === null ? "new" : `${versionBefore} → ${versionAfter}`}</td>
                <td>
                  ${
                    deleted.includes(id)
                      ? html`<span class="removed">deleted</span>`
                      : changes.length === 0
                        ? "described or moved"
                        : changes.map(changeTemplate)
                  }
                </td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${moreTemplate(outcomes.length)}`;
}

function changeTemplate({ name, change }: Change): TemplateResult {
  return html`<div>${name} <span class=${change}>${change}</span></div>`;
}

function mergedTemplate(outcomes: readonly Outcome[], show: (id: string) => void): TemplateResult {
  return html`<section class="card stack" aria-labelledby="merged">
    <h2 id="merged" tabindex="-1">Merged</h2>
    <ul>
      ${outcomes.slice(0, LISTED).map(
        ({ id, status, versionAfter }) =>
          html`<li>
            ${id}: ${status}, version ${versionAfter}
            <button type="button" class="quiet" @click=${() => show(id)}>
              History<span class="visually-hidden"> of ${id}</span>
            </button>
          </li>`,
      )}
    </ul>
    ${moreTemplate(outcomes.length)}
  </section>`;
}

function moreTemplate(count: number): TemplateResult | typeof nothing {
  return count > LISTED ? html`<p class="muted">And ${(count - LISTED).toLocaleString()} more.</p>` : nothing;
}

function countOf(count: number): string {
  return count === 1 ? "one connector" : `${count.toLocaleString()} connectors`;
}

declare global {
  interface HTMLElementTagNameMap {
    "merge-view": MergeView;
  }
}
