/** What is being edited: the model with a key for each row, and the steps that can be undone. */

import { EMPTY_MODEL, type Row, type UpdateModel } from "./model.js";

/** A row that is the same one wherever it moves. */
export interface DraftRow extends Row {
  readonly key: number;
}

/** A column of the grid. */
export type Column = "name" | "value";

/** Typing in one cell is one step until it pauses for so long, in milliseconds. */
const PAUSE = 1000;
const STEPS_MAX = 200;

/**
 * The draft of an update. Its rows end with exactly one empty row, which becomes real when something is
 * written into it. Undoing is about rows: the JSON editor has its own.
 */
export class Draft {
  #entryId = "";
  #json = "";
  #rows: readonly DraftRow[] = [];
  #keys = 0;
  #undo: (readonly DraftRow[])[] = [];
  #redo: (readonly DraftRow[])[] = [];
  /** The cell in which somebody is typing, and since when nobody is. */
  #typing: { readonly key: number; readonly column: Column; readonly at: number } | undefined;

  constructor() {
    this.load(EMPTY_MODEL);
  }

  get entryId(): string {
    return this.#entryId;
  }

  set entryId(id: string) {
    this.#entryId = id;
  }

  get json(): string {
    return this.#json;
  }

  set json(text: string) {
    this.#json = text;
  }

  /** All rows, and the empty one. */
  get rows(): readonly DraftRow[] {
    return this.#rows;
  }

  get model(): UpdateModel {
    const rows = this.#rows.slice(0, -1).map(({ name, value }) => ({ name, value }));
    return { entryId: this.#entryId, rows, json: this.#json };
  }

  /** Takes another model. There is nothing to undo then, and nothing left of what was there. */
  load({ entryId, rows, json }: UpdateModel): void {
    this.#entryId = entryId;
    this.#json = json;
    this.#rows = this.#closed(rows.map((row) => this.#keyed(row)));
    this.#undo = [];
    this.#redo = [];
    this.#typing = undefined;
  }

  /** Writes a cell. */
  write(key: number, column: Column, text: string, now = performance.now()): void {
    const typing = this.#typing;
    const goesOn = typing?.key === key && typing.column === column && now - typing.at < PAUSE;
    const rows = this.#rows.map((row) => (row.key === key ? { ...row, [column]: text } : row));
    this.#become(rows, goesOn);
    this.#typing = { key, column, at: now };
  }

  /** Puts rows in the place of an empty row, or behind one that is not. Returns the key of the first. */
  insert(rows: readonly Row[], key: number): number | undefined {
    const at = this.indexOf(key);
    const target = this.#rows[at];
    if (target === undefined) return undefined;
    const added = rows.map((row) => this.#keyed(row));
    const [first] = added;
    if (first === undefined) return undefined;
    if (!isEmpty(target)) {
      this.#become(this.#rows.toSpliced(at + 1, 0, ...added));
      return first.key;
    }
    // The row in which the user is stays the same one.
    this.#become(this.#rows.toSpliced(at, 1, { ...first, key }, ...added.slice(1)));
    return key;
  }

  /** Removes a row. */
  remove(key: number): void {
    this.#become(this.#rows.filter((row) => row.key !== key));
  }

  /**
   * Moves a row to an index, but not behind the empty one. `goesOn` says that it is a step of the move before.
   * Returns whether it did.
   */
  move(key: number, to: number, goesOn = false): boolean {
    const from = this.indexOf(key);
    const row = this.#rows[from];
    const last = this.#rows.length - 2;
    if (row === undefined || from > last || to < 0 || to > last || to === from) return false;
    this.#become(this.#rows.toSpliced(from, 1).toSpliced(to, 0, row), goesOn);
    return true;
  }

  /** The index of the row with this key, or -1. */
  indexOf(key: number): number {
    return this.#rows.findIndex((row) => row.key === key);
  }

  /** Takes back the last step. Returns whether there was one. */
  undo(): boolean {
    return this.#step(this.#undo, this.#redo);
  }

  /** Does again what was undone last. */
  redo(): boolean {
    return this.#step(this.#redo, this.#undo);
  }

  #step(from: (readonly DraftRow[])[], to: (readonly DraftRow[])[]): boolean {
    const rows = from.pop();
    if (rows === undefined) return false;
    to.push(this.#rows);
    this.#rows = rows;
    this.#typing = undefined;
    return true;
  }

  #become(rows: readonly DraftRow[], goesOn = false): void {
    if (!goesOn) {
      this.#undo.push(this.#rows);
      if (this.#undo.length > STEPS_MAX) this.#undo.shift();
    }
    this.#redo = [];
    this.#typing = undefined;
    this.#rows = this.#closed(rows);
  }

  /** With one empty row at the end: the first one that is there, so that it stays the same. */
  #closed(rows: readonly DraftRow[]): readonly DraftRow[] {
    const end = rows.findLastIndex((row) => !isEmpty(row)) + 1;
    return [...rows.slice(0, end), rows[end] ?? this.#keyed({ name: "", value: "" })];
  }

  #keyed({ name, value }: Row): DraftRow {
    return { key: this.#keys++, name, value };
  }
}

/** Whether nothing is written in a row. */
export function isEmpty({ name, value }: Row): boolean {
  return name === "" && value === "";
}
