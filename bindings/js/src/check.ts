/**
 * Arguments of callers: each is compared with a declared shape before anything else looks at it, and what has parts
 * is copied, so that a value cannot change between the check and its use.
 */

import { VaultError } from "./error.js";

/** Returns the value that a caller gave, if it has this shape. Fails with `invalid_argument`, naming the value. */
export type Shape = (value: unknown, name: string) => unknown;

/** The arguments of a function in their order, by name. */
export type Signature = Readonly<Record<string, Shape>>;

/** The arguments of a call, each of its shape. Further ones are dropped. */
export function take<A extends readonly unknown[]>(signature: Signature, args: readonly [...A]): A {
  const entries = Object.entries(signature);
  return entries.map(([name, shape], index) => part(shape, args[index], name)) as unknown as A;
}

function part(shape: Shape, value: unknown, name: string): unknown {
  try {
    return shape(value, name);
  } catch (error) {
    if (error instanceof VaultError) throw error;
    // A getter or a proxy of the caller's. Its reason may hold anything.
    throw new VaultError("invalid_argument", `${name} cannot be read`);
  }
}

/** The signatures of functions, by name. */
export type Signatures = Readonly<Record<string, Signature>>;

/** Has the methods of `owner` check their arguments: those that return at once, and those that return a promise. */
export function guard(owner: object, atOnce: Signatures, later: Signatures = {}): void {
  const methods = owner as Record<string, (...args: unknown[]) => unknown>;
  for (const [name, signature] of Object.entries({ ...atOnce, ...later })) {
    const method = Object.getOwnPropertyDescriptor(methods, name)?.value as (typeof methods)[string];
    // A storage need not have the optional methods.
    if (method === undefined) continue;
    const value = function (this: unknown, ...args: unknown[]) {
      try {
        args = take(signature, args);
      } catch (error) {
        if (name in later) return Promise.reject(error as Error);
        throw error;
      }
      return method.apply(this, args);
    };
    Object.defineProperty(methods, name, { value, writable: true, configurable: true });
  }
}

/** A value that passes a test. `wanted` says which values do: "a string". */
export function is(wanted: string, test: (value: unknown) => boolean, hint?: string): Shape {
  return (value, name) => (test(value) ? value : refuse(value, name, wanted, hint));
}

/** A value that passes a test as it is, or else has a shape. */
export function or(test: (value: unknown) => boolean, shape: Shape): Shape {
  return (value, name) => (test(value) ? value : shape(value, name));
}

/** A value that may be left out. */
export function optional(shape: Shape): Shape {
  return or((value) => value === undefined, shape);
}

/** One of these texts. */
export function oneOf(...texts: readonly string[]): Shape {
  return is(texts.map((text) => `"${text}"`).join(" or "), (value) => texts.includes(value as string));
}

/** The longest short text, in UTF-16 units: ids, names and labels are much shorter. */
const TEXT_LEN_MAX = 65_536;

/** A short text, as the module takes it. */
export const text: Shape = (value, name) => {
  if (typeof value !== "string") return refuse(value, name, "a string");
  if (value.length > TEXT_LEN_MAX) {
    throw new VaultError("invalid_argument", `${name} has more than ${TEXT_LEN_MAX} characters`);
  }
  // The module would get another character in its place.
  if (/\p{Surrogate}/u.test(value)) {
    throw new VaultError("lone_surrogate", `${name} holds half of a surrogate pair`);
  }
  return value;
};

export const flag: Shape = is("true or false", (value) => typeof value === "boolean");

export const callable: Shape = is("a function", isFunction);

/** A whole number. */
export function whole(min: number, max = Number.MAX_SAFE_INTEGER): Shape {
  const isIn = (value: unknown) => Number.isInteger(value) && Number(value) >= min && Number(value) <= max;
  const upTo = max < Number.MAX_SAFE_INTEGER ? ` and at most ${max}` : "";
  return is(`a whole number, at least ${min}${upTo}`, isIn);
}

/** Bytes: the module counts them with 32 bits. */
export const bytes: Shape = is("a Uint8Array of less than 4 GiB", isBytes);

/** An object of the caller's, or of the platform, that has these methods. */
export function having(wanted: string, ...methods: readonly string[]): Shape {
  return is(wanted, (value) => {
    const has = (name: string) => typeof (value as Record<string, unknown>)[name] === "function";
    return typeof value === "object" && value !== null && methods.every(has);
  });
}

/** An object with these names and no others, of which a copy is taken. */
export function object(fields: Signature, hint?: string): Shape {
  return (value, name) => {
    if (!isPlain(value)) return refuse(value, name, "a plain object", hint);
    const given = value as Readonly<Record<string, unknown>>;
    const unknown = Object.keys(given).find((field) => !Object.hasOwn(fields, field));
    if (unknown !== undefined) {
      const known = `it takes ${Object.keys(fields).join(", ")}`;
      throw new VaultError("invalid_argument", `${name} has the unknown name ${quoted(unknown)}`, known);
    }
    const taken: Record<string, unknown> = {};
    for (const [field, shape] of Object.entries(fields)) {
      const found = part(shape, given[field], `${name}.${field}`);
      if (found !== undefined) taken[field] = found;
    }
    return taken;
  };
}

