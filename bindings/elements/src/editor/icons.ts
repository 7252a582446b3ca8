/** The icons of the grid's buttons, which take the colour of their text. */

import { html, type TemplateResult } from "lit";

/** Six dots to drag by. */
export const GRIP = icon("M6 3h.01M10 3h.01M6 8h.01M10 8h.01M6 13h.01M10 13h.01", 2.2);
/** Arrow upwards. */
export const UP = icon("M8 13V3M4 7l4-4 4 4", 1.5);
/** Arrow downwards. */
export const DOWN = icon("M8 3v10M4 9l4 4 4-4", 1.5);
/** Cross to remove by. */
export const CROSS = icon("M4 4l8 8M12 4l-8 8", 1.5);

function icon(path: string, width: number): TemplateResult {
  return html`<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
    <path
      d=${path}
      fill="none"
      stroke="currentColor"
      stroke-width=${width}
      stroke-linecap="round"
      stroke-linejoin="round"
    />
  </svg>`;
}
