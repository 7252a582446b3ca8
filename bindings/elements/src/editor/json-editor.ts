/** Dynamic Properties: a plain text field at once, and CodeMirror in its place as soon as that is loaded. */

import {
  html,
  nothing,
  type ReactiveController,
  type ReactiveControllerHost,
  type TemplateResult,
} from "lit";
import { live } from "lit/directives/live.js";

import { sentence, quietProblemTemplate } from "../problem.js";
import type { EditorTexts } from "../texts.js";
import type { TokenSuggestion } from "../tokens.js";
import type { PlacedProblem } from "./check.js";
import type { JsonView, JsonViewState } from "./codemirror.js";

/** What is shown. */
export interface JsonEditorState {
  readonly text: string;
  readonly tokens: readonly TokenSuggestion[];
  readonly problem: PlacedProblem | undefined;
  readonly isDisabled: boolean;
  readonly isReadonly: boolean;
}

/** The text field or editor. Nobody sees the difference but by its comfort. */
export class JsonEditor implements ReactiveController {
  readonly #host: ReactiveControllerHost & HTMLElement;
  /** Somebody is writing the text. */
  readonly #edited: (text: string) => void;
  #state: JsonEditorState | undefined;
  #texts: EditorTexts | undefined;
  #view: JsonView | undefined;
  #module: typeof import("./codemirror.js") | undefined;
  #loading: Promise<void> | undefined;
  #marked: PlacedProblem | undefined;
  /** What was selected in the text field, if that had the focus. */
  #selection: readonly [from: number, to: number] | undefined;

  constructor(host: ReactiveControllerHost & HTMLElement, edited: (text: string) => void) {
    this.#host = host;
    this.#edited = edited;
    host.addController(this);
  }

  /** What is wrong is announced there, or where the focus goes: the field that is there now. */
  get field(): HTMLElement | null {
    const root = this.#host.shadowRoot;
    return root?.querySelector<HTMLElement>("#json, .codemirror .cm-content") ?? null;
  }

  /** Resolves when CodeMirror is there, or could not be loaded. */
  loaded(): Promise<void> {
    return (this.#loading ??= import("./codemirror.js").then(
      async (module) => {
        // The page has been at work with the module already: the editor is made after a pause.
        await new Promise((resolve) => setTimeout(resolve));
        const field = this.field;
        // Somebody may be writing already.
        if (field instanceof HTMLTextAreaElement && field === this.#host.shadowRoot?.activeElement) {
          this.#selection = [field.selectionStart, field.selectionEnd];
        }
        this.#module = module;
        this.#host.requestUpdate();
      },
      // Without it the text field stays.
      () => undefined,
    ));
  }

  /** Forgets the text and what was written before. */
  reset(): void {
    this.#view?.destroy();
    this.#view = undefined;
    this.#marked = undefined;
    this.#host.requestUpdate();
  }

  hostConnected(): void {
    void this.loaded();
    this.#host.requestUpdate();
  }

  hostDisconnected(): void {
    this.reset();
  }

  hostUpdated(): void {
    const [state, texts] = [this.#state, this.#texts];
    if (state === undefined || texts === undefined || !this.#host.isConnected) return;
    this.#view ??= this.#mount(state, texts);
    if (this.#view === undefined) return;
    this.#view.state = viewState(state, texts);
    const isReplaced = this.#view.replace(state.text);
    if (!isReplaced && this.#marked === state.problem) return;
    this.#marked = state.problem;
    const { message, place } = state.problem ?? {};
    const { line, column } = place ?? {};
    this.#view.problem =
      message === undefined || line === undefined || column === undefined
        ? undefined
        : { message: sentence(message), line, column };
  }

  template(texts: EditorTexts, state: JsonEditorState): TemplateResult {
    this.#state = state;
    this.#texts = texts;
    const { problem } = state;
    const plain = html`<textarea
      id="json"
      class="mono"
      rows="6"
      aria-labelledby="json-label"
      aria-describedby=${DESCRIBED_BY}
      aria-invalid=${problem === undefined ? "false" : "true"}
      autocomplete="off"
      autocapitalize="off"
      autocorrect="off"
      spellcheck="false"
      writingsuggestions="false"
      placeholder=${texts.jsonPlaceholder}
      ?disabled=${state.isDisabled}
      ?readonly=${state.isReadonly}
      .value=${live(state.text)}
      @input=${this.#input}
    ></textarea>`;
    return html`<div class=${problem === undefined ? "json" : "json wrong"} part="json" dir="ltr">
        ${this.#module === undefined ? plain : html`<div class="codemirror"></div>`}
      </div>
      <div id="json-problem" role="status">
        ${problem === undefined ? nothing : quietProblemTemplate(problem)}
      </div>
      <p id="json-keys" class="hint">${state.isDisabled || state.isReadonly ? nothing : texts.jsonKeys}</p>`;
  }

  readonly #input = ({ target }: Event): void => {
    if (target instanceof HTMLTextAreaElement) this.#edited(target.value);
  };

  #mount(state: JsonEditorState, texts: EditorTexts): JsonView | undefined {
    const root = this.#host.shadowRoot;
    const parent = root?.querySelector<HTMLElement>(".codemirror");
    if (this.#module === undefined || !root || !parent) return undefined;
    const view = new this.#module.JsonView(
      { parent, root, edited: this.#edited },
      state.text,
      viewState(state, texts),
    );
    if (this.#selection !== undefined) view.focus(...this.#selection);
    this.#selection = undefined;
    return view;
  }
}

const DESCRIBED_BY = "json-hint json-problem json-keys";

function viewState(
  { tokens, problem, isDisabled, isReadonly }: JsonEditorState,
  texts: EditorTexts,
): JsonViewState {
  return {
    tokens,
    isDisabled,
    isReadonly,
    isInvalid: problem !== undefined,
    placeholder: texts.jsonPlaceholder,
    labelledBy: "json-label",
    describedBy: DESCRIBED_BY,
  };
}
