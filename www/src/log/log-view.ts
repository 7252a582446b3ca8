/** `<log-view>`: the audit log, and the verification of all of it. */

import { LitElement, css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Commit, Overview, Vault, Verdict } from "connector-vault";

import { NavigateEvent } from "../navigation.js";
import { NoticeEvent } from "../notice.js";
import type { Session } from "../session.js";
import { download } from "../ui/download.js";
import { sheet, theme } from "../ui/sheet.js";
import { timeTemplate } from "../ui/time.js";
import { VaultWatch } from "../ui/vault-watch.js";
import { rest, Work, workSheet } from "../ui/work.js";
import { VERBS, authorsOf, find, recordsOf, timeOf, type Sought } from "./commits.js";

/** Commits on a page. */
const PAGE = 100;
/** Commits that are read at once: some 20 ms. */
const PART = 200;
/** Records that are shown of a commit: an import may have thousands. */
const RECORDS = 5;

@customElement("log-view")
export class LogView extends LitElement {
  static override styles = [
    theme,
    sheet,
    workSheet,
    css`
      .filter {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(14rem, 100%), 1fr));
        gap: calc(var(--_space) * 1.5);
        max-width: 40rem;
      }
      .found:empty,
      .told:empty {
        position: absolute;
      }
      th {
        overflow-wrap: normal;
        white-space: nowrap;
      }
      .number {
        font-variant-numeric: tabular-nums;
      }
      td.number,
      .nowrap {
        white-space: nowrap;
      }
      .badge {
        padding: 0 calc(var(--_space) * 0.75);
        border: 1px solid var(--_control-border);
        border-radius: 1em;
        font-size: 0.8125rem;
      }
      .valid {
        color: var(--_added);
      }
      .invalid {
        color: var(--_error);
        font-weight: 600;
      }
      ul {
        display: grid;
        gap: calc(var(--_space) / 2);
        margin: 0;
        padding: 0;
        list-style: none;
      }
      button.link {
        min-height: 1.5rem;
        padding: 0;
        color: var(--_accent);
        background: none;
        border: 0;
        text-align: start;
        text-decoration: underline;
      }
      .verdict {
        padding: calc(var(--_space) * 1.5);
        border: 1px solid var(--_border);
        border-inline-start: 4px solid var(--_added);
        border-radius: var(--_radius);
      }
      .verdict.bad {
        border-inline-start-color: var(--_error);
      }
      @media (max-width: 760px) {
        thead {
          position: absolute;
          width: 1px;
          height: 1px;
          overflow: hidden;
          clip-path: inset(50%);
        }
        table,
        tbody,
        td {
          display: block;
        }
        tr {
          display: flex;
          flex-wrap: wrap;
          gap: 0 var(--_space);
          padding-block: var(--_space);
          border-bottom: 1px solid var(--_border);
        }
        td {
          padding: 2px 0;
          border: 0;
        }
        td.what {
          flex: 0 0 100%;
        }
      }
    `,
  ];

  @property({ attribute: false }) session?: Session | undefined;
  @state() private sought: Sought = { connector: "", author: "" };
  @state() private page = 0;
  @state() private verdicts: readonly Verdict[] | undefined;
  readonly #work = new Work(this);
  /** Asked for once after each change, in parts: ten thousand signatures take a second. */
  @state() private log: readonly Commit[] | undefined;

  constructor() {
    super();
    new VaultWatch(this, {
      changed: (vault) => this.#read(vault),
      forget: () => {
        this.#work.stop();
        this.log = this.verdicts = undefined;
        this.sought = { connector: "", author: "" };
        this.page = 0;
      },
    });
  }

  override willUpdate(changed: PropertyValues<this>): void {
    const vault = this.session?.vault;
    if (changed.has("session") && vault !== undefined && !vault.isLocked) this.#read(vault);
  }

