/** `<grants-view>`: who may do what in the vault; granting, changing and revoking. */

import { LitElement, css, html, nothing, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { GrantInfo, Role } from "connector-vault";

import { NoticeEvent } from "../notice.js";
import type { Session } from "../session.js";
import { sheet, theme } from "../ui/sheet.js";
import { timeTemplate } from "../ui/time.js";
import { VaultWatch } from "../ui/vault-watch.js";
import { Work, workSheet } from "../ui/work.js";
import { Exposure, dismiss, exposuresOf, hasToTell, keep } from "./exposure.js";
import { ROLES, onlyRole, rightsText } from "./roles.js";
import "../ui/copy-button.js";
import "./exposure-card.js";
import "./grant-form.js";
import "./passphrase-form.js";

/** What a dialog asks before it happens. */
interface Asking {
  readonly what: "revoke" | "role";
  readonly grant: GrantInfo;
}

@customElement("grants-view")
export class GrantsView extends LitElement {
  static override styles = [
    theme,
    sheet,
    workSheet,
    css`
      .columns {
        display: grid;
        grid-template-columns: minmax(0, 3fr) minmax(16rem, 2fr);
        gap: calc(var(--_space) * 2);
        align-items: start;
      }
      .label {
        font-weight: 600;
      }
      .badge {
        margin-inline-start: var(--_space);
        padding: 0 calc(var(--_space) * 0.75);
        border: 1px solid var(--_control-border);
        border-radius: 1em;
        font-size: 0.8125rem;
        font-weight: 400;
      }
      .key {
        display: flex;
        align-items: center;
        gap: calc(var(--_space) / 2);
        color: var(--_muted);
      }
      .key code {
        overflow: hidden;
        max-width: 16rem;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      td.actions {
        padding-block: calc(var(--_space) / 2);
        white-space: nowrap;
        text-align: end;
      }
      tbody tr:last-child td {
        border-bottom: 0;
      }
      dl {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr);
        gap: var(--_space) calc(var(--_space) * 1.5);
        margin: 0;
      }
      dt {
        font-weight: 600;
      }
      dd {
        margin: 0;
      }
      @media (max-width: 760px) {
        .columns {
          grid-template-columns: minmax(0, 1fr);
        }
        thead {
          position: absolute;
          width: 1px;
          height: 1px;
          overflow: hidden;
          clip-path: inset(50%);
        }
        table,
        tbody,
        tr,
        td {
          display: block;
        }
        tr {
          padding-block: var(--_space);
          border-bottom: 1px solid var(--_border);
        }
        tr:last-child {
          border-bottom: 0;
        }
        td,
        td.actions {
          padding: 2px 0;
          border: 0;
          text-align: start;
        }
        td.actions {
          padding-top: var(--_space);
        }
        td[data-heading]::before {
          content: attr(data-heading) ": ";
          color: var(--_muted);
        }
        .key code {
          max-width: 12rem;
        }
      }
    `,
  ];

  @property({ attribute: false }) session?: Session | undefined;
  @state() private asking: Asking | undefined;
  @query("dialog") private dialog!: HTMLDialogElement;
  readonly #work = new Work(this);
  /** Who had the focus before the dialog. */
  #opener: HTMLElement | undefined;

  constructor() {
    super();
    new VaultWatch(this, { forget: () => this.#close() });
  }

  override render() {
    const vault = this.session?.vault;
    if (vault === undefined || vault.isLocked) return nothing;
    const grants = vault.grants();
    return html`<div class="stack">
      <header class="stack">
        <h1 tabindex="-1">Grants</h1>
        <p class="muted">
          Everybody who opens this vault does so by a grant. Only owners change grants; the vault refuses
          others.
        </p>
      </header>
      ${exposuresOf(vault).map(
        (exposure) =>
          html`<exposure-card
            .exposure=${exposure}
            @dismiss=${() => {
              dismiss(vault, exposure);
              this.requestUpdate();
              this.renderRoot.querySelector("h1")?.focus();
            }}
          ></exposure-card>`,
      )}
      <section class="card stack" aria-labelledby="list">
        <h2 id="list">${grants.length === 1 ? "One grant" : `${grants.length} grants`}</h2>
        ${this.#table(grants)} ${this.asking === undefined ? this.#work.template() : nothing}
      </section>
      <div class="columns">
        <section class="card stack" aria-labelledby="add">
          <h2 id="add">Add a grant</h2>
          <grant-form .session=${this.session}></grant-form>
        </section>
        <div class="stack">
          <section class="card stack" aria-labelledby="roles">
            <h2 id="roles">Roles</h2>
            <dl>
              ${ROLES.map(
                ({ role, rights }) =>
                  html`<dt>${role}</dt>
                    <dd>${rights}</dd>`,
              )}
            </dl>
          </section>
          <section class="card stack" aria-labelledby="own">
            <h2 id="own">Your passphrase</h2>
            <passphrase-form .session=${this.session}></passphrase-form>
          </section>
        </div>
      </div>
      <dialog aria-labelledby="asked" @close=${this.#closed}>${this.#question()}</dialog>
    </div>`;
  }

  #table(grants: readonly GrantInfo[]): TemplateResult {
    return html`<table role="table">
      <thead role="rowgroup">
        <tr role="row">
          <th role="columnheader">Grant</th>
          <th role="columnheader">Role</th>
          <th role="columnheader">Opens by</th>
          <th role="columnheader">Since</th>
          <th role="columnheader"><span class="visually-hidden">Actions</span></th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        ${repeat(
          grants,
          ({ id }) => id,
          (grant) => this.#row(grant),
        )}
      </tbody>
    </table>`;
  }

  #row(grant: GrantInfo): TemplateResult {
    const { label, since, key, fingerprint, isOwn } = grant;
    return html`<tr role="row">
      <td role="cell">
        <span class="label">${label}</span>${isOwn ? html`<span class="badge">you</span>` : nothing}
        <div class="key">
          <code title="Fingerprint of the public key">${fingerprint}</code>
          <copy-button .text=${() => key} what="the public key of ${label}"></copy-button>
        </div>
      </td>
      <td role="cell" data-heading="Role">${rightsText(grant)}</td>
      <td role="cell" data-heading="Opens by">${opensBy(grant)}</td>
      <td role="cell" data-heading="Since">${timeTemplate(since)}</td>
      <td role="cell" class="actions">
        <button type="button" @click=${() => this.#ask({ what: "role", grant })}>
          Change role<span class="visually-hidden"> of ${label}</span>
        </button>
        <button type="button" class="danger" @click=${() => this.#ask({ what: "revoke", grant })}>
          Revoke<span class="visually-hidden"> ${label}</span>
        </button>
      </td>
    </tr>`;
  }

  #question(): TemplateResult | typeof nothing {
    if (this.asking === undefined) return nothing;
    const { what, grant } = this.asking;
    return html`<form class="stack" @submit=${what === "revoke" ? this.#revoke : this.#setRole}>
      ${what === "revoke" ? revokeQuestion(grant) : roleQuestion(grant)} ${this.#work.template()}
      <div class="row">
        <button
          type="submit"
          class=${what === "revoke" ? "danger" : "primary"}
          aria-disabled=${this.#work.ariaDisabled}
        >
          ${what === "revoke" ? `Revoke ${grant.label}` : "Change role"}
        </button>
        <button type="button" ?autofocus=${what === "revoke"} @click=${() => this.#close()}>Cancel</button>
      </div>
    </form>`;
  }

  #ask(asking: Asking): void {
    this.#work.stop();
    this.#opener = (this.shadowRoot?.activeElement as HTMLElement | null) ?? undefined;
    this.asking = asking;
    void this.updateComplete.then(() => this.dialog.showModal());
  }

  #close(): void {
    this.#work.stop();
    if (this.hasUpdated && this.dialog?.open === true) this.dialog.close();
    this.asking = undefined;
  }

  /** Also by the key Escape. */
  readonly #closed = (): void => {
    // Told late, when it is open again for another question.
    if (this.dialog.open) return;
    this.#work.stop();
    this.asking = undefined;
    // The row may be gone with its grant.
    const target = this.#opener?.isConnected === true ? this.#opener : this.renderRoot.querySelector("h1");
    target?.focus();
  };

  readonly #revoke = (event: SubmitEvent): void => {
    event.preventDefault();
    const { vault, grant } = this.#asked();
    void this.#work.run(`Revoking ${grant.label}: everything is sealed again`, async (signal) => {
      const report = await vault.revoke(grant.label, { signal });
      this.#done(new Exposure(`${grant.label} was revoked`, report, vault));
    });
  };

  readonly #setRole = (event: SubmitEvent): void => {
    event.preventDefault();
    const { vault, grant } = this.#asked();
    const role = new FormData(event.target as HTMLFormElement).get("role") as Role;
    void this.#work.run(`Making ${grant.label} ${role}`, async (signal) => {
      const report = await vault.setRights(grant.label, role, { signal });
      this.#done(new Exposure(`${grant.label} is ${role} now`, report, vault));
    });
  };

  #asked() {
    const { session, asking } = this;
    if (session === undefined || asking === undefined) throw new Error("nothing is asked");
    return { vault: session.vault, grant: asking.grant };
  }

  #done(exposure: Exposure): void {
    const { text, report } = exposure;
    if (this.session !== undefined && hasToTell(report)) {
      keep(this.session.vault, exposure);
    }
    this.#close();
    this.dispatchEvent(new NoticeEvent(`${text}.`));
  }
}

