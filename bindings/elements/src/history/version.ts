/** One version in the history: which, what happened, who, when, which names; and what can be done with it. */

import type { Overview } from "connector-vault";
import { html, nothing, type TemplateResult } from "lit";

import type { HistoryTexts } from "../texts.js";
import { absolute, relative } from "./when.js";

/** What is open below a version. */
export type Panel = "compare" | "values" | "restore";

/** How a version is shown. */
export interface Shown {
  readonly isPresent: boolean;
  /** What there are buttons for. */
  readonly panels: readonly Panel[];
  readonly open: Panel | undefined;
  /** What is below it, if something is open. */
  readonly content: TemplateResult | typeof nothing;
  readonly language: string | undefined;
  readonly toggle: (panel: Panel) => void;
}

/** The version as an element of a list. */
export function versionTemplate(texts: HistoryTexts, overview: Overview, shown: Shown): TemplateResult {
  const { version, op, at, author, changed, note } = overview;
  const time = new Date(at);
  const button = (panel: Panel): TemplateResult =>
    html`<button
      type="button"
      class="quiet"
      part="button"
      data-panel=${panel}
      aria-expanded=${shown.open === panel}
      aria-label=${texts.buttonOf(texts[panel], version)}
      @click=${() => shown.toggle(panel)}
    >
      ${texts[panel]}
    </button>`;
  return html`<li class="version" part="version" data-version=${version}>
    <div class="head">
      <span class="number" part="number">${texts.version(version)}</span>
      ${shown.isPresent ? html`<span class="present" part="present">${texts.present}</span>` : nothing}
      <span class="made">${texts.made(op, author)}</span>
      <time class="muted" datetime=${at} title=${relative(time, shown.language)}
        >${absolute(time, shown.language)}</time
      >
    </div>
    ${
      changed.length === 0
        ? nothing
        : html`<p class="names">
            <span class="visually-hidden">${texts.names}</span>
            ${changed.map((name) => html`<span class="name mono" part="name" translate="no">${name}</span> `)}
          </p>`
    }
    ${
      note === undefined
        ? nothing
        : html`<p class="note" part="note"><span class="visually-hidden">${texts.note}</span>${note}</p>`
    }
    <div class="buttons">${shown.panels.map(button)}</div>
    ${shown.open === undefined ? nothing : html`<div class="panel" part="panel">${shown.content}</div>`}
  </li>`;
}
