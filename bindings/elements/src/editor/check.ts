/** All that is wrong with what was filled in, each at its place. The core says it, one error at a time. */

import { problemOf, type Problem } from "../problem.js";
import { errorIn, placeOf, type ErrorPlace } from "../core.js";
import { actionOf, modelOf, type UpdateModel } from "./model.js";

/** A problem, and where it is. */
export interface PlacedProblem extends Problem {
  /** In the action; of the whole if there is none. */
  readonly place: ErrorPlace | undefined;
}

/** People mend one after the other. */
const PROBLEMS_MAX = 50;

/** What is wrong with a model; nothing if the core takes it. */
export function problemsIn(model: UpdateModel): PlacedProblem[] {
  const problems: PlacedProblem[] = [];
  let rest: UpdateModel | undefined = model;
  while (rest !== undefined && problems.length < PROBLEMS_MAX) {
    const error = errorIn(actionOf(rest));
    if (error === undefined) break;
    const problem = placed(error);
    problems.push(problem);
    rest = without(rest, problem.place);
  }
  return problems;
}

/** An error of planning, say. */
export function placed(error: unknown): PlacedProblem {
  return { ...problemOf(error), place: placeOf(error) };
}

/**
 * Reads an action for the form. Fails for what has no place in it, and so for what is wrong with the document
 * itself: a name twice, say.
 */
export function readAction(text: string): UpdateModel {
  const error = errorIn(text);
  if (error !== undefined && placeOf(error)?.parameter === undefined) throw error;
  return modelOf(text);
}

/** The model with something harmless at that place, so that the core finds what is wrong beside it. */
function without(model: UpdateModel, place: ErrorPlace | undefined): UpdateModel | undefined {
  switch (place?.parameter) {
    case "EntryId":
      return { ...model, entryId: "x" };
    case "PropertiesJson":
      return { ...model, json: "" };
    case "Properties":
      if (place.row === undefined) return undefined;
      return { ...model, rows: model.rows.with(place.row - 1, { name: "x", value: "" }) };
    default:
      return undefined;
  }
}
