/** Strict readers of JSON: what they do not know they reject, and say where it stands. */

/** A document is not what its reader expects. */
export class Malformed extends Error {
  override readonly name = "Malformed";
}

/** Reads a part of a document that stands at the place `at`. */
export class Reader<T> {
  constructor(
    readonly read: (value: unknown, at: string) => T,
    /** What it is where it is missing; nothing if it is required. */
    readonly absent?: { readonly value: T },
  ) {}

  /** The same, with a default where it is missing. */
  or<D>(value: D): Reader<T | D> {
    return new Reader<T | D>(this.read, { value });
  }

  /** The same where it may be missing. */
  optional(): Reader<T | undefined> {
    return this.or(undefined);
  }
}

/** What a reader makes of a document. */
export type Read<R> = R extends Reader<infer T> ? T : never;

type Fields = Readonly<Record<string, Reader<unknown>>>;

export const text = new Reader((value, at) =>
  typeof value === "string" ? value : fail(at, "is not a string", value),
);

export const flag = new Reader((value, at) =>
  typeof value === "boolean" ? value : fail(at, "is not true or false", value),
);

/** A number that counts something: an integer from 0 on. */
export const count = new Reader((value, at) =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0
    ? value
    : fail(at, "is no integer from 0 on", value),
);

/** Bytes in lower-case base16. */
export const base16 = new Reader((value, at) => {
  const digits = text.read(value, at);
  if (!/^(?:[0-9a-f]{2})*$/.test(digits)) fail(at, "is not lower-case base16", digits);
  return Uint8Array.from({ length: digits.length / 2 }, (_, index) =>
    Number.parseInt(digits.slice(2 * index, 2 * index + 2), 16),
  );
});

/** Whatever stands there: it goes to what is tested as it is. */
export const json = new Reader((value) => value);

/** One of these words. */
export function word<const W extends string>(...words: readonly W[]): Reader<W> {
  return new Reader(
    (value, at) => words.find((word) => word === value) ?? fail(at, `is none of ${words.join(", ")}`, value),
  );
}

export function nullable<T>(reader: Reader<T>): Reader<T | null> {
  return new Reader((value, at) => (value === null ? null : reader.read(value, at)));
}

export function list<T>(item: Reader<T>): Reader<readonly T[]> {
  return new Reader((value, at) =>
    Array.isArray(value)
      ? value.map((each, index) => item.read(each, `${at}/${index}`))
      : fail(at, "is not an array", value),
  );
}

/** An object with any names, and values of one kind. */
export function map<T>(item: Reader<T>): Reader<Readonly<Record<string, T>>> {
  return new Reader((value, at) =>
    Object.fromEntries(
      Object.entries(object(value, at)).map(([name, each]) => [name, item.read(each, `${at}/${name}`)]),
    ),
  );
}

/** An object with exactly these names; those that are optional may be missing. */
export function document<F extends Fields>(fields: F): Reader<{ readonly [K in keyof F]: Read<F[K]> }> {
  return new Reader((value, at) => {
    const found = object(value, at);
    for (const name of Object.keys(found)) {
      if (!Object.hasOwn(fields, name)) fail(`${at}/${name}`, "is not known");
    }
    const read = Object.entries(fields).map(([name, field]) => {
      if (Object.hasOwn(found, name)) return [name, field.read(found[name], `${at}/${name}`)];
      return [name, field.absent ? field.absent.value : fail(`${at}/${name}`, "is missing")];
    });
    return Object.fromEntries(read) as { readonly [K in keyof F]: Read<F[K]> };
  });
}

/** An object with exactly one of these names: `[name, value]`. */
export function oneOf<F extends Fields>(
  fields: F,
): Reader<{ readonly [K in keyof F & string]: readonly [K, Read<F[K]>] }[keyof F & string]> {
  type One = { readonly [K in keyof F & string]: readonly [K, Read<F[K]>] }[keyof F & string];
  return new Reader((value, at) => {
    const [first, ...rest] = Object.entries(object(value, at));
    if (first === undefined || rest.length > 0) return fail(at, "has not exactly one name");
    const [name, given] = first;
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field === undefined) return fail(`${at}/${name}`, "is not known");
    return [name, field.read(given, `${at}/${name}`)] as One;
  });
}

/** An object that is read in one way if it has this name, else in another. */
export function ifNamed<A, B>(name: string, named: Reader<A>, other: Reader<B>): Reader<A | B> {
  return new Reader<A | B>((value, at) =>
    (Object.hasOwn(object(value, at), name) ? named : other).read(value, at),
  );
}

/** The same document, under a further condition; `complain` says what is wrong, if something is. */
export function where<T>(reader: Reader<T>, complain: (value: T) => string | undefined): Reader<T> {
  return new Reader((value, at) => {
    const read = reader.read(value, at);
    const complaint = complain(read);
    return complaint === undefined ? read : fail(at, complaint);
  });
}

function object(value: unknown, at: string): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : fail(at, "is not an object", value);
}

function fail(at: string, what: string, value?: unknown): never {
  const shown = value === undefined ? "" : `: ${JSON.stringify(value).slice(0, 80)}`;
  throw new Malformed(`${at} ${what}${shown}`);
}
