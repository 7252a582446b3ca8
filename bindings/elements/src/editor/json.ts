/** JSON whose numbers keep how they are written: `JSON.parse` makes `1.0` the same as `1`. */

/** A number by its text. */
export class Numeral {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What JSON holds. */
export type Json = null | boolean | string | Numeral | readonly Json[] | JsonObject;

/** An object of JSON. */
export interface JsonObject {
  readonly [name: string]: Json;
}

/** Reads a document. Fails with a `SyntaxError`. */
export function readJson(text: string): Json {
  // The same document twice, once with texts for numbers: so no string is taken for one.
  return merge(JSON.parse(text), JSON.parse(withNumbersAsText(text)));
}

/** Whether it is an object: neither an array nor a number. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Numeral);
}

/** Of a valid document: every number in quotation marks. */
function withNumbersAsText(text: string): string {
  let out = "";
  let from = 0;
  for (let at = 0; at < text.length;) {
    const end = text.charAt(at) === '"' ? endOfString(text, at) : endOfNumber(text, at);
    if (end > at && text.charAt(at) !== '"') {
      out += `${text.slice(from, at)}"${text.slice(at, end)}"`;
      from = end;
    }
    at = Math.max(end, at + 1);
  }
  return out + text.slice(from);
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charAt(at) !== '"') at += text.charAt(at) === "\\" ? 2 : 1;
  return at + 1;
}

/** Outside strings only numbers begin with these; the `e` of `true` comes after its `t`. */
function endOfNumber(text: string, start: number): number {
  let at = start;
  if (!"-0123456789".includes(text.charAt(at))) return at;
  while (at < text.length && "+-.0123456789eE".includes(text.charAt(at))) at++;
  return at;
}

function merge(value: unknown, texts: unknown): Json {
  if (typeof value === "number") return new Numeral(String(texts));
  if (Array.isArray(value)) return value.map((item, index) => merge(item, (texts as unknown[])[index]));
  if (typeof value === "object" && value !== null) {
    const named = texts as Record<string, unknown>;
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [name, merge(member, named[name])]),
    );
  }
  return value as Json;
}
