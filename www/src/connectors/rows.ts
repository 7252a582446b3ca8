/** The rows of the form for a connector, and what they mean for the core. Knows no value until it is asked for. */

import type { PropertyRow } from "connector-vault";

/** A property in the form. */
export interface FormRow {
  /** Tells rows apart, whatever they are called. */
  readonly key: number;
  /** Whether the connector has it already: then its name stays. */
  readonly isStored: boolean;
  name: string;
  /** What becomes of it. A new one is always `written`. */
  state: "kept" | "written" | "removed";
}

let keys = 0;

/** A row for a property that there is not yet. */
export function newRow(): FormRow {
  return { key: ++keys, isStored: false, name: "", state: "written" };
}

/** Rows for the properties of a connector. Those of `former` stay as they are. */
export function rowsOf(names: readonly string[], former: readonly FormRow[] = []): FormRow[] {
  const stored = names.map(
    (name): FormRow =>
      former.find((row) => row.isStored && row.name === name) ?? {
        key: ++keys,
        isStored: true,
        name,
        state: "kept",
      },
  );
  return [...stored, ...former.filter((row) => !row.isStored)];
}

/** A row that is sent, with the value that it writes. */
export interface SentRow {
  readonly row: FormRow;
  readonly value: string | null;
}

/** What the rows ask for. New ones of which nothing was filled in are not there. */
export function sentRows(rows: readonly FormRow[], valueOf: (row: FormRow) => string): SentRow[] {
  return rows.flatMap((row) => {
    if (row.state === "kept") return [];
    const value = row.state === "removed" ? null : valueOf(row);
    return row.isStored || row.name !== "" || value !== "" ? [{ row, value }] : [];
  });
}

/** As the grid of an action; a value of `null` removes. */
export function gridOf(sent: readonly SentRow[]): PropertyRow[] {
  return sent.map(({ row, value }) => ({ PropertyName: row.name, PropertyValue: value }));
}

/** As the JSON text of an object: in this order, and a name that stands twice is found by the core. */
export function textOf(sent: readonly SentRow[]): string {
  return `{${sent.map(({ row, value }) => `${JSON.stringify(row.name)}:${JSON.stringify(value)}`).join()}}`;
}
