/** Drags a row of the grid by its handle, with mouse, pen or finger: the others stay until it is dropped. */

import type { ReactiveController, ReactiveControllerHost } from "lit";

/** What is dragged, and where it would be dropped. */
interface Drag {
  readonly pointer: number;
  readonly row: HTMLElement;
  readonly from: number;
  readonly startY: number;
  to: number;
}

/** The rows of a grid that can be dragged; the row that stays empty is none of them. */
export interface DragHost extends ReactiveControllerHost, HTMLElement {
  readonly isConnected: boolean;
}

/** One drag at a time. */
export class RowDrag implements ReactiveController {
  readonly #rows: () => readonly HTMLElement[];
  readonly #drop: (from: number, to: number) => void;
  #drag: Drag | undefined;

  constructor(host: DragHost, rows: () => readonly HTMLElement[], drop: (from: number, to: number) => void) {
    this.#rows = rows;
    this.#drop = drop;
    host.addController(this);
  }

  hostDisconnected(): void {
    this.#end();
  }

  /** Begins with a pointer on the handle of a row. */
  start(event: PointerEvent, row: HTMLElement): void {
    if (event.button !== 0 || this.#drag !== undefined) return;
    const from = this.#rows().indexOf(row);
    if (from < 0) return;
    // No text is selected, and the field that has the focus keeps it.
    event.preventDefault();
    row.setPointerCapture(event.pointerId);
    this.#drag = { pointer: event.pointerId, row, from, startY: event.clientY + scrolled(row), to: from };
    row.classList.add("dragged");
    row.addEventListener("pointermove", this.#moved);
    row.addEventListener("pointerup", this.#dropped);
    row.addEventListener("lostpointercapture", this.#cancelled);
    addEventListener("keydown", this.#key, { capture: true });
  }

  readonly #moved = (event: PointerEvent): void => {
    const drag = this.#drag;
    if (drag === undefined || event.pointerId !== drag.pointer) return;
    const rows = this.#rows();
    // The dragged row is moved by its transform only, so the others tell where the pointer is.
    const above = rows.filter((row) => row !== drag.row && middle(row) < event.clientY).length;
    drag.to = above;
    drag.row.style.setProperty("--_dragged", `${event.clientY + scrolled(drag.row) - drag.startY}px`);
    rows.forEach((row, index) => {
      row.classList.toggle("drop-before", index === drag.to && drag.to < drag.from);
      row.classList.toggle("drop-after", index === drag.to && drag.to > drag.from);
    });
    rows[drag.to]?.scrollIntoView({ block: "nearest" });
  };

  readonly #dropped = (): void => {
    const drag = this.#drag;
    this.#end();
    if (drag !== undefined && drag.to !== drag.from) this.#drop(drag.from, drag.to);
  };

  readonly #cancelled = (): void => this.#end();

  readonly #key = (event: KeyboardEvent): void => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    this.#end();
  };

  #end(): void {
    const drag = this.#drag;
    if (drag === undefined) return;
    this.#drag = undefined;
    const { row } = drag;
    row.removeEventListener("pointermove", this.#moved);
    row.removeEventListener("pointerup", this.#dropped);
    row.removeEventListener("lostpointercapture", this.#cancelled);
    removeEventListener("keydown", this.#key, { capture: true });
    if (row.hasPointerCapture(drag.pointer)) row.releasePointerCapture(drag.pointer);
    row.style.removeProperty("--_dragged");
    for (const other of this.#rows()) other.classList.remove("dragged", "drop-before", "drop-after");
  }
}

function middle(row: HTMLElement): number {
  const { top, height } = row.getBoundingClientRect();
  return top + height / 2;
}

/** How far whatever is around the grid was scrolled, in a number that grows as it scrolls down. */
function scrolled(row: HTMLElement): number {
  const table = row.parentElement;
  return table === null ? 0 : -table.getBoundingClientRect().top;
}
