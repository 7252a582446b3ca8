/** What was pasted: rows of a spreadsheet, a `.env` file, or the text of one cell. */

import { readDotenv } from "./dotenv.js";
import type { Row } from "./model.js";

/** Rows, and what they were copied from; a table that has no two columns; or the text of one cell. */
export type Pasted =
  | { readonly kind: "rows"; readonly from: "env" | "spreadsheet"; readonly rows: readonly Row[] }
  | { readonly kind: "table"; readonly columns: number }
  | { readonly kind: "cell"; readonly text: string };

/** The columns by the names that a header row may have. */
const HEADERS: readonly (readonly [name: string, value: string])[] = [
  ["name", "value"],
  ["propertyname", "propertyvalue"],
];

/** Whether the text is merely inserted, as browsers do: it is one line without an end. */
export function isPlain(text: string): boolean {
  return !text.includes("\t") && !text.includes("\n") && !text.includes("\r");
}

/** What a text holds that is not plain. */
export async function readPasted(text: string): Promise<Pasted> {
  const rows = isPlain(withoutEnds(text)) ? undefined : readDotenv(text);
  if (rows !== undefined) return { kind: "rows", from: "env", rows };
  const table = text.includes("\t") || text.startsWith('"') ? await readSpreadsheet(text) : undefined;
  // Also text of several lines, such as a private key.
  return table ?? { kind: "cell", text: withoutLineEnd(text) };
}

/** One line is copied with an end that is not meant; text of several lines, such as a private key, is meant as it is. */
function withoutLineEnd(text: string): string {
  const end = text.endsWith("\r\n") ? 2 : text.endsWith("\n") ? 1 : 0;
  const line = text.slice(0, text.length - end);
  return line.includes("\n") || line.includes("\r") ? text : line;
}

function withoutEnds(text: string): string {
  let end = text.length;
  while (end > 0 && "\r\n".includes(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

/** Spreadsheets put tabs between cells, and quotation marks around those that hold one, or a line's end. */
async function readSpreadsheet(text: string): Promise<Pasted | undefined> {
  const { default: papaparse } = await import("papaparse");
  const { data, errors } = papaparse.parse<string[]>(text, { delimiter: "\t", skipEmptyLines: "greedy" });
  const [first, second] = data;
  if (first === undefined || errors.length > 0) return undefined;
  const [cell, ...others] = first;
  if (second === undefined && others.length === 0) return { kind: "cell", text: cell ?? "" };
  const header = headerOf(first);
  const rows = (data: readonly (readonly string[])[], name: number, value: number): Pasted => {
    return { kind: "rows", from: "spreadsheet", rows: rowsOf(data, name, value) };
  };
  if (header !== undefined) return rows(data.slice(1), header.name, header.value);
  // Text that merely holds tabs, such as JSON, has lines without a name.
  if (data.some((cells) => cells.length < 2 || cells[0] === "")) return undefined;
  const columns = Math.max(...data.map((cells) => cells.findLastIndex((cell) => cell !== "") + 1));
  return columns > 2 ? { kind: "table", columns } : rows(data, 0, 1);
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
