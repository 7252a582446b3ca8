/** What components ask of the core without a vault. Before the module is loaded there is nothing to say. */

import { findTokens, problemsOf, type ErrorPlace, type TokenSpan } from "connector-vault";

import { problemOf } from "./problem.js";

export type { ErrorPlace, TokenSpan };

/** All that is wrong with an action, as far as that can be said without a vault. */
export function errorsIn(actionText: string): readonly unknown[] {
  try {
    return problemsOf(actionText);
  } catch (error) {
    return problemOf(error).code === "not_ready" ? [] : [error];
  }
}

/** Where an error is, if it is in an action's document. */
export function placeOf(error: unknown): ErrorPlace | undefined {
  return error instanceof Error ? (error as { readonly place?: ErrorPlace }).place : undefined;
}

/** The tokens of a text. */
export function tokensIn(text: string): TokenSpan[] {
  if (!text.includes("[")) return [];
  try {
    return findTokens(text);
  } catch {
    return [];
  }
}
