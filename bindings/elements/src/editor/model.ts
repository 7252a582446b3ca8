/** What the editor edits, and how it stands in the action `Connectors.Update` (docs/action.md section 1). */

import type { UpdateAction } from "connector-vault";

import { Numeral, isObject, readJson, type Json, type JsonObject } from "./json.js";

/** A row of the grid. */
export interface Row {
  readonly name: string;
  /** `null` is kept as it came: whether it removes a property is for the run to say. */
  readonly value: string | null;
}

/** The parts of the action. */
export interface UpdateModel {
  readonly entryId: string;
  readonly rows: readonly Row[];
  /** The text of `PropertiesJson`. */
  readonly json: string;
}

const ACTION_TYPE = "Connectors.Update";

/** Nothing filled in. */
export const EMPTY_MODEL: UpdateModel = { entryId: "", rows: [], json: "" };

/** The action as an object. What is empty is left out, but for the id, which every update has. */
export function actionObjectOf({ entryId, rows, json }: UpdateModel): UpdateAction {
  return {
    ActionType: ACTION_TYPE,
    Parameters: {
      EntryId: entryId,
      ...(rows.length > 0 && {
        Properties: rows.map(({ name, value }) => ({ PropertyName: name, PropertyValue: value })),
      }),
      ...(json !== "" && { PropertiesJson: json }),
    },
  };
}

/** The action's document. */
export function actionOf(model: UpdateModel): string {
  return JSON.stringify(actionObjectOf(model), null, 2);
}

/**
 * Reads an action. Parameters may stand in a designer's wrapper, which is dropped: its value is what counts. A
 * number or boolean in the grid becomes its text as written, which is the same value (docs/action.md 2.8, 3.4).
 *
 * Fails for what a form cannot show: another action, an expression, further fields. Whether what it can show is
 * right is for the core to say.
 */
export function modelOf(actionText: string): UpdateModel {
  const document = fields(parse(actionText), "the action", ["ActionType", "Parameters"]);
  const actionType = document["ActionType"];
  if (actionType !== ACTION_TYPE) {
    throw new Error(`the action is ${shown(actionType)}, and this form is for ${ACTION_TYPE}`);
  }
  const known = ["EntryId", "Properties", "PropertiesJson"];
  const parameters = fields(document["Parameters"] ?? {}, "Parameters", known);
  const text = (name: string): string => textOf(unwrapped(parameters[name], name) ?? "", name);
  const rows = unwrapped(parameters["Properties"], "Properties") ?? [];
  if (!Array.isArray(rows)) throw new Error("Properties is not an array of rows");
  return {
    entryId: text("EntryId"),
    rows: rows.map((row: Json, index) => rowOf(row, `row ${index + 1} of Properties`)),
    json: text("PropertiesJson"),
  };
}

function parse(text: string): Json {
  try {
    // The core leaves a byte order mark out, too.
    return readJson(text.startsWith("\ufeff") ? text.slice(1) : text);
  } catch {
    // Engines quote the text in their message, which may hold a secret.
    throw new Error("the action is not JSON");
  }
}

function rowOf(row: Json, place: string): Row {
  const cells = fields(row, place, ["PropertyName", "PropertyValue"]);
  const name = textOf(unwrapped(cells["PropertyName"], `PropertyName in ${place}`) ?? "", place);
  const value = unwrapped(cells["PropertyValue"], `PropertyValue in ${place}`);
  if (value === undefined) throw new Error(`${place} has no PropertyValue`);
  if (value === null) return { name, value };
  if (typeof value === "boolean") return { name, value: String(value) };
  return { name, value: value instanceof Numeral ? value.text : textOf(value, `PropertyValue in ${place}`) };
}

function textOf(value: Json, place: string): string {
  if (typeof value !== "string") throw new Error(`${place} is not text`);
  return value;
}

/** What stands in a wrapper; `IsExpression` tells it from an object. */
function unwrapped(value: Json | undefined, place: string): Json | undefined {
  if (!isObject(value) || !("IsExpression" in value)) return value;
  const wrapper = fields(value, `the wrapper of ${place}`, [
    "Expression",
    "Value",
    "IsExpression",
    "Parameters",
  ]);
  if (wrapper["IsExpression"] !== false) throw new Error(`${place} is an expression`);
  fields(wrapper["Parameters"] ?? {}, `Parameters of ${place}`, []);
  return wrapper["Value"];
}

function fields(value: Json | undefined, place: string, known: readonly string[]): JsonObject {
  if (!isObject(value)) throw new Error(`${place} is not an object`);
  const other = Object.keys(value).find((name) => !known.includes(name));
  if (other !== undefined) throw new Error(`${place} has a further field ${JSON.stringify(other)}`);
  return value;
}

function shown(value: Json | undefined): string {
  return typeof value === "string" ? value : "of no type";
}
