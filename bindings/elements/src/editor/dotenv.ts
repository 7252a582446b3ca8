/**
 * Reads `.env` files. There is no standard of them; these rules are what the common readers share:
 *
 * - One `NAME=value` on a line, spaces around both left out; `export ` may stand before it. A name has letters,
 *   digits, `_`, `-` and `.`, and begins with a letter or `_`.
 * - Empty lines and lines that begin with `#` are left out.
 * - A value without quotes ends with its line, or before a `#` that follows white space, or with which the value
 *   begins.
 * - `'...'` and `` `...` `` hold text as it is; `"..."` also `\n`, `\r`, `\t`, and after any other backslash the
 *   character itself. All three may go on over several lines. Behind them only a comment may stand.
 * - Nothing is expanded: `${NAME}` stays as it is.
 *
 * A text with a line that breaks these rules is no `.env` file.
 */

import type { Row } from "./model.js";

/** The lines of a `.env` file in order; nothing if the text is none. */
export function readDotenv(text: string): Row[] | undefined {
  const reader = new Reader(text.replaceAll("\r\n", "\n").replaceAll("\r", "\n"));
  const rows: Row[] = [];
  for (;;) {
    reader.skipBlank();
    if (reader.isAtEnd) return rows.length > 0 ? rows : undefined;
    const row = reader.row();
    if (row === undefined) return undefined;
    rows.push(row);
  }
}

const SPACES = " \t";
const BYTE_ORDER_MARK = "\ufeff";
const ESCAPED: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

/** Reads character by character: regular expressions would keep the last text they were used on. */
class Reader {
  readonly #text: string;
  #at: number;

  constructor(text: string) {
    this.#text = text;
    this.#at = text.startsWith(BYTE_ORDER_MARK) ? 1 : 0;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  /** Skips what holds no row. */
  skipBlank(): void {
    for (;;) {
      this.#skip(`${SPACES}\n`);
      if (this.#next !== "#") return;
      this.#restOfLine();
    }
  }

  row(): Row | undefined {
    if (this.#text.startsWith("export", this.#at) && SPACES.includes(this.#text.charAt(this.#at + 6))) {
      this.#at += 6;
      this.#skip(SPACES);
    }
    const name = this.#name();
    // Behind a tab it is the value of a spreadsheet's cell.
    this.#skip(" ");
    if (name === "" || this.#next !== "=") return undefined;
    this.#at++;
    this.#skip(SPACES);
    const value = `"'\``.includes(this.#next) && !this.isAtEnd ? this.#quoted() : this.#unquoted();
    return value === undefined ? undefined : { name, value };
  }

  get #next(): string {
    return this.#text.charAt(this.#at);
  }

  #skip(characters: string): void {
    while (!this.isAtEnd && characters.includes(this.#next)) this.#at++;
  }

  #restOfLine(): string {
    const end = this.#text.indexOf("\n", this.#at);
    const line = this.#text.slice(this.#at, end < 0 ? undefined : end);
    this.#at += line.length;
    return line;
  }

  #name(): string {
    const start = this.#at;
    while (isNameCharacter(this.#next, this.#at === start)) this.#at++;
    return this.#text.slice(start, this.#at);
  }

  #unquoted(): string {
    const line = this.#restOfLine();
    for (let at = 0; at < line.length; at++) {
      const before = at === 0 ? " " : line.charAt(at - 1);
      if (line.charAt(at) === "#" && SPACES.includes(before)) return line.slice(0, at).trimEnd();
    }
    return line.trimEnd();
  }

  #quoted(): string | undefined {
    const quote = this.#next;
    let value = "";
    for (this.#at++; !this.isAtEnd; this.#at++) {
      if (this.#next === quote) {
        this.#at++;
        this.#skip(SPACES);
        const rest = this.#restOfLine();
        return rest === "" || rest.startsWith("#") ? value : undefined;
      }
      if (quote === '"' && this.#next === "\\") {
        this.#at++;
        value += ESCAPED[this.#next] ?? this.#next;
      } else {
        value += this.#next;
      }
    }
    return undefined;
  }
}

function isNameCharacter(character: string, isFirst: boolean): boolean {
  const isLetter = (character >= "a" && character <= "z") || (character >= "A" && character <= "Z");
  if (isLetter || character === "_") return true;
  return !isFirst && ((character >= "0" && character <= "9") || character === "-" || character === ".");
}
