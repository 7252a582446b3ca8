/** Times as people of this place read them. */

import { html, type TemplateResult } from "lit";

const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** An RFC 3339 time as the vault writes it. */
export function timeTemplate(at: string): TemplateResult {
  return html`<time datetime=${at} title=${at}>${timeText(at)}</time>`;
}

/** The same as text. */
export function timeText(at: string): string {
  const time = new Date(at);
  return Number.isNaN(time.getTime()) ? at : format.format(time);
}
