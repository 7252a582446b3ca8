/** What was pasted, if it is more than the text of one cell: rows of a spreadsheet, or a `.env` file. */

import { readDotenv } from "./dotenv.js";
import type { Row } from "./model.js";

/** Rows, and what they were copied from; or a table that has no two columns. */
export type Pasted =
  | { readonly from: "env" | "spreadsheet"; readonly rows: readonly Row[] }
  | { readonly from: "spreadsheet"; readonly columns: number };

/** The columns by the names that a header row may have. */
const HEADERS: readonly (readonly [name: string, value: string])[] = [
  ["name", "value"],
  ["propertyname", "propertyvalue"],
];

/** Whether the text may be more than one cell; if not, it is the cell's. */
export function mayHoldRows(text: string): boolean {
  return text.includes("\t") || text.trim().includes("\n") || text.trim().includes("\r");
}

/** The rows of a text; nothing if it is the text of one cell, such as a private key of several lines. */
export async function readPasted(text: string): Promise<Pasted | undefined> {
  const rows = readDotenv(text);
  if (rows !== undefined) return { from: "env", rows };
  return text.includes("\t") ? await readSpreadsheet(text) : undefined;
}

/** Spreadsheets put tabs between cells, and quotation marks around those that hold one, or a line's end. */
async function readSpreadsheet(text: string): Promise<Pasted | undefined> {
  const { default: papaparse } = await import("papaparse");
  const { data } = papaparse.parse<string[]>(text, { delimiter: "\t", skipEmptyLines: "greedy" });
  const [first] = data;
  if (first === undefined) return undefined;
  const header = headerOf(first);
  if (header !== undefined) {
    return { from: "spreadsheet", rows: rowsOf(data.slice(1), header.name, header.value) };
  }
  // Text that merely holds tabs, such as JSON, has lines without a name.
  if (data.some((cells) => cells.length < 2 || cells[0] === "")) return undefined;
  const columns = Math.max(...data.map((cells) => cells.findLastIndex((cell) => cell !== "") + 1));
  return columns > 2 ? { from: "spreadsheet", columns } : { from: "spreadsheet", rows: rowsOf(data, 0, 1) };
}

function headerOf(cells: readonly string[]): { readonly name: number; readonly value: number } | undefined {
  const titles = cells.map((cell) => cell.trim().toLowerCase());
  for (const [first, second] of HEADERS) {
    const [name, value] = [titles.indexOf(first), titles.indexOf(second)];
    if (name >= 0 && value >= 0) return { name, value };
  }
  return undefined;
}

function rowsOf(data: readonly (readonly string[])[], name: number, value: number): Row[] {
  return data.map((cells) => ({ name: cells[name] ?? "", value: cells[value] ?? "" }));
}
