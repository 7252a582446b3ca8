/** What is found in a vault, and among tokens, for what is typed. */

import type { Overview, Vault } from "connector-vault";
import type { ReactiveControllerHost } from "lit";

import { ConnectorList, comparable, connectorIn, wordsOf } from "../connector-list.js";
import { matchingTokens, tokenAt, tokenText, type TokenSuggestion } from "../tokens.js";
import { Options } from "./options.js";

/** Where the user is typing. */
export interface Typing {
  readonly text: string;
  /** In UTF-16 units. */
  readonly caret: number;
}

/** Searches for an element. */
export class Search {
  readonly list: ConnectorList;

  constructor(host: ReactiveControllerHost) {
    this.list = new ConnectorList(host);
  }

  /** The vault, while it is open. */
  get vault(): Vault | undefined {
    return openOnly(this.list.vault);
  }

  /** The connectors, and below them the tokens. */
  find({ text, caret }: Typing, tokens: readonly TokenSuggestion[]): Options {
    this.list.query = text;
    const begun = tokenAt(text, caret)?.typed ?? text;
    return new Options(
      { items: this.list.found, words: wordsOf(text) },
      { items: matchingTokens(tokens, begun), words: wordsOf(begun) },
    );
  }

  /** The connector of a vault with an id. */
  connector(vault: Vault | undefined, id: string): Overview | undefined {
    // The host may have set another one since the last update.
    return vault === this.list.vault ? this.list.connector(id) : connectorIn(vault, id);
  }

  /** The id of the one connector whose name a text is, or its id, in any case. Only what is loaded is known. */
  named(text: string): string | undefined {
    this.list.query = text;
    const wanted = comparable(text);
    // They stand first.
    const [match, other] = this.list.found
      .slice(0, 2)
      .filter(({ id, name }) => comparable(id) === wanted || comparable(name) === wanted);
    return other === undefined ? match?.id : undefined;
  }
}

/** The vault, unless it is locked. */
export function openOnly(vault: Vault | undefined): Vault | undefined {
  return vault?.isLocked === false ? vault : undefined;
}

/** The text with a token in place of the one that is being typed, or of everything. */
export function textWith(token: TokenSuggestion, { text, caret }: Typing): string {
  const beginning = tokenAt(text, caret);
  if (beginning === undefined) return `[${token.name}]`;
  return (text.slice(0, beginning.from) + tokenText(token, beginning) + text.slice(beginning.to)).trim();
}
