/** What stands in the popup below the options, or in their place. */

import { html, nothing, type TemplateResult } from "lit";

import type { ConnectorList } from "../connector-list.js";
import { problemOf, problemTemplate } from "../problem.js";
import type { PickerTexts } from "../texts.js";

/** How many connectors there are, or why there are no options. */
export function belowTemplate(
  texts: PickerTexts,
  { error, found, size }: ConnectorList,
  note: string | undefined,
): TemplateResult | typeof nothing {
  if (error !== undefined) {
    return html`<div class="note" part="note">${problemTemplate(problemOf(error))}</div>`;
  }
  if (note !== undefined) return html`<p class="note" part="note">${note}</p>`;
  return size === 0
    ? nothing
    : html`<p class="count" part="count" aria-hidden="true">${texts.counts(found.length, size)}</p>`;
}

/** Why there are no options; `isText`: what is typed is a value nevertheless. */
export function noteOf(
  texts: PickerTexts,
  { vault, size, isLoading, query }: ConnectorList,
  isText: boolean,
): string {
  if (vault === undefined) return texts.noVault;
  if (vault.isLocked) return texts.locked;
  if (isLoading) return texts.loading;
  if (size === 0) return texts.noConnectors;
  return isText ? texts.noResultButText : texts.noResult(query.trim());
}
