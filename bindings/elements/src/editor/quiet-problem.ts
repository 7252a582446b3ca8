/** A problem in words, without an alert: it changes with each key, and what is around it says it politely. */

import { html, nothing, type TemplateResult } from "lit";

import { sentence, type Problem } from "../problem.js";

/** The message and the hint. */
export function quietProblem({ message, hint }: Problem): TemplateResult {
  return html`<p class="error" part="error">
    ${sentence(message)}${hint === undefined ? nothing : html` <span class="muted">${sentence(hint)}</span>`}
  </p>`;
}
