/** An outcome in words: the headline, the properties, the warnings, the tokens. */

import type { ActionOutcome, ChangeKind, Op, Outcome, Plan, Ran, Warning } from "connector-vault";
import { html, nothing, svg, type TemplateResult } from "lit";

import { sentence } from "../problem.js";
import type { PlanTexts } from "../texts.js";
import { changesTemplate, type Revealing } from "./changes.js";

/** What one action would do as a whole, or a batch. */
export function headlineOf(texts: PlanTexts, { outcome, op }: Plan<Ran>): string {
  return "outcomes" in outcome ? texts.batch(outcome.outcomes.length) : headlineOfOne(texts, outcome, op);
}

/** An action creates, updates or deletes; a plan of the host's tells its `op`. */
function headlineOfOne(texts: PlanTexts, outcome: ActionOutcome, op?: Op): string {
  if (outcome.status === "skipped") return texts.skipped;
  if ("success" in outcome) return outcome.success ? texts.works : texts.doesNotWork(outcome.message);
  const { status, versionBefore, versionAfter, changes } = outcome as Outcome;
  if (status === "unchanged") return texts.changesNothing;
  if (status !== "planned") return texts.answered(versionAfter);
  const counts: Partial<Record<ChangeKind, number>> = {};
  for (const { change } of changes) counts[change] = (counts[change] ?? 0) + 1;
  if (versionBefore === null) {
    return op === "undelete" ? texts.undeletes(versionAfter, counts) : texts.creates(counts);
  }
  if (op === "describe") return texts.describes(versionBefore, versionAfter);
  if (op === "move") return texts.moves(versionBefore, versionAfter);
  // An update that changes nothing is not planned, but unchanged.
  return changes.length === 0
    ? texts.deletes(versionBefore)
    : texts.updates(versionBefore, versionAfter, counts);
}

/** What happens to each property, and what else is known: of one action, or of each of a batch. */
export function ranTemplate(
  texts: PlanTexts,
  ran: Ran,
  revealing: (outcome: Outcome, change: number) => Revealing | undefined,
): TemplateResult {
  if (!("outcomes" in ran)) return doneTemplate(texts, ran, (outcome) => revealing(outcome, 0));
  // Tests and what is skipped change nothing.
  let changes = 0;
  return html`<ol class="batch" part="batch">
    ${ran.outcomes.map((outcome) => {
      const change = "changes" in outcome ? changes++ : 0;
      return html`<li>
        <p part="action">
          ${"id" in outcome ? html`<span class="mono" translate="no">${outcome.id}</span>: ` : nothing}${headlineOfOne(texts, outcome)}
        </p>
        ${doneTemplate(texts, outcome, (outcome) => revealing(outcome, change))}
      </li>`;
    })}
  </ol>`;
}

function doneTemplate(
  texts: PlanTexts,
  outcome: ActionOutcome,
  revealing: (outcome: Outcome) => Revealing | undefined,
): TemplateResult {
  if (!("warnings" in outcome)) return html``;
  if ("changes" in outcome) return outcomeTemplate(texts, outcome, revealing(outcome));
  return outcomeTemplate(texts, { ...outcome, changes: [] }, undefined);
}

/** What happens to each property, and what else is known. */
function outcomeTemplate(
  texts: PlanTexts,
  { changes, warnings, tokens }: Pick<Outcome, "changes" | "warnings" | "tokens">,
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
