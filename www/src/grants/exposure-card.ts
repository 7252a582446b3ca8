/** `<exposure-card>`: what should be rotated after a revocation. Tells `dismiss` when the user is done. */

import { LitElement, css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";

import { NavigateEvent } from "../navigation.js";
import { download } from "../ui/download.js";
import { sheet, theme } from "../ui/sheet.js";
import type { Exposure, Exposed } from "./exposure.js";

/** How many are listed; the file has all. */
const LISTED = 200;

@customElement("exposure-card")
export class ExposureCard extends LitElement {
  static override styles = [
    theme,
    sheet,
    css`
      .card {
        border-color: var(--_warning);
      }
      ul {
        max-height: 22rem;
        margin: 0;
        padding: 0;
        overflow-y: auto;
        list-style: none;
        border-block: 1px solid var(--_border);
      }
      li {
        padding: calc(var(--_space) / 2) 0;
        overflow-wrap: anywhere;
      }
      li + li {
        border-top: 1px solid var(--_border);
      }
      li > :first-child {
        flex: 1;
        min-width: 10rem;
      }
    `,
  ];

  @property({ attribute: false }) exposure: Exposure | undefined;

  override render() {
    if (this.exposure === undefined) return nothing;
    const { text, report } = this.exposure;
    const count = report.exposed.length;
    return html`<section class="card stack" aria-labelledby="title">
      <h2 id="title">${text}</h2>
      ${count === 0 ? nothing : this.#exposed(this.exposure, count)}
      ${
        report.falseVersions.length === 0
          ? nothing
          : html`<p>
              ${
                report.falseVersions.length === 1
                  ? "One version was left out, since it is false:"
                  : `${report.falseVersions.length} versions were left out, since they are false:`
              }
              ${report.falseVersions.map(({ message }) => message).join("; ")}.
            </p>`
      }
      ${
        report.damaged.length === 0
          ? nothing
          : html`<p>
              Damaged versions, which nobody needs, were left out:
              ${report.damaged.map(({ message }) => message).join("; ")}.
            </p>`
      }
      ${
        report.forgotten.length === 0
          ? nothing
          : html`<p>
              The vault names too many former grants. The versions that these wrote are yours now, with the
              same values: ${report.forgotten.join(", ")}.
            </p>`
      }
      <div class="row">
        ${
          count === 0
            ? nothing
            : html`<button type="button" @click=${() => this.#save()}>Save the list</button>`
        }
        <button type="button" @click=${() => this.dispatchEvent(new Event("dismiss"))}>Done with this</button>
      </div>
    </section>`;
  }

  #exposed(exposure: Exposure, count: number) {
    return html`<p>
        ${count === 1 ? "One connector" : `${count.toLocaleString()} connectors`} could be read until then,
        and old copies still open. Rotate ${count === 1 ? "it" : "them"}: change the values where they are
        issued, then update here.
      </p>
      <ul role="list" tabindex=${count > 8 ? 0 : nothing} aria-labelledby="title">
        ${exposure.list(LISTED).map((exposed) => this.#item(exposed))}
      </ul>
      ${
        count > LISTED
          ? html`<p class="muted">The first ${LISTED} are shown; the saved list has all.</p>`
          : nothing
      }`;
  }

  #item({ id, name, isUpdated, isDeleted }: Exposed) {
    return html`<li class="row">
      <span>${name} ${name === id ? nothing : html`<code class="muted">${id}</code>`}</span>
      ${isUpdated ? html`<span class="muted">✓ updated since</span>` : nothing}
      ${
        isDeleted
          ? html`<span class="muted">deleted</span>`
          : html`<button
              type="button"
              @click=${() => this.dispatchEvent(new NavigateEvent({ view: "update", id }))}
            >
              Update<span class="visually-hidden"> ${name}</span>
            </button>`
      }
    </li>`;
  }

  #save(): void {
    const list = this.exposure?.list() ?? [];
    download("to-rotate.json", `${JSON.stringify(list, null, 2)}\n`, "application/json");
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "exposure-card": ExposureCard;
  }
}
