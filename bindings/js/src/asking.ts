/** What an action asks for while it is planned: values of tokens, and tests (docs/action.md sections 1.2, 5.4). */

import type { Connector, Run, Vault as CoreVault, Wanted } from "../pkg/vault.js";
import { orAborted } from "./abort.js";
import type { ActionInput, ActionOptions } from "./action.js";
import { textOf } from "./check.js";
import { VaultError } from "./error.js";
import { keysOf, valueOf, type Tokens } from "./tokens.js";
import { utf8 } from "./utf8.js";
import { call } from "./wasm.js";

/**
 * What a tester found: `true` or nothing if the connector works, else why not. In the outcome the
 * connector's values are masked in the message; it must hold no other secret.
 */
export type TestResult =
  boolean | { readonly success: boolean; readonly message?: string | undefined } | undefined;

/**
 * Tries a connector out, for `Connectors.Test`: only the host knows the service behind one. What it throws is why the
 * connector does not work.
 */
export type Tester = (connector: Connector, signal: AbortSignal) => TestResult | Promise<TestResult>;

/** Whom an action asks. */
export interface Asked {
  readonly tokens?: Tokens | undefined;
  readonly test?: Tester | undefined;
}

/** Begins to plan an action. Free it. */
export function begin(action: ActionInput, options: ActionOptions, { tokens = new Map() }: Asked): Run {
  const text = utf8(textOf(action));
  try {
    return call((core) => core.Action.parse(text).run(options, keysOf(tokens)));
  } finally {
    text.fill(0);
  }
}

/** What a step wants, if it wants something. */
export function step(run: Run, core: CoreVault, now: string): Wanted | undefined {
  const wanted = run.step(core, now);
  return wanted === undefined ? undefined : (JSON.parse(wanted) as Wanted);
}

/** Asks for what a step wants. */
export async function answer(run: Run, wanted: Wanted, asked: Asked, signal: AbortSignal): Promise<void> {
  if ("test" in wanted) {
    const failure = await tested(wanted.test, asked.test, signal);
    call(() => run.answerTest(failure));
    return;
  }
  const value = await valueOf(wanted.token, asked.tokens, signal);
  const bytes = value === undefined ? undefined : utf8(value);
  try {
    call(() => run.answerToken(bytes));
  } finally {
    bytes?.fill(0);
  }
}

/** Why a connector does not work; nothing if it does. */
async function tested(
  connector: Connector,
  test: Tester | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (test === undefined) {
    const hint = "run the action with the option `test`, a function that tests a connector";
    throw new VaultError("tester_missing", "nothing here can test a connector", hint);
  }
  let result: unknown;
  try {
    result = await orAborted(test(connector, signal), signal);
  } catch (error) {
    signal.throwIfAborted();
    return messageOf(error);
  }
  if (result === true || result === undefined) return undefined;
  if (result === false) return "";
  if (typeof result === "object" && result !== null && "success" in result) {
    const { success, message } = result as { readonly success: unknown; readonly message?: unknown };
    if (success === true) return undefined;
    if (success === false) return message === undefined ? "" : String(message);
  }
  const hint = "return true or false, or { success, message }";
  throw new VaultError("tester_failed", "the tester did not say whether the connector works", hint);
}

function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  return typeof error === "string" ? error : "the tester threw something that is not an Error";
}
