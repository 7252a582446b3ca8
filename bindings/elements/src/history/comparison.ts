/** What differs between two versions, and the choice of the other one. */

import type { Change, Vault } from "connector-vault";
import { html, nothing, type TemplateResult } from "lit";

import { changesTemplate } from "../plan/changes.js";
import { problemOf, problemTemplate, type Problem } from "../problem.js";
import type { Reveal } from "../secret-value.js";
import type { TextsController } from "../texts.js";

/** Two versions of a connector, the older first. */
export interface Comparison {
  readonly id: string;
  readonly from: number;
  readonly to: number;
  /** What differs, or why that cannot be told. */
  readonly result: readonly Change[] | Problem;
}

/** Compares two versions. */
export function compare(vault: Vault, id: string, one: number, other: number): Comparison {
  const [from, to] = [Math.min(one, other), Math.max(one, other)];
  try {
    return { id, from, to, result: vault.diff(id, from, to) };
  } catch (error) {
    return { id, from, to, result: problemOf(error) };
  }
}

/** The version that one is compared with unless the user says: the one before it, else the one after it. */
export function neighbour(version: number, newestFirst: readonly number[]): number | undefined {
  const index = newestFirst.indexOf(version);
  return newestFirst[index + 1] ?? newestFirst[index - 1];
}

/** What the comparison is shown with. */
export interface ComparisonView {
  readonly vault: Vault;
  readonly reveal: Reveal;
  /** Which of the two the user has opened. */
  readonly version: number;
  /** All that there are, newest first. */
  readonly versions: readonly number[];
  readonly choose: (other: number) => void;
}

/** The comparison below its version. */
export function comparisonTemplate(
  texts: TextsController,
  { id, from, to, result }: Comparison,
  view: ComparisonView,
): TemplateResult {
  const other = view.version === from ? to : from;
  const valueIn = (version: number, name: string): Promise<string | undefined> =>
    view.vault.readProperty(id, name, version);
  const revealing = {
    reveal: view.reveal,
    load: async (name: string) => [await valueIn(from, name), await valueIn(to, name)] as const,
  };
  const labels = [texts.history.version(from), texts.history.version(to)] as const;
  return html`<label class="other">
      <span>${texts.history.comparedWith}</span>
      <select @change=${({ target }: Event) => view.choose(Number((target as HTMLSelectElement).value))}>
        ${view.versions.map((version) =>
          version === view.version
            ? nothing
            : html`<option .value=${String(version)} .selected=${version === other}>
                ${texts.history.version(version)}
              </option>`,
        )}
      </select>
    </label>
    ${
      "message" in result
        ? problemTemplate(result)
        : html`<p role="status">
              ${result.length === 0 ? texts.history.noDifference(from, to) : texts.history.difference(from, to)}
            </p>
            ${changesTemplate(texts.plan, result, revealing, labels)}`
    }`;
}
