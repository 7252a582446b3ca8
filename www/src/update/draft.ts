/** The action that is being written: it outlives its view, so that one can look something up, but not its session. */

import type { Vault } from "connector-vault";

import { EXAMPLE_TOKENS, emptyAction } from "./action.js";

/** What was written. No value of a token: those stay in their fields. */
export interface Draft {
  /** The action's text. */
  action: string;
  /** Names of tokens to complete, one on each line, as the user wrote them. */
  names: string;
  /** Names of tokens that actions have used. */
  readonly used: Set<string>;
}

const drafts = new WeakMap<Vault, Draft>();

/** What was written for this vault; forgotten when it is locked. */
export function draftOf(vault: Vault): Draft {
  let draft = drafts.get(vault);
  if (draft === undefined) {
    draft = { action: emptyAction(), names: "", used: new Set() };
    drafts.set(vault, draft);
    vault.addEventListener("lock", () => drafts.delete(vault), { once: true });
  }
  return draft;
}

/** Names of tokens for completion: the user's first. */
export function tokenNames({ names, used }: Draft): string[] {
  const written = names
    .split("\n")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  return [...new Set([...written, ...used, ...EXAMPLE_TOKENS])];
}
