/** That the readers of vectors are strict: copies of good vectors, each with one thing that is wrong. */

import { Malformed } from "./read.js";
import { readVector, type Files } from "./suite.js";

/** What is not the schema's: it goes to the package as it is, and may hold any names and values. */
const FREE = /^(\/action|\/earlier\/\d+\/action|\/given\/request)$/;

/** A name that no schema has. Its value is of none of the kinds that a map of a vector holds. */
const SURPLUS = ["surplus", { surplus: [] }] as const;

type Node = Record<string, unknown> | unknown[];

/** What came of reading spoiled copies. */
export interface Strictness {
  /** How many copies were rejected, by what was wrong with them. */
  readonly rejected: { surplus: number; mistyped: number; missing: number };
  /** The copies that were taken, or rejected without their vector's name. */
  readonly taken: string[];
}

/** Reads copies of every vector: with one more name in each object, and with each value of another type. */
export function spoil(files: Files): Strictness {
  const strictness: Strictness = { rejected: { surplus: 0, mistyped: 0, missing: 0 }, taken: [] };
  for (const [path, text] of Object.entries(files)) {
    const vector = JSON.parse(text) as Record<string, unknown>;
    const rejects = (how: keyof Strictness["rejected"], at: string) => {
      if (isRejected(path, vector)) strictness.rejected[how]++;
      else strictness.taken.push(`${path}${at} (${how})`);
    };
    for (const name of ["rule", "expect"])
      changed(vector, name, undefined, () => rejects("missing", `/${name}`));
    walk(vector, "", (node, at) => {
      if (!Array.isArray(node)) {
        changed(node, SURPLUS[0], SURPLUS[1], () => rejects("surplus", at));
      }
      for (const name of Object.keys(node)) {
        if (FREE.test(`${at}/${name}`)) continue;
        const value = (node as Record<string, unknown>)[name];
        changed(node, name, mistyped(value), () => rejects("mistyped", `${at}/${name}`));
      }
    });
  }
  return strictness;
}

function isRejected(path: string, vector: unknown): boolean {
  try {
    readVector(path, vector);
    return false;
  } catch (error) {
    return error instanceof Malformed && error.message.includes(path);
  }
}

/** Visits every object and array that a schema describes. */
function walk(node: unknown, at: string, visit: (node: Node, at: string) => void): void {
  if (typeof node !== "object" || node === null || FREE.test(at)) return;
  visit(node as Node, at);
  for (const [name, child] of Object.entries(node)) walk(child, `${at}/${name}`, visit);
}

/** A value where there was one of another type. */
function mistyped(value: unknown): unknown {
  if (typeof value === "string") return 1;
  if (typeof value === "number") return String(value);
  if (typeof value === "boolean") return String(value);
  return Array.isArray(value) ? {} : [];
}

/** Runs `work` while a part of a document is another one, or missing. */
function changed(node: Node, name: string, value: unknown, work: () => void): void {
  const object = node as Record<string, unknown>;
  const before = Object.getOwnPropertyDescriptor(object, name);
  if (value === undefined) delete object[name];
  else Object.defineProperty(object, name, { value, configurable: true, enumerable: true, writable: true });
  try {
    work();
  } finally {
    if (before === undefined) delete object[name];
    else Object.defineProperty(object, name, before);
  }
}
