/**
 * What keys do in an editable combobox with a listbox
 * (https://www.w3.org/WAI/ARIA/apg/patterns/combobox/).
 */

import type { Listbox } from "./listbox.js";
import type { Option } from "./options.js";

/** What a combobox can do. */
export interface Combobox {
  readonly isOpen: boolean;
  readonly listbox: Listbox;
  /** The id of the connector that is chosen. */
  readonly value: string;
  open(): void;
  close(): void;
  choose(option: Option): void;
  /** Takes what was typed. */
  settle(): void;
  /** Drops what was typed; `false` if nothing was. */
  revert(): boolean;
}

/** Does what a key does; `true` if the browser has nothing left to do. */
export function act(combobox: Combobox, event: KeyboardEvent): boolean {
  const { isOpen, listbox } = combobox;
  switch (event.key) {
    case "ArrowDown":
      if (event.altKey) combobox.open();
      else if (isOpen) listbox.step(1);
      else openAt(combobox, 0);
      return true;
    case "ArrowUp":
      if (event.altKey) combobox.close();
      else if (isOpen) listbox.step(-1);
      else openAt(combobox, Infinity);
      return true;
    case "PageDown":
      if (isOpen) listbox.page(1);
      return isOpen;
    case "PageUp":
      if (isOpen) listbox.page(-1);
      return isOpen;
    case "Home":
    case "End":
    case "ArrowLeft":
    case "ArrowRight":
      // Back to the text, where the browser moves the caret.
      listbox.activate(undefined);
      return false;
    case "Enter":
      if (listbox.active === undefined) combobox.settle();
      else combobox.choose(listbox.active);
      combobox.close();
      return isOpen;
    case "Tab":
      if (listbox.active !== undefined) combobox.choose(listbox.active);
      return false;
    case "Escape":
      return escape(combobox, event);
    default:
      return false;
  }
}

/** Opens the list at what is chosen, or else at an end of it. */
function openAt(combobox: Combobox, end: number): void {
  const { listbox, value } = combobox;
  combobox.open();
  const selected = listbox.indexOf(value);
  listbox.activate(selected ?? end, selected === undefined ? "auto" : "center");
}

function escape(combobox: Combobox, event: KeyboardEvent): boolean {
  const { isOpen } = combobox;
  if (isOpen) combobox.close();
  else if (!combobox.revert()) return false;
  // A dialog around it stays as long as there is something here to leave.
  event.stopPropagation();
  return true;
}
