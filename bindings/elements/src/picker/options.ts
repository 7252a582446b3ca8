/** What can be chosen, and how each option looks. */

import type { Overview } from "connector-vault";
import { html, nothing, type TemplateResult } from "lit";

import { comparable } from "../connector-list.js";
import type { PickerTexts } from "../texts.js";
import type { TokenSuggestion } from "../tokens.js";
import { placed, type Row } from "../virtual-rows.js";
import { CHECK } from "./icons.js";

/** A connector, or a token that stands for one. */
export type Option =
  | { readonly connector: Overview; readonly token?: never }
  | { readonly token: TokenSuggestion; readonly connector?: never };

/** Options of one kind, and which words they were found by. */
export interface Found<T> {
  readonly items: readonly T[];
  readonly words: readonly string[];
}

const NOTHING = { items: [], words: [] };

/** The connectors, and the tokens below them; without a copy of ten thousand. */
export class Options {
  readonly #connectors: Found<Overview>;
  readonly #tokens: Found<TokenSuggestion>;

  constructor(connectors: Found<Overview> = NOTHING, tokens: Found<TokenSuggestion> = NOTHING) {
    this.#connectors = connectors;
    this.#tokens = tokens;
  }

  /** How many there are. */
  get count(): number {
    return this.#connectors.items.length + this.#tokens.items.length;
  }

  /** The option with an index. */
  at(index: number): Option | undefined {
    const { items } = this.#connectors;
    const connector = items[index];
    if (connector !== undefined) return { connector };
    const token = this.#tokens.items[index - items.length];
    return token === undefined ? undefined : { token };
  }

  /** What was looked for, to be marked in an option. */
  wordsOf({ connector }: Option): readonly string[] {
    return (connector === undefined ? this.#tokens : this.#connectors).words;
  }

  /** Where the connector with an id is. */
  indexOf(id: string): number | undefined {
    const index = this.#connectors.items.findIndex((connector) => connector.id === id);
    return index === -1 ? undefined : index;
  }
}

/** How an option stands in the list. */
export interface OptionState {
  readonly row: Row;
  readonly count: number;
  readonly isActive: boolean;
  readonly isSelected: boolean;
  readonly words: readonly string[];
}

/** An option of the listbox. */
export function optionTemplate(
  texts: PickerTexts,
  { connector, token }: Option,
  { row, count, isActive, isSelected, words }: OptionState,
): TemplateResult {
  const [name, id, type] =
    connector === undefined
      ? [`[${token.name}]`, token.description ?? "", texts.token]
      : [connector.name, connector.id, connector.type];
  const kind = connector === undefined ? "token" : "connector";
  return html`<div
    role="option"
    id=${optionId(row.index)}
    part=${isActive ? "option active-option" : "option"}
    class=${isActive ? `option ${kind} active` : `option ${kind}`}
    aria-selected=${isSelected}
    aria-setsize=${count}
    aria-posinset=${row.index + 1}
    data-index=${row.index}
    ${placed(row)}
  >
    <span class="name" part="option-name">${marked(name, words)}</span>
    <span class="type" part="option-type">${marked(type, words)}</span>
    <span class="id" part="option-id">${marked(id, words)}</span>
    ${isSelected ? html`<span class="check">${CHECK}</span>` : nothing}
  </div>`;
}

/** What `aria-activedescendant` refers to. */
export function optionId(index: number): string {
  return `option-${index}`;
}

/** A text in which what was looked for is marked. */
function marked(text: string, words: readonly string[]): unknown {
  const searched = comparable(text);
  // A few letters have more units in lower case: then nothing is marked, rather than the wrong part.
  if (words.length === 0 || searched.length !== text.length) return text;
  const isMarked = new Array<boolean>(text.length).fill(false);
  for (const word of words) {
    for (let at = searched.indexOf(word); at !== -1; at = searched.indexOf(word, at + word.length)) {
      isMarked.fill(true, at, at + word.length);
    }
  }
  const pieces: unknown[] = [];
  for (let from = 0, to = 0; from < text.length; from = to) {
    while (to < text.length && isMarked[to] === isMarked[from]) to++;
    const piece = text.slice(from, to);
    pieces.push(isMarked[from] === true ? html`<mark part="match">${piece}</mark>` : piece);
  }
  return pieces;
}
