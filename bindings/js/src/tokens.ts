/** Where the values of tokens come from, and how an action gets them (docs/action.md section 5.4). */

import type { Request, Resolving, TokenWanted } from "../pkg/vault.js";
import { orAborted } from "./abort.js";
import { textOf, type ActionInput, type ActionOptions } from "./action.js";
import { VaultError } from "./error.js";
import { call } from "./wasm.js";
import { utf8 } from "./utf8.js";

/** A token whose value is wanted, its parameters expanded. */
export interface Token {
  /** What stands before the colon. */
  readonly namespace: string | undefined;
  readonly name: string;
  /** The parameters, in the order in which they are written. */
  readonly params: ReadonlyMap<string, string>;
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
 * function, which may be asynchronous and is called once for each token.
 */
export type Tokens =
  Readonly<Record<string, string | undefined>> | ReadonlyMap<string, string> | TokenFunction;

/** An action with its tokens expanded. Free it. */
export async function resolve(
  action: ActionInput,
  tokens: Tokens,
  options: ActionOptions,
  signal: AbortSignal,
): Promise<Request> {
  const text = utf8(textOf(action));
  const resolving = call((core) => {
    try {
      return core.Action.parse(text).resolve(JSON.stringify(options));
    } finally {
      text.fill(0);
    }
  });
  try {
    for (;;) {
      const wanted = call(() => resolving.step());
      if (wanted === undefined) break;
      signal.throwIfAborted();
      await answer(resolving, JSON.parse(wanted) as TokenWanted, tokens, signal);
    }
  } catch (error) {
    resolving.free();
    throw error;
  }
  return call(() => resolving.intoRequest());
}

async function answer(
  resolving: Resolving,
  wanted: TokenWanted,
  tokens: Tokens,
  signal: AbortSignal,
): Promise<void> {
  const value = await valueOf(wanted, tokens, signal);
  const bytes = value === undefined ? undefined : utf8(value);
  try {
    call(() => resolving.answer(keyOf(wanted), bytes));
  } finally {
    bytes?.fill(0);
  }
}

async function valueOf(
  wanted: TokenWanted,
  tokens: Tokens,
  signal: AbortSignal,
): Promise<string | undefined> {
  let value: unknown;
  if (typeof tokens === "function") {
    const { namespace, name, params } = wanted;
    const token = { namespace, name, params: new Map(params), key: keyOf(wanted) };
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
    const get = (key: string) =>
      isMap(tokens) ? tokens.get(key) : Object.hasOwn(tokens, key) ? tokens[key] : undefined;
    const key = wanted.keys.find((key) => get(key) !== undefined);
    value = key === undefined ? undefined : get(key);
  }
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  throw new VaultError(
    "token_source_failed",
    `the value of ${nameOf(wanted)} is ${typeof value}, not a string`,
  );
}

/** Also of another realm. */
function isMap(tokens: Exclude<Tokens, TokenFunction>): tokens is ReadonlyMap<string, string> {
  return Object.prototype.toString.call(tokens) === "[object Map]";
}

function keyOf(wanted: TokenWanted): string {
  return wanted.keys[0] ?? wanted.name;
}

/** The token as it stands in messages: without its parameters, which may be secret. */
function nameOf({ namespace, name }: TokenWanted): string {
  return namespace === undefined ? `[${name}]` : `[${namespace}:${name}]`;
}
