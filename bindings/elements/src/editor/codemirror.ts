/** The JSON editor on CodeMirror, which is loaded when somebody needs it. */

import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { json } from "@codemirror/lang-json";
import { bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { setDiagnostics } from "@codemirror/lint";
import { Compartment, EditorState, type Extension, type Text } from "@codemirror/state";
import { EditorView, keymap, lineNumbers, placeholder } from "@codemirror/view";

import type { TokenSuggestion } from "../tokens.js";
import { highlighting, look } from "./codemirror-theme.js";
import { selectsWhatIsTyped, suggest, tokenMarks } from "./codemirror-tokens.js";

/** What is wrong with the text, and where: from 1, in characters. */
export interface JsonProblem {
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

/** What can change while the editor is there. */
export interface JsonViewState {
  readonly tokens: readonly TokenSuggestion[];
  readonly isDisabled: boolean;
  readonly isReadonly: boolean;
  readonly isInvalid: boolean;
  readonly placeholder: string;
  /** Ids of elements in the same tree. */
  readonly labelledBy: string;
  readonly describedBy: string;
}

/** Where the editor is, and whom it tells. */
export interface JsonViewHost {
  readonly parent: HTMLElement;
  readonly root: ShadowRoot;
  edited(text: string): void;
}

/** An editor with a text. It remembers what was written, to undo it: destroy it. */
export class JsonView {
  readonly #host: JsonViewHost;
  readonly #changing = new Compartment();
  #state: JsonViewState;
  #view: EditorView;
  #tokens: readonly TokenSuggestion[];

  constructor(host: JsonViewHost, text: string, state: JsonViewState) {
    this.#host = host;
    this.#state = state;
    this.#tokens = state.tokens;
    this.#view = new EditorView({ parent: host.parent, root: host.root, state: this.#begin(text) });
  }

  /** Shows another text; what was written before cannot be undone then. Returns false if it is the same one. */
  replace(text: string): boolean {
    const { state } = this.#view;
    if (state.doc.eq(state.toText(text))) return false;
    this.#view.setState(this.#begin(text));
    return true;
  }

  set state(state: JsonViewState) {
    const former = this.#state;
    if (Object.entries(state).every(([name, value]) => former[name as keyof JsonViewState] === value)) return;
    this.#state = state;
    this.#tokens = state.tokens;
    this.#view.dispatch({ effects: this.#changing.reconfigure(extensionsOf(state)) });
  }

  /** Marks a problem in the text. */
  set problem(problem: JsonProblem | undefined) {
    const { state } = this.#view;
    const diagnostics =
      problem === undefined
        ? []
        : [{ ...rangeOf(state.doc, problem), severity: "error" as const, message: problem.message }];
    this.#view.dispatch(setDiagnostics(state, diagnostics));
  }

  /** Focuses the editor, with a part of the text selected. */
  focus(from?: number, to = from): void {
    this.#view.focus();
    if (from === undefined) return;
    const { length } = this.#view.state.doc;
    const selection = { anchor: Math.min(from, length), head: Math.min(to ?? from, length) };
    this.#view.dispatch({ selection, scrollIntoView: true });
  }

  /** Goes away, with all that it remembers. */
  destroy(): void {
    this.#view.destroy();
    releaseRange();
  }

  #begin(text: string): EditorState {
    return EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        history(),
        indentOnInput(),
        indentUnit.of("  "),
        bracketMatching(),
        closeBrackets(),
        json(),
        syntaxHighlighting(highlighting),
        tokenMarks,
        autocompletion({
          override: [(context) => suggest(context, this.#tokens)],
          icons: false,
          // Whoever begins an array and presses Enter wants a new line.
          selectOnOpen: false,
          // Elsewhere Enter means nothing: no reason to ignore it for a while.
          interactionDelay: 0,
        }),
        selectsWhatIsTyped,
        // Without a binding for Tab, which has to lead out of the editor.
        keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...completionKeymap]),
        EditorView.lineWrapping,
        EditorView.domEventHandlers({
          beforeinput: typeOver,
          compositionstart: composeOver,
          copy: hasNothingToCopy,
          cut: hasNothingToCopy,
        }),
        EditorView.updateListener.of(({ docChanged, state }) => {
          if (docChanged) this.#host.edited(state.doc.toString());
        }),
        look,
        this.#changing.of(extensionsOf(this.#state)),
      ],
    });
  }
}

