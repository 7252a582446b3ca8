/** What the dry run says of the rows of the grid. */

import type { Outcome } from "connector-vault";

import type { Row } from "./model.js";

/** A row whose value does not count: the JSON overrides it, or a later row. */
export type Mark = "overridden" | "repeated";

/** The rows that have a mark. Those whose name has tokens have none: it is another one when they are expanded. */
export function marksOf(plan: Outcome | undefined, rows: readonly Row[]): ReadonlyMap<Row, Mark> {
  const marks = new Map<Row, Mark>();
  if (plan === undefined) return marks;
  const overridden = new Set(plan.changes.filter((change) => change.overridden).map(({ name }) => name));
  const isRepeated = plan.warnings.some(({ code }) => code === "repeated_name");
  const last = new Map(rows.map((row) => [row.name, row]));
  for (const row of rows) {
    if (overridden.has(row.name)) marks.set(row, "overridden");
    else if (isRepeated && row.name !== "" && last.get(row.name) !== row) marks.set(row, "repeated");
  }
  return marks;
}
