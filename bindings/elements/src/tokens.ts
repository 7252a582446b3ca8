/** Tokens that a host suggests, and where in a text one is being written. */

/** A token that users may choose. */
export interface TokenSuggestion {
  /** What stands between its brackets: `Secrets:TwitterKey`. */
  readonly name: string;
  /** What it is, in a few words. */
  readonly description?: string | undefined;
}

/** A token that is being written. */
export interface TokenBeginning {
  /** Where its opening bracket is, in UTF-16 units. */
  readonly from: number;
  /** Where what a suggestion replaces ends. */
  readonly to: number;
  /** What was typed of its name. */
  readonly typed: string;
  /** Whether a closing bracket is wanted: there are no parameters, default or format yet. */
  readonly closes: boolean;
}

/** Ends the name of a token, or says that this bracket begins something else. */
const NO_NAME = new Set(["[", "]", "(", ")", "=", "|", '"', "'", ",", "{", "}", "\n"]);

/** The token in whose name the caret stands. */
export function tokenAt(text: string, caret: number): TokenBeginning | undefined {
  let from = caret - 1;
  while (from >= 0 && !NO_NAME.has(text.charAt(from))) from--;
  if (text.charAt(from) !== "[") return undefined;
  // What follows is part of it if the name goes on there without a space, up to what ends a name.
  let to = caret;
  while (to < text.length && text.charAt(to) !== " " && !NO_NAME.has(text.charAt(to))) to++;
  const end = text.charAt(to);
  const typed = text.slice(from + 1, caret);
  if (end === "]") return { from, to: to + 1, typed, closes: true };
  if (end === "(" || end === "=" || end === "|") return { from, to, typed, closes: false };
  return { from, to: caret, typed, closes: true };
}

/** The suggestions for what was typed: those that begin with it first. */
export function matchingTokens(tokens: readonly TokenSuggestion[], typed: string): TokenSuggestion[] {
  const wanted = typed.trim().toLowerCase();
  const rankOf = ({ name, description = "" }: TokenSuggestion): number => {
    const at = name.toLowerCase().indexOf(wanted);
    if (at >= 0) return at === 0 ? 0 : 1;
    return description.toLowerCase().includes(wanted) ? 2 : 3;
  };
  return tokens
    .map((token) => ({ token, rank: rankOf(token) }))
    .filter(({ rank }) => rank < 3)
    .sort((a, b) => a.rank - b.rank)
    .map(({ token }) => token);
}

/** What is written in place of the beginning. */
export function tokenText({ name }: TokenSuggestion, { closes }: TokenBeginning): string {
  return closes ? `[${name}]` : `[${name}`;
}