/**
 * CodeMirror has one range for all editors, and with it keeps the tree in which it has measured last: the host's page,
 * with all that it showed, long after that is gone. So it measures once more where nothing is.
 */
function releaseRange(): void {
  const root = document.createElement("div").attachShadow({ mode: "open" });
  const view = new EditorView({ doc: "-", parent: root as unknown as HTMLElement, root });
  view.coordsAtPos(0);
  view.destroy();
}

function extensionsOf(state: JsonViewState): Extension {
  return [
    EditorState.readOnly.of(state.isReadonly || state.isDisabled),
    EditorView.editable.of(!state.isDisabled),
    placeholder(state.placeholder),
    EditorView.contentAttributes.of({
      "aria-labelledby": state.labelledBy,
      "aria-describedby": state.describedBy,
      "aria-invalid": String(state.isInvalid),
      ...(state.isReadonly && { "aria-readonly": "true" }),
      ...(state.isDisabled && { "aria-disabled": "true" }),
    }),
  ];
}

/**
 * Replaces what is selected without the browser's help: Chromium keeps its colour for what is typed next, in
 * an attribute that a strict policy forbids.
 */
function typeOver({ inputType, data, isComposing }: InputEvent, view: EditorView): boolean {
  const { from, to } = selectionOf(view);
  const isDeleting = inputType.startsWith("delete");
  const text = isDeleting ? "" : inputType === "insertText" ? data : null;
  if (text === null || isComposing || from === to || view.state.readOnly) return false;
  const insert = () =>
    view.state.update({
      changes: { from, to, insert: text },
      selection: { anchor: from + text.length },
      userEvent: isDeleting ? "delete.selection" : "input.type",
      scrollIntoView: true,
    });
  const handlers = isDeleting ? [] : view.state.facet(EditorView.inputHandler);
  if (!handlers.some((handle) => handle(view, from, to, text, insert))) view.dispatch(insert());
  return true;
}

/** The same before characters are written by an input method: what it writes cannot be replaced. */
function composeOver(_event: CompositionEvent, view: EditorView): boolean {
  const { from, to } = selectionOf(view);
  if (from !== to && !view.state.readOnly) {
    view.dispatch({ changes: { from, to }, selection: { anchor: from }, userEvent: "delete.selection" });
  }
  return false;
}

/** What is selected. Chromium tells before the editor has heard of it. */
function selectionOf(view: EditorView): { readonly from: number; readonly to: number } {
  const root = view.root as { readonly getSelection?: () => Selection | null };
  const { anchorNode, anchorOffset, focusNode, focusOffset } = root.getSelection?.() ?? {};
  if (!anchorNode || !focusNode || !view.contentDOM.contains(anchorNode)) return view.state.selection.main;
  const ends = [view.posAtDOM(anchorNode, anchorOffset), view.posAtDOM(focusNode, focusOffset)];
  return { from: Math.min(...ends), to: Math.max(...ends) };
}

/**
 * Without a selection the editor would copy the line and remember it, for all editors of the page and longer
 * than the vault is open.
 */
function hasNothingToCopy(_event: ClipboardEvent, view: EditorView): boolean {
  return view.state.selection.ranges.every(({ empty }) => empty);
}

/** The character at a place; at the end of a line the one before, so that there is something to mark. */
function rangeOf(doc: Text, { line, column }: JsonProblem): { readonly from: number; readonly to: number } {
  const { from, to, text } = doc.line(Math.min(Math.max(line, 1), doc.lines));
  const characters = [...text];
  const before = characters.slice(0, column - 1).join("").length;
  const [at, length] = [Math.min(from + before, to), characters[column - 1]?.length ?? 0];
  if (length > 0) return { from: at, to: at + length };
  return { from: Math.max(from, at - (characters.at(-1)?.length ?? 0)), to: at };
}