  override render() {
    const vault = this.session?.vault;
    if (vault === undefined || vault.isLocked) return nothing;
    return html`<div class="stack">
      <header class="stack">
        <h1 tabindex="-1">Audit log</h1>
        <p class="muted">
          Every commit since the last snapshot, each signed by its author and chained to the one before. The
          order is certain; the times are those of the authors' clocks.
        </p>
      </header>
      ${
        this.log === undefined
          ? html`<section class="card stack">${this.#work.template()}</section>`
          : html`${this.#verification(vault, this.log)} ${this.#list(this.log)}`
      }
    </div>`;
  }

  #list(log: readonly Commit[]): TemplateResult {
    const found = find(log, this.sought);
    const pages = Math.max(1, Math.ceil(found.length / PAGE));
    const page = Math.min(this.page, pages - 1);
    const told = found.length === log.length ? nothing : `${begin(countOf(found.length, "commit"))} found`;
    return html`<section class="card stack" aria-labelledby="list">
      <div class="row spread">
        <h2 id="list">${begin(countOf(log.length, "commit"))}</h2>
        <button type="button" @click=${() => this.#export(log)}>Save as JSON</button>
      </div>
      ${this.#filter(log)}
      <p class="found muted" role="status">${told}</p>
      ${found.length === 0 ? nothing : this.#table(found.slice(page * PAGE, (page + 1) * PAGE))}
      ${pages === 1 ? nothing : this.#pager(page, pages)}
    </section>`;
  }

  #verification(vault: Vault, log: readonly Commit[]): TemplateResult {
    const verdict = this.verdicts === undefined ? nothing : verdictTemplate(this.verdicts);
    return html`<section class="card stack" aria-labelledby="verification">
      <div class="row spread">
        <h2 id="verification">Verification</h2>
        <button
          type="button"
          aria-disabled=${this.#work.ariaDisabled}
          @click=${() => this.#verify(vault, log.length)}
        >
          Verify everything
        </button>
      </div>
      <p class="muted">
        Signatures are checked when a vault is opened. This checks all of them again, every hash, and, if your
        role reads values, that every value opens and is what its commit says.
      </p>
      ${this.#work.template()}
      <div class="told" role="status">${verdict}</div>
    </section>`;
  }

  #filter(log: readonly Commit[]): TemplateResult {
    return html`<div class="filter" role="search" aria-label="Log">
      <label>
        Connector
        <input
          type="search"
          placeholder="part of a name or id"
          autocomplete="off"
          spellcheck="false"
          .value=${this.sought.connector}
          @input=${(event: Event) => this.#seek({ connector: (event.target as HTMLInputElement).value })}
        />
      </label>
      <label>
        Author
        <select
          @change=${(event: Event) => this.#seek({ author: (event.target as HTMLSelectElement).value })}
        >
          <option value="" .selected=${this.sought.author === ""}>everybody</option>
          ${authorsOf(log).map(
            (author) =>
              html`<option value=${author} .selected=${author === this.sought.author}>${author}</option>`,
          )}
        </select>
      </label>
    </div>`;
  }

  #table(commits: readonly Commit[]): TemplateResult {
    return html`<table role="table" aria-labelledby="list">
      <thead role="rowgroup">
        <tr role="row">
          <th role="columnheader">Commit</th>
          <th role="columnheader">When</th>
          <th role="columnheader">Author</th>
          <th role="columnheader">Signature</th>
          <th role="columnheader">What changed</th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        ${commits.map((commit) => this.#row(commit))}
      </tbody>
    </table>`;
  }

  #row(commit: Commit): TemplateResult {
    const at = timeOf(commit);
    return html`<tr role="row">
      <td role="cell" class="number">#${commit.seq}</td>
      <td role="cell" class="nowrap">
        ${at === undefined ? html`<span class="muted">no time</span>` : timeTemplate(at)}
      </td>
      <td role="cell">${commit.author}</td>
      <td role="cell" class="nowrap ${commit.signature}">
        ${commit.signature === "valid" ? "✓ valid" : "✗ invalid"}
      </td>
      <td role="cell" class="what">${commit.snapshot ? snapshotTemplate(commit) : this.#records(commit)}</td>
    </tr>`;
  }

  #records(commit: Commit): TemplateResult {
    const shown = recordsOf(commit, this.sought).slice(0, RECORDS);
    const more = commit.records.length - shown.length;
    return html`<ul role="list">
      ${shown.map((record) => html`<li>${this.#record(record)}</li>`)}
      ${more > 0 ? html`<li class="muted">and ${countOf(more, "connector")} more</li>` : nothing}
    </ul>`;
  }

  #record({ id, name, op, version, changed, note }: Overview): TemplateResult {
    return html`${VERBS[op]}
      <button
        type="button"
        class="link"
        @click=${() => this.dispatchEvent(new NavigateEvent({ view: "history", id }))}
      >
        ${name}
      </button>
      <span class="muted">version ${version}</span>
      ${changed.length === 0 || op === "delete" ? nothing : html`<br />${changed.join(", ")}`}
      ${note === undefined ? nothing : html`<br /><span class="muted">“${note}”</span>`}`;
  }

  #pager(page: number, pages: number): TemplateResult {
    const go = (to: number, text: string) => {
      const isThere = to >= 0 && to < pages;
      return html`<button type="button" aria-disabled=${!isThere} @click=${() => isThere && (this.page = to)}>
        ${text}
      </button>`;
    };
    return html`<nav class="row" aria-label="Pages of the log">
      ${go(page - 1, "Newer")} ${go(page + 1, "Older")}
      <span role="status">Page ${page + 1} of ${pages}</span>
    </nav>`;
  }

  #read(vault: Vault): void {
    // What was verified is no longer everything.
    this.verdicts = undefined;
    this.#work.stop();
    void this.#work.run("Reading the log", async (signal) => {
      const log: Commit[] = [];
      for (;;) {
        const part = await vault.log({ from: log.length, count: PART });
        log.push(...part);
        if (part.length < PART) break;
        await rest();
        signal.throwIfAborted();
      }
      this.log = log;
    });
  }

  #seek(part: Partial<Sought>): void {
    this.sought = { ...this.sought, ...part };
    this.page = 0;
  }

  #verify(vault: Vault, commits: number): void {
    this.verdicts = undefined;
    void this.#work.run(`Verifying ${countOf(commits, "commit")}`, async () => {
      this.verdicts = await vault.verify();
    });
  }

  #export(log: readonly Commit[]): void {
    download("audit-log.json", `${JSON.stringify(log, null, 2)}\n`, "application/json");
    this.dispatchEvent(
      new NoticeEvent("The log was saved. It holds names, notes and authors in clear, but no value."),
    );
  }
}

function snapshotTemplate({ records }: Commit): TemplateResult {
  return html`<span class="badge">snapshot</span>
    <span class="muted"
      >replaces what was before; keeps ${countOf(records.length, "version")}. Made when grants change, when
      copies are merged and when old versions are dropped.</span
    >`;
}

function verdictTemplate(verdicts: readonly Verdict[]): TemplateResult {
  const bad = verdicts.filter(({ problems }) => problems.length > 0);
  const records = verdicts.reduce((sum, verdict) => sum + verdict.records, 0);
  const checked = `${begin(countOf(verdicts.length, "commit"))} with ${countOf(records, "version")} checked`;
  if (bad.length === 0) return html`<p class="verdict"><b>✓ Nothing is wrong.</b> ${checked}.</p>`;
  return html`<div class="verdict bad stack">
    <p><b>✗ Something is wrong with ${countOf(bad.length, "commit")}.</b> ${checked}.</p>
    <ul role="list">
      ${bad.flatMap(({ seq, problems }) =>
        problems.map(({ code, message }) => html`<li>#${seq}: ${message} <code>${code}</code></li>`),
      )}
    </ul>
  </div>`;
}

/** As a sentence begins. */
function begin(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function countOf(count: number, noun: string): string {
  return count === 1 ? `one ${noun}` : `${count.toLocaleString()} ${noun}s`;
}

declare global {
  interface HTMLElementTagNameMap {
    "log-view": LogView;
  }
}
