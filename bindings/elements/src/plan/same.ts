/** Whether what a host sets is what it had set: many set everything anew whenever they render. */

import type { Tokens } from "connector-vault";

/** Whether two documents say the same. */
export function isSameJson(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  try {
    return JSON.stringify(one) === JSON.stringify(other);
  } catch {
    // The vault says what JSON cannot hold.
    return false;
  }
}

/** Whether two sources of tokens have the same values. A function is only the same as itself. */
export function isSameTokens(one: Tokens | undefined, other: Tokens | undefined): boolean {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object") return false;
  return isSameJson(entries(one), entries(other));
}

function entries(tokens: Exclude<Tokens, (...args: never[]) => unknown>): [string, string | undefined][] {
  return tokens instanceof Map ? [...tokens] : Object.entries(tokens);
}