/** An array, of which a copy is taken. */
export function list(shape: Shape): Shape {
  return (value, name) => {
    if (!Array.isArray(value)) return refuse(value, name, "an array");
    const taken = Array.from(value as unknown[], (element, index) =>
      part(shape, element, `${name}[${index}]`),
    );
    return limited(taken, name);
  };
}

/** The most that texts of one argument may take together, in UTF-16 units and with 16 for each: the module has 4 GiB. */
const TEXTS_LEN_MAX = 2 ** 26;

function limited<T extends Iterable<unknown>>(texts: T, name: string): T {
  let len = 0;
  for (const text of texts) len += 16 + (typeof text === "string" ? text.length : 0);
  if (len <= TEXTS_LEN_MAX) return texts;
  throw new VaultError("invalid_argument", `${name} has more than ${TEXTS_LEN_MAX} characters`);
}

/** Values by name, in an object or a map, of which a map is made. Those that are `undefined` are left out. */
export function byName(shape: Shape): Shape {
  return (value, name) => {
    const isMap = tagOf(value) === "Map";
    const entries: [unknown, unknown][] = isMap
      ? [...(value as Map<unknown, unknown>)]
      : Object.entries((value as object | null | undefined) ?? {});
    // An object of another kind, such as `process.env`, does as well, unless it keeps its values elsewhere.
    const isOther =
      typeof value === "object" && !Array.isArray(value) && !isBytes(value) && entries.length > 0;
    if (!isMap && !isPlain(value) && !isOther) return refuse(value, name, "an object or a Map");
    const taken = new Map<string, unknown>();
    for (const [key, element] of entries) {
      text(key, `a key of ${name}`);
      if (element !== undefined) taken.set(key as string, part(shape, element, memberOf(name, key)));
    }
    limited(taken.keys(), name);
    return taken;
  };
}

/** Deeper than JSON may nest in a vault: the core says where the limit is, and here only circles end. */
const DEPTH_MAX = 1_000;

/** The JSON text of plain values, or a text, which is JSON already. */
export function json(wanted: string): Shape {
  return (value, name) => {
    if (typeof value === "string") return value;
    return Array.isArray(value) || isPlain(value) ? write(value, name, 0) : refuse(value, name, wanted);
  };
}

/** The text of a document that {@link json} has checked: the check has made text of it. */
export function textOf(document: object | string): string {
  return document as string;
}

/** What JSON cannot hold is refused: `JSON.stringify` would leave it out, or make an empty object of it. */
function write(value: unknown, name: string, depth: number): string {
  if (depth > DEPTH_MAX) {
    throw new VaultError("invalid_argument", `${name} is nested too deeply, or holds itself`);
  }
  if (value === null || typeof value === "string" || typeof value === "boolean") return JSON.stringify(value);
  if (typeof value === "number" && Number.isFinite(value)) {
    if (!Number.isInteger(value) || Number.isSafeInteger(value)) return JSON.stringify(value);
    throw new VaultError("invalid_argument", `${name} is a number beyond 2^53`, "write it as text");
  }
  if (Array.isArray(value)) {
    // `map` would pass over elements that are not there.
    const elements = Array.from(value, (element, index) => write(element, `${name}[${index}]`, depth + 1));
    return `[${elements.join(",")}]`;
  }
  if (!isPlain(value)) {
    const hint = value === undefined ? "leave it out, or write an empty string" : undefined;
    return refuse(
      value,
      name,
      "a string, a number, a boolean, null, or a plain object or array of them",
      hint,
    );
  }
  const members = Object.entries(value).map(
    ([key, member]) => `${JSON.stringify(key)}:${write(member, memberOf(name, key), depth + 1)}`,
  );
  return `{${members.join(",")}}`;
}

/** Also of another realm. */
function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function refuse(value: unknown, name: string, wanted: string, hint?: string): never {
  const because = isPromise(value) ? "await it" : hint;
  throw new VaultError("invalid_argument", `${name} must be ${wanted}, not ${kindOf(value)}`, because);
}

/** What kind of value it is, for people. Never the value, which may be a secret. */
function kindOf(value: unknown): string {
  if (value === undefined || value === null || Number.isNaN(value)) return String(value);
  if (isPromise(value)) return "a promise";
  if (isBytes(value)) return "bytes";
  const kind =
    typeof value === "object"
      ? tagOf(value).replace(/^(Object|Array)$/, (tag) => tag.toLowerCase())
      : typeof value;
  return `${/^[aeo]/i.test(kind) ? "an" : "a"} ${kind}`;
}

export function isPromise(value: unknown): boolean {
  return typeof value === "object" && value !== null && isFunction((value as { then?: unknown }).then);
}

export function isFunction(value: unknown): boolean {
  return typeof value === "function";
}

/** Which array of numbers it is: unlike {@link tagOf}, no object can lie about that. */
const typedArray = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype) as object,
  Symbol.toStringTag,
)?.get;

export function isBytes(value: unknown): boolean {
  return typedArray?.call(value) === "Uint8Array" && (value as Uint8Array).length < 2 ** 32;
}

/** Which kind of object it is, in whichever realm it was made. */
export function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** What a member of an object is called in messages. */
function memberOf(name: string, key: unknown): string {
  const text = String(key);
  return /^[a-z_$][\w$]{0,99}$/i.test(text) ? `${name}.${text}` : `${name}[${quoted(text)}]`;
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
