/** Tokens in the JSON editor: marked where they stand, offered where one is being written. */

import {
  completionStatus,
  pickedCompletion,
  selectedCompletionIndex,
  setSelectedCompletion,
  type Completion,
  type CompletionContext,
  type CompletionResult,
} from "@codemirror/autocomplete";
import { syntaxTree } from "@codemirror/language";
import { StateField, type EditorState } from "@codemirror/state";
import { Decoration, EditorView, type DecorationSet } from "@codemirror/view";

import { matchingTokens, tokenAt, tokenText, type TokenBeginning, type TokenSuggestion } from "../tokens.js";
import { tokensIn } from "../core.js";

const MARK = Decoration.mark({ class: "cm-token" });

/** Marks the tokens of the text. */
export const tokenMarks = StateField.define<DecorationSet>({
  create: marksOf,
  update: (marks, { docChanged, state }) => (docChanged ? marksOf(state) : marks),
  provide: (field) => EditorView.decorations.from(field),
});

/** What can be written in place of what was typed behind a bracket. */
export function suggest(
  { state, pos, explicit }: CompletionContext,
  tokens: readonly TokenSuggestion[],
): CompletionResult | null {
  const beginning = state.readOnly ? undefined : beginningAt(state, pos);
  if (beginning === undefined) return null;
  const matches = matchingTokens(tokens, beginning.typed);
  if (!explicit && matches.length === 1 && matches[0]?.name === beginning.typed) return null;
  return {
    from: beginning.from,
    to: pos,
    // They are ranked by what was typed without the bracket.
    filter: false,
    // At once with each key: while the editor asks again, it would not take Enter.
    update: (_current, _from, _to, context) => suggest(context, tokens),
    options: matches.map((token) => ({
      label: `[${token.name}]`,
      ...(token.description !== undefined && { detail: token.description }),
      apply: (view, completion) => write(view, token, completion),
    })),
  };
}

/** Selects the best match once something was typed of it, or where only a token can stand. */
export const selectsWhatIsTyped = EditorView.updateListener.of(({ view, state }) => {
  if (completionStatus(state) !== "active" || selectedCompletionIndex(state) !== null) return;
  const { head } = state.selection.main;
  const beginning = beginningAt(state, head);
  if (beginning === undefined || (beginning.typed === "" && !isInString(state, beginning.from))) return;
  view.dispatch({ effects: setSelectedCompletion(0) });
});

function write(view: EditorView, token: TokenSuggestion, completion: Completion): void {
  const { state } = view;
  // The closing bracket came with the opening one.
  const beginning = beginningAt(state, state.selection.main.head);
  if (beginning === undefined) return;
  const insert = tokenText(token, beginning);
  view.dispatch({
    changes: { from: beginning.from, to: beginning.to, insert },
    selection: { anchor: beginning.from + insert.length },
    userEvent: "input.complete",
    annotations: pickedCompletion.of(completion),
  });
}

function beginningAt({ doc }: EditorState, pos: number): TokenBeginning | undefined {
  const line = doc.lineAt(pos);
  const beginning = tokenAt(line.text, pos - line.from);
  return beginning && { ...beginning, from: line.from + beginning.from, to: line.from + beginning.to };
}

function marksOf(state: EditorState): DecorationSet {
  const text = state.doc.toString();
  const spans = tokensIn(text).filter(
    ({ from, to }) => isInString(state, from) || !isJson(text.slice(from, to)),
  );
  return Decoration.set(spans.map(({ from, to }) => MARK.range(from, to)));
}

/** What reads as an array is one (docs/action.md 5.2): `[true]`. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function isInString(state: EditorState, pos: number): boolean {
  const { name } = syntaxTree(state).resolveInner(pos, 1);
  return name === "String" || name === "PropertyName";
}
