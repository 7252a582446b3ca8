/** What is wrong, and what of it is shown: nothing where the user has not been yet. */

import type { Vault } from "connector-vault";

import { placed, problemsIn, type PlacedProblem } from "./check.js";
import { isEmpty, type Draft } from "./draft.js";

/** The problems of a draft. */
export class Problems {
  readonly #draft: Draft;
  #found: readonly PlacedProblem[] = [];
  #heard: PlacedProblem | undefined;
  /** Where the user has been: a row's key, or a parameter. */
  readonly #visited = new Set<number | string>();
  #isReported = false;

  constructor(draft: Draft) {
    this.#draft = draft;
  }

  /** All that is wrong, also where the user has not been. */
  get found(): readonly PlacedProblem[] {
    return this.#found;
  }

  /** Asks the core about the draft as it is now. */
  check(): void {
    this.#found = problemsIn(this.#draft.model);
  }

  /** The user has been in a row, by its key, or at a parameter. */
  visit(where: number | string): void {
    const row = typeof where === "number" ? this.#draft.rows[this.#draft.indexOf(where)] : undefined;
    if (row === undefined || !isEmpty(row)) this.#visited.add(where);
  }

  /** The user wants to send the form: everything is shown. */
  report(): void {
    this.#isReported = true;
  }

  /** The draft is another one, in which the user has not been. */
  clear(): void {
    this.#visited.clear();
    this.#isReported = false;
    this.#found = [];
  }

  /** Takes what the host says is wrong: an error of planning, say. */
  hear(error: unknown, vault: Vault | undefined): void {
    this.#heard = error === undefined || error === null ? undefined : placed(error, vault);
  }

  /** What is shown: also what the host says, wherever the user has been. */
  get shown(): readonly PlacedProblem[] {
    const own = this.#found.filter((problem) => this.#isShown(problem));
    const heard = this.#heard;
    // Planning says first what the check has found, perhaps where the user still is.
    if (heard === undefined || this.#found.some((problem) => isSame(problem, heard))) return own;
    return [...own, heard];
  }

  #isShown({ place }: PlacedProblem): boolean {
    const { rows, entryId } = this.#draft;
    if (place?.row !== undefined) return this.#isVisited(rows[place.row - 1]?.key);
    if (place?.parameter === undefined) return this.#isReported || this.#visited.size > 0;
    // The picker says itself that it is empty.
    return this.#isVisited(place.parameter) && !(place.parameter === "EntryId" && entryId === "");
  }

  #isVisited(where: number | string | undefined): boolean {
    return this.#isReported || (where !== undefined && this.#visited.has(where));
  }
}

/** Whether the form has a place for a problem. */
export function hasPlace({ place }: PlacedProblem): boolean {
  if (place?.parameter === "Properties") return place.row !== undefined;
  return place?.parameter === "EntryId" || place?.parameter === "PropertiesJson";
}

function isSame(one: PlacedProblem, other: PlacedProblem): boolean {
  return (
    one.code === other.code &&
    one.place?.parameter === other.place?.parameter &&
    one.place?.row === other.place?.row
  );
}
