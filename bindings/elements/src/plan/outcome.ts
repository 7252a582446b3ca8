/** An outcome in words: the headline, the properties, the warnings, the tokens. */

import type { ChangeKind, Outcome, Plan, Warning } from "connector-vault";
import { html, nothing, svg, type TemplateResult } from "lit";

import { sentence } from "../problem.js";
import type { PlanTexts } from "../texts.js";
import { changesTemplate, type Revealing } from "./changes.js";

/** What would happen as a whole. */
export function headlineOf(texts: PlanTexts, { op, outcome }: Plan): string {
  const { status, versionBefore, versionAfter, changes } = outcome;
  if (status === "unchanged") return texts.changesNothing;
  if (status !== "planned") return texts.answered(versionAfter);
  const counts: Partial<Record<ChangeKind, number>> = {};
  for (const { change } of changes) counts[change] = (counts[change] ?? 0) + 1;
  if (versionBefore === null) return texts.creates(counts);
  return op === "delete" ? texts.deletes(versionBefore) : texts.updates(versionBefore, versionAfter, counts);
}

/** What happens to each property, and what else is known. */
export function outcomeTemplate(
  texts: PlanTexts,
  { changes, warnings, tokens }: Outcome,
  revealing: Revealing | undefined,
): TemplateResult {
  return html`${changesTemplate(texts, changes, revealing)}
  ${warnings.length === 0 ? nothing : warningsTemplate(texts, warnings)}
  ${tokens.length === 0 ? nothing : tokensTemplate(texts, tokens)}`;
}

function warningsTemplate(texts: PlanTexts, warnings: readonly Warning[]): TemplateResult {
  return html`<div class="warnings" part="warnings">
    <p class="caption">${texts.warnings(warnings.length)}</p>
    <ul role="list">
      ${warnings.map(({ message }) => html`<li>${WARNING_SIGN}<span>${sentence(message)}</span></li>`)}
    </ul>
  </div>`;
}

const WARNING_SIGN = html`<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
  ${svg`<path d="M8 1.8 15 14H1Z" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linejoin="round" />
  <path d="M8 6.2v3.6M8 11.2v1.2" stroke="currentColor" stroke-width="1.5" />`}
</svg>`;

function tokensTemplate(texts: PlanTexts, tokens: readonly string[]): TemplateResult {
  return html`<div class="tokens" part="tokens">
    <span class="caption" id="tokens">${texts.tokens}</span>
    <ul role="list" aria-labelledby="tokens">
      ${tokens.map((token) => html`<li class="mono" part="token">${token}</li>`)}
    </ul>
  </div>`;
}
