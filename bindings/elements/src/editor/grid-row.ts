/** A row of the grid, as it looks. */

import { html, nothing, type TemplateResult } from "lit";
import { ifDefined } from "lit/directives/if-defined.js";
import { live } from "lit/directives/live.js";

import { quietProblemTemplate, type Problem } from "../problem.js";
import type { EditorTexts } from "../texts.js";
import { TOKENS_ID } from "./cell-completion.js";
import { tokensIn } from "../core.js";
import type { Column, DraftRow } from "./draft.js";
import { CROSS, DOWN, GRIP, UP } from "./icons.js";
import type { Mark } from "./marks.js";

/** How a row stands in the grid. */
export interface RowState {
  readonly row: DraftRow;
  readonly index: number;
  /** How many rows there are beside the one that stays empty. */
  readonly count: number;
  /** What the dry run says of its name. */
  readonly mark: Mark | undefined;
  readonly problems: readonly Problem[];
  /** The active option of the tokens offered in a field with this id. */
  readonly activeIn: (id: string) => string | undefined;
  readonly offersTokens: boolean;
  readonly isDisabled: boolean;
  readonly isReadonly: boolean;
}

/** What a button of a row does. */
export type RowCommand = "up" | "down" | "remove";

/** A row. Events are handled around all rows, by the attributes `data-key`, `data-column`, `data-command`. */
export function rowTemplate(texts: EditorTexts, state: RowState): TemplateResult {
  const { row, index, count, isDisabled, isReadonly } = state;
  const isLast = index === count;
  const canChange = !isDisabled && !isReadonly && !isLast;
  const called = row.name === "" ? texts.row(index + 1) : row.name;
  return html`<tr role="row" class="row" part="row" data-key=${row.key}>
    <td role="cell" class="handle-cell">
      ${canChange ? html`<span class="handle" part="handle" aria-hidden="true">${GRIP}</span>` : nothing}
    </td>
    <td role="cell" class="name-cell">${cell(texts, state, "name")}</td>
    <td role="cell" class="value-cell">${cell(texts, state, "value")} ${notes(texts, state)}</td>
    <td role="cell" class="actions-cell">
      ${
        canChange
          ? html`${button(row.key, "up", UP, texts.moveUp(called), index > 0)}
            ${button(row.key, "down", DOWN, texts.moveDown(called), index < count - 1)}
            ${button(row.key, "remove", CROSS, texts.remove(called), true)}`
          : nothing
      }
    </td>
  </tr>`;
}

/** The field of a cell. */
export function fieldId(key: number, column: Column): string {
  return `${column}-${key}`;
}

/** The button that removes a row. */
export function removeId(key: number): string {
  return `remove-${key}`;
}

function cell(texts: EditorTexts, state: RowState, column: Column): TemplateResult {
  const { row, index, count, mark, problems, isDisabled, isReadonly, offersTokens } = state;
  const isLast = index === count;
  const text = row[column];
  const id = fieldId(row.key, column);
  const active = state.activeIn(id);
  const label = column === "name" ? texts.nameOfRow(index + 1) : texts.valueOfRow(index + 1, row.name);
  const placeholder = column === "name" ? texts.newName : texts.newValue;
  const isWrong = problems.some(({ code }) => isOfName(code) === (column === "name"));
  return html`<div class="cell" part=${column}>
    ${backdrop(text ?? "")}
    <textarea
      id=${id}
      class="mono"
      rows="1"
      data-column=${column}
      aria-label=${label}
      aria-invalid=${isWrong ? "true" : "false"}
      aria-describedby=${ifDefined(problems.length > 0 || mark !== undefined ? notesId(row.key) : undefined)}
      aria-autocomplete=${ifDefined(offersTokens ? "list" : undefined)}
      aria-controls=${ifDefined(active === undefined ? undefined : TOKENS_ID)}
      aria-activedescendant=${ifDefined(active)}
      autocomplete="off"
      autocapitalize="off"
      autocorrect="off"
      spellcheck="false"
      writingsuggestions="false"
      placeholder=${text === null ? texts.nullValue : isLast ? placeholder : ""}
      ?disabled=${isDisabled}
      ?readonly=${isReadonly}
      .value=${live(text ?? "")}
    ></textarea>
  </div>`;
}

/** The same text behind the field, with its tokens marked; only if there are some, so that no other is twice. */
function backdrop(text: string): TemplateResult | typeof nothing {
  const spans = tokensIn(text);
  if (spans.length === 0) return nothing;
  const pieces: unknown[] = [];
  let at = 0;
  for (const { from, to } of spans) {
    pieces.push(text.slice(at, from), html`<mark>${text.slice(from, to)}</mark>`);
    at = to;
  }
  // A line that ends the text has no height of its own.
  pieces.push(`${text.slice(at)}\u200b`);
  // Spaces around them would be seen, and whoever translates pages would be sent the text.
  return html`<div class="backdrop mono" aria-hidden="true" translate="no">${pieces}</div>`;
}

function notes(texts: EditorTexts, { row, mark, problems }: RowState): TemplateResult | typeof nothing {
  if (mark === undefined && problems.length === 0) return nothing;
  return html`<div class="notes" id=${notesId(row.key)}>
    ${problems.map(quietProblemTemplate)}
    ${mark === undefined ? nothing : html`<p class="mark" part="mark ${mark}">${texts[mark]}</p>`}
  </div>`;
}

function notesId(key: number): string {
  return `notes-${key}`;
}

function isOfName(code: string | undefined): boolean {
  return code?.endsWith("_property_name") === true;
}

/**
 * For pointers and screen readers: with keys, a row is moved from its fields, and nobody passes two stops more. What
 * has nothing to do keeps the focus.
 */
function button(
  key: number,
  command: RowCommand,
  icon: TemplateResult,
  label: string,
  isEnabled: boolean,
): TemplateResult {
  return html`<button
    type="button"
    id="${command}-${key}"
    class="quiet icon"
    part="row-button"
    data-command=${command}
    tabindex=${command === "remove" ? 0 : -1}
    aria-label=${label}
    title=${label}
    aria-disabled=${isEnabled ? nothing : "true"}
  >
    ${icon}
  </button>`;
}
