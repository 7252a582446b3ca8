/** The few icons of the picker. They stand beside texts for screen readers, which pass them by. */

import { html, type TemplateResult } from "lit";

/** Empties the field. */
export const CROSS = icon("M4.5 4.5l7 7m0-7l-7 7");
/** Opens the list. */
export const CHEVRON = icon("M4 6.5l4 4 4-4");
/** What is chosen. */
export const CHECK = icon("M3.5 8.5l3 3 6-7");

function icon(path: string): TemplateResult {
  return html`<svg viewBox="0 0 16 16" aria-hidden="true"><path d=${path} /></svg>`;
}
