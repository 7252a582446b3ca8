/** All that is wrong with what was filled in, each at its place, as the core says it. */

import type { Vault } from "connector-vault";

import { problemAbout, problemOf, type Problem } from "../problem.js";
import { errorsIn, placeOf, type ErrorPlace } from "../core.js";
import { actionOf, modelOf, type UpdateModel } from "./model.js";

/** A problem, and where it is. */
export interface PlacedProblem extends Problem {
  /** In the action; of the whole if there is none. */
  readonly place: ErrorPlace | undefined;
}

/** What is wrong with a model; nothing if the core takes it. */
export function problemsIn(model: UpdateModel): PlacedProblem[] {
  return errorsIn(actionOf(model)).map((error) => placed(error));
}

/** An error of planning, say; with `vault`, an unknown connector has a similar one as the hint. */
export function placed(error: unknown, vault?: Vault): PlacedProblem {
  const problem = vault === undefined ? problemOf(error) : problemAbout(error, vault);
  return { ...problem, place: placeOf(error) };
}

/**
 * Reads an action for the form. Fails for what has no place in it, and so for what is wrong with the document
 * itself: a name twice, say.
 */
export function readAction(text: string): UpdateModel {
  const error = errorsIn(text).find((error) => placeOf(error)?.parameter === undefined);
  if (error !== undefined) throw error;
  return modelOf(text);
}
