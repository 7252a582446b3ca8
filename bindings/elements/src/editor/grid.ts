/** The grid of properties: writes the draft's rows by keys, pointers and the clipboard. */

import type { Outcome } from "connector-vault";
import { html, nothing, type ReactiveController, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";

import { sentence, type Problem } from "../problem.js";
import type { EditorTexts } from "../texts.js";
import { EDITOR_TEXTS } from "../texts/editor.js";
import { isComposing } from "../form-field.js";
import { CellCompletion } from "./cell-completion.js";
import type { Column, Draft, DraftRow } from "./draft.js";
import { fieldId, removeId, rowTemplate, type RowCommand } from "./grid-row.js";
import { marksOf } from "./marks.js";
import { isPlain, readPasted, type Pasted } from "./paste.js";
import { RowDrag, type DragHost } from "./row-drag.js";

/** What the grid tells the editor around it. */
export interface GridEvents {
  /** The draft has changed; for good, or somebody is typing. */
  edited(how: "typed" | "done"): void;
  /** The focus has left a row. */
  leftRow(key: number): void;
}

/** What the grid shows beside the rows. */
export interface GridState {
  readonly texts: EditorTexts;
  readonly isDisabled: boolean;
  readonly isReadonly: boolean;
  readonly plan: Outcome | undefined;
  problemsOf(index: number): readonly Problem[];
}

/** The grid. */
export class Grid implements ReactiveController {
  readonly completion: CellCompletion;
  readonly #host: DragHost;
  readonly #events: GridEvents;
  readonly #draft: Draft;
  readonly #drag: RowDrag;
  #state: GridState | undefined;
  #texts: EditorTexts = EDITOR_TEXTS;
  /** What was done last, and whether it can be undone. */
  #status: { readonly text: string; readonly canUndo: boolean } | undefined;
  /** Where the focus goes with the next update: an element's id, and the caret. */
  #focus: { readonly id: string; readonly caret: number | undefined } | undefined;

  constructor(host: DragHost, draft: Draft, events: GridEvents) {
    this.#host = host;
    this.#events = events;
    this.#draft = draft;
    this.completion = new CellCompletion(host);
    const rows = () => this.#all("tr.row").slice(0, -1);
    this.#drag = new RowDrag(host, rows, (from, to) => this.#move(this.#draft.rows[from]?.key, to));
    host.addController(this);
  }

  /** Forgets what was said and offered: the draft is another one. */
  reset(): void {
    this.#status = undefined;
    this.#focus = undefined;
    this.completion.close();
  }

  /** The field of a row's name. */
  fieldOf(index: number): HTMLElement | undefined {
    const row = this.#draft.rows[index];
    return row === undefined ? undefined : this.#all(`#${fieldId(row.key, "name")}`)[0];
  }

  hostUpdated(): void {
    const focus = this.#focus;
    this.#focus = undefined;
    if (!CSS.supports("field-sizing", "content")) this.#fit();
    // What is behind a field comes with its first token, when the field may have been scrolled.
    scrollBackdrop(this.#host.shadowRoot?.activeElement ?? null);
    if (focus === undefined) return;
    const [element] = this.#all(`#${focus.id}`);
    element?.focus();
    if (element instanceof HTMLTextAreaElement && focus.caret !== undefined) {
      element.setSelectionRange(focus.caret, focus.caret);
    }
  }

  template(state: GridState): TemplateResult {
    this.#state = state;
    this.#texts = state.texts;
    const { texts, plan } = state;
    const { rows } = this.#draft;
    if (!this.#canChange) this.completion.close();
    const marks = marksOf(plan, rows);
    const row = (row: DraftRow, index: number): TemplateResult =>
      rowTemplate(texts, {
        row,
        index,
        count: rows.length - 1,
        mark: marks.get(row),
        problems: state.problemsOf(index),
        activeIn: (id) => this.completion.activeIn(id),
        offersTokens: this.completion.tokens.length > 0,
        isDisabled: state.isDisabled,
        isReadonly: state.isReadonly,
      });
    const shown = this.#canChange ? rows : rows.slice(0, -1);
    return html`<table
        role="table"
        part="grid"
        aria-labelledby="properties-label"
        aria-describedby="grid-hint"
        @input=${this.#input}
        @keydown=${this.#keydown}
        @paste=${this.#paste}
        @click=${this.#click}
        @pointerdown=${this.#pointerdown}
        @focusout=${this.#focusout}
      >
        <thead role="rowgroup">
          <tr role="row">
            <td role="cell"></td>
            <th role="columnheader" scope="col">${texts.name}</th>
            <th role="columnheader" scope="col">${texts.value}</th>
            <th role="columnheader" scope="col"><span class="visually-hidden">${texts.actions}</span></th>
          </tr>
        </thead>
        <tbody role="rowgroup" @scroll=${SYNC}>
          ${repeat(shown, ({ key }) => key, row)}
        </tbody>
      </table>
      ${this.completion.template(texts)} ${this.#statusTemplate(texts)}`;
  }

  #statusTemplate(texts: EditorTexts): TemplateResult {
    const status = this.#status;
    const undo = html`<button type="button" class="quiet undo" part="undo" @click=${() => this.#undo("undo")}>
      ${texts.undo}
    </button>`;
    return html`<p role="status" class="status" part="status">
        ${status?.text ?? ""} ${status?.canUndo === true ? undo : nothing}
      </p>
      <p role="status" class="visually-hidden">${this.#announced(texts)}</p>`;
  }

  /** What is seen beside the field that has the focus. */
  #announced(texts: EditorTexts): string {
    if (this.completion.count > 0) return texts.tokensFound(this.completion.count);
    const problems = this.#draft.rows.flatMap((_, index) => this.#state?.problemsOf(index) ?? []);
    return problems.map(({ message }) => sentence(message)).join(" ");
  }

  // What users do

  readonly #input = (event: Event): void => {
    const field = fieldOf(event);
    if (field === undefined) return;
    this.#status = undefined;
    this.#draft.write(field.key, field.column, field.element.value);
    this.completion.typed(field.element);
    this.#events.edited("typed");
  };

  readonly #keydown = (event: KeyboardEvent): void => {
    const field = fieldOf(event);
    if (field === undefined || isComposing(event) || !this.#canChange) return;
    if (this.completion.keydown(event) || this.#handle(event, field)) event.preventDefault();
  };

  #handle({ key, altKey, ctrlKey, metaKey, shiftKey }: KeyboardEvent, field: Field): boolean {
    const isCommand = (ctrlKey || metaKey) && !altKey;
    if (isCommand && key.toLowerCase() === "z") return this.#undo(shiftKey ? "redo" : "undo");
    if (isCommand && key.toLowerCase() === "y") return this.#undo("redo");
    const index = this.#draft.indexOf(field.key);
    if (altKey && !isCommand && (key === "ArrowUp" || key === "ArrowDown")) {
      this.#move(field.key, index + (key === "ArrowUp" ? -1 : 1));
      return true;
    }
    if (key !== "Enter" || altKey || ctrlKey || metaKey) return false;
    // A value may have several lines, a name hardly.
    if (shiftKey) return field.column === "name";
    const next = this.#draft.rows[index + 1];
    if (next !== undefined) this.#focusNow(fieldId(next.key, field.column));
    return true;
  }

  readonly #paste = (event: ClipboardEvent): void => {
    const field = fieldOf(event);
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (field === undefined || !this.#canChange || isPlain(text)) return;
    event.preventDefault();
    void this.#pasteRows(text, field);
  };

  async #pasteRows(text: string, { key, element }: Field): Promise<void> {
    // Without the reader of tables, if it could not be loaded, the text is still the user's.
    const pasted = await readPasted(text).catch((): Pasted => ({ kind: "cell", text }));
    // Meanwhile the vault may have been locked: the row is gone, and so is where the text belongs.
    if (!element.isConnected || this.#draft.indexOf(key) < 0 || !this.#canChange) return;
    this.completion.close();
    switch (pasted.kind) {
      case "cell":
        element.setRangeText(pasted.text, element.selectionStart, element.selectionEnd, "end");
        element.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertFromPaste" }));
        break;
      case "table":
        this.#say(this.#texts.columns(pasted.columns), false);
        break;
      case "rows": {
        // A header row alone has none.
        const isDone = this.#draft.insert(pasted.rows, key) !== undefined;
        this.#say(this.#texts.pasted(pasted.rows.length, pasted.from), isDone);
        if (isDone) this.#events.edited("done");
      }
    }
  }

  readonly #click = (event: Event): void => {
    const target = event.target instanceof Element ? event.target.closest("[data-command]") : null;
    const key = keyOf(target);
    if (!(target instanceof HTMLElement) || key === undefined) return;
    const index = this.#draft.indexOf(key);
    const command = target.dataset["command"] as RowCommand;
    if (command === "remove") this.#remove(key, index);
    else this.#move(key, index + (command === "up" ? -1 : 1));
  };

  readonly #pointerdown = (event: PointerEvent): void => {
    const row = event.target instanceof Element ? event.target.closest(".handle")?.closest("tr") : null;
    if (row instanceof HTMLElement) this.#drag.start(event, row);
  };

  readonly #focusout = (event: FocusEvent): void => {
    this.completion.close();
    const key = keyOf(event.target);
    if (key !== undefined && keyOf(event.relatedTarget) !== key) this.#events.leftRow(key);
  };

  // What comes of it

  #remove(key: number, index: number): void {
    const texts = this.#texts;
    const called = this.#called(key, index);
    this.#draft.remove(key);
    const { rows } = this.#draft;
    const next = rows[index];
    const isLast = next === undefined || next === rows.at(-1);
    // To the same button of the next row: a field would bring up the keyboard of a phone.
    const id = isLast ? fieldId(rows.at(-1)?.key ?? key, "name") : removeId(next.key);
    this.#focus = { id, caret: undefined };
    this.#say(texts.removed(called), true);
    this.#events.edited("done");
  }

  #move(key: number | undefined, to: number): void {
    if (key === undefined || !this.#canChange) return;
    const called = this.#called(key, this.#draft.indexOf(key));
    if (!this.#draft.move(key, to)) return;
    this.#keepFocus();
    this.#say(this.#texts.moved(called, to + 1, this.#draft.rows.length - 1), false);
    this.#events.edited("done");
  }

  #undo(what: "undo" | "redo"): boolean {
    const texts = this.#texts;
    this.completion.close();
    this.#keepFocus();
    const isDone = what === "undo" ? this.#draft.undo() : this.#draft.redo();
    const focused = this.#focus === undefined ? undefined : Number(this.#focus.id.split("-").at(-1));
    const last = this.#draft.rows.at(-1);
    // What was pasted may have had the focus, or the button of this.
    if (last !== undefined && (focused === undefined || this.#draft.indexOf(focused) < 0)) {
      this.#focus = { id: fieldId(last.key, "name"), caret: undefined };
    }
    this.#say(isDone ? (what === "undo" ? texts.undone : texts.redone) : texts.nothingToUndo, false);
    if (isDone) this.#events.edited("done");
    return true;
  }

  #say(text: string, canUndo: boolean): void {
    this.#status = { text, canUndo };
    this.#host.requestUpdate();
  }

  get #canChange(): boolean {
    return this.#state?.isDisabled === false && !this.#state.isReadonly;
  }

  #called(key: number, index: number): string {
    const name = this.#draft.rows.find((row) => row.key === key)?.name ?? "";
    return name === "" ? this.#texts.row(index + 1) : name;
  }

  /** An element that is moved in the page loses the focus. */
  #keepFocus(): void {
    const element = this.#host.shadowRoot?.activeElement;
    if (!element?.id || element.closest("tr.row") === null) return;
    const caret = element instanceof HTMLTextAreaElement ? element.selectionStart : undefined;
    this.#focus = { id: element.id, caret };
  }

  #focusNow(id: string): void {
    const [field] = this.#all(`#${id}`);
    if (!(field instanceof HTMLTextAreaElement)) return;
    field.focus();
    field.select();
  }

  /** Where style sheets cannot make fields as high as their text. */
  #fit(): void {
    for (const field of this.#all("tbody textarea")) {
      field.style.height = "auto";
      field.style.height = `${field.scrollHeight + field.offsetHeight - field.clientHeight}px`;
    }
  }

  #all(selector: string): HTMLElement[] {
    return [...(this.#host.shadowRoot?.querySelectorAll<HTMLElement>(selector) ?? [])];
  }
}

/** The field of a cell. */
interface Field {
  readonly element: HTMLTextAreaElement;
  readonly key: number;
  readonly column: Column;
}

function fieldOf({ target }: Event): Field | undefined {
  const key = keyOf(target);
  if (!(target instanceof HTMLTextAreaElement) || key === undefined) return undefined;
  return { element: target, key, column: target.dataset["column"] === "name" ? "name" : "value" };
}

/** Of the row in which something is. */
function keyOf(target: EventTarget | null): number | undefined {
  const row = target instanceof Element ? target.closest("tr.row") : null;
  return row instanceof HTMLElement ? Number(row.dataset["key"]) : undefined;
}

/** A value of many lines scrolls, and so does what is behind it. */
function scrollBackdrop(field: EventTarget | null): void {
  if (!(field instanceof HTMLTextAreaElement)) return;
  const behind = field.previousElementSibling;
  if (behind !== null) behind.scrollTop = field.scrollTop;
}

/** Scrolling does not bubble. */
const SYNC = { handleEvent: ({ target }: Event) => scrollBackdrop(target), capture: true };
