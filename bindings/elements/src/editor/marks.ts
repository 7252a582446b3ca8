/** What the dry run says of the rows of the grid. */

import type { Outcome } from "connector-vault";

import type { Row } from "./model.js";

/** A row whose value does not count: the JSON overrides it, or a later row. */
export type Mark = "overridden" | "repeated";

/** The mark of a row. A name with tokens has none: it is another one when they are expanded. */
export function markOf(plan: Outcome | undefined, rows: readonly Row[], row: Row): Mark | undefined {
  if (plan === undefined || row.name === "") return undefined;
  const { changes, warnings } = plan;
  if (changes.some(({ name, overridden }) => overridden && name === row.name)) return "overridden";
  if (!warnings.some(({ code }) => code === "repeated_name")) return undefined;
  return rows.findLast(({ name }) => name === row.name) === row ? undefined : "repeated";
}
