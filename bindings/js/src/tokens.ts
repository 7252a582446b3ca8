/** Where the values of tokens come from (docs/action.md section 5.4). */

import type { TokenWanted } from "../pkg/vault.js";
import { orAborted } from "./abort.js";
import { VaultError } from "./error.js";

/** A token whose value is wanted, its parameters expanded. */
export interface Token {
  /** What stands before the colon. */
  readonly namespace: string | undefined;
  readonly name: string;
  /** The parameters by name, in an object without a prototype. `key` has them in their order. */
  readonly params: Readonly<Record<string, string | undefined>>;
  /** What a map would be asked for: `Namespace:Name(key=value)`. */
  readonly key: string;
}

/**
 * A function that answers a token; nothing if it has no value, so that its default applies. `signal` aborts when
 * the caller gives up or the vault is locked: the call that asked has ended then, and no answer is used.
 */
export type TokenFunction = (
  token: Token,
  signal: AbortSignal,
) => string | null | undefined | Promise<string | null | undefined>;

/**
 * The values of tokens: by `Namespace:Name(key=value)` or `Namespace:Name` in an object or a map, or by a
 * function, which may be asynchronous and is called once for each token. Values that no token of the action uses
 * are the warning `token_unused`, unless a function gives them. An empty value that becomes the value of a property
 * is refused as `empty_value`, unless the option `allowEmpty` is given.
 */
export type Tokens =
  Readonly<Record<string, string | undefined>> | ReadonlyMap<string, string> | TokenFunction;

/** The value of a token, of the caller's tokens; nothing if it has none. */
export async function valueOf(
  wanted: TokenWanted,
  tokens: Tokens | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  let value: unknown;
  if (typeof tokens === "function") {
    const { namespace, name, params } = wanted;
    const token = { namespace, name, params: withoutPrototype(params), key: keyOf(wanted) };
    try {
      value = await orAborted(tokens(token, signal), signal);
    } catch (cause) {
      signal.throwIfAborted();
      throw new VaultError(
        "token_source_failed",
        `the value of ${nameOf(wanted)} could not be had`,
        undefined,
        {
          cause,
        },
      );
    }
  } else {
    const values = valuesOf(tokens);
    const key = wanted.keys.find((key) => values.has(key));
    value = key === undefined ? undefined : values.get(key);
  }
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  throw new VaultError(
    "token_source_failed",
    `the value of ${nameOf(wanted)} is ${typeof value}, not a string`,
  );
}

/** The keys of the values that a caller gives; a function's are not known beforehand. */
export function keysOf(tokens: Tokens): string[] {
  return typeof tokens === "function" ? [] : [...valuesOf(tokens).keys()];
}

/** The check of arguments has made a map of an object. */
function valuesOf(tokens: Exclude<Tokens, TokenFunction> | undefined): ReadonlyMap<string, string> {
  return (tokens ?? new Map()) as ReadonlyMap<string, string>;
}

function withoutPrototype(entries: Iterable<readonly [string, string]>): Record<string, string> {
  return Object.assign(Object.create(null) as object, Object.fromEntries(entries)) as Record<string, string>;
}

function keyOf(wanted: TokenWanted): string {
  return wanted.keys[0] ?? wanted.name;
}

/** The token as it stands in messages: without its parameters, which may be secret. */
function nameOf({ namespace, name }: TokenWanted): string {
  return namespace === undefined ? `[${name}]` : `[${namespace}:${name}]`;
}