function revokeQuestion(grant: GrantInfo): TemplateResult {
  const { label } = grant;
  return html`<h2 id="asked">Revoke ${label}?</h2>
    <p>
      The vault gets new keys, and everything in it is sealed again. ${label} (${rightsText(grant)}) can open
      nothing that is written from now on.
    </p>
    <p>
      Copies of the vault that ${label} has kept still open. So the values that they hold should be rotated:
      you get a list of the connectors.
    </p>`;
}

function roleQuestion(grant: GrantInfo): TemplateResult {
  const { label } = grant;
  const present = onlyRole(grant);
  return html`<h2 id="asked">Change the role of ${label}</h2>
    <fieldset>
      <legend>Role</legend>
      ${ROLES.map(
        ({ role, rights }) =>
          html`<label class="choice">
            <input type="radio" name="role" value=${role} .checked=${role === present} />
            <span><b>${role}</b> <span class="muted">${rights}</span></span>
          </label>`,
      )}
    </fieldset>
    ${present === undefined ? html`<p>The role takes the place of these rights: ${rightsText(grant)}.</p>` : nothing}
    <p class="muted">
      A lesser role means new keys, as a revocation does: copies that ${label} has kept open as before.
    </p>`;
}

declare global {
  interface HTMLElementTagNameMap {
    "grants-view": GrantsView;
  }
}

/** What opens a grant, for people. */
function opensBy({ hasPassphrase, hasKey }: GrantInfo): string {
  if (hasPassphrase) return hasKey ? "passphrase, key" : "passphrase";
  return hasKey ? "key" : "identity";
}
