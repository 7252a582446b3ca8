/** What went wrong, in words for people: the message and the hint of a `VaultError`. */

import type { Vault } from "connector-vault";
import { html, nothing, type TemplateResult } from "lit";

/** What is shown of an error. */
export interface Problem {
  /** The stable code of a `VaultError`. */
  readonly code: string | undefined;
  readonly message: string;
  /** What to do about it. */
  readonly hint: string | undefined;
}

/** Of any error; by its properties, since a page may have loaded two copies of the package. */
export function problemOf(error: unknown): Problem {
  if (!(error instanceof Error)) return { code: undefined, message: String(error), hint: undefined };
  const { code, hint } = error as { readonly code?: unknown; readonly hint?: unknown };
  return {
    code: typeof code === "string" ? code : undefined,
    message: error.message,
    hint: typeof hint === "string" ? hint : undefined,
  };
}

/** Of an error of a vault: if it is about an unknown connector, with a similar one as the hint. */
export function problemAbout(error: unknown, vault: Vault): Problem {
  const problem = problemOf(error);
  const connector = error instanceof Error && "connector" in error ? error.connector : undefined;
  if (typeof connector !== "string" || problem.hint !== undefined || vault.isLocked) return problem;
  return { ...problem, hint: vault.similar(connector) };
}

/** A paragraph that screen readers announce at once. */
export function problemTemplate(problem: Problem): TemplateResult {
  return html`<p class="error" part="error" role="alert">${wordsOf(problem)}</p>`;
}

/** The same without an alert: where it changes with each key, what is around it says it politely. */
export function quietProblemTemplate(problem: Problem): TemplateResult {
  return html`<p class="error" part="error">${wordsOf(problem)}</p>`;
}

function wordsOf({ message, hint }: Problem): TemplateResult {
  return html`${sentence(message)}${
    hint === undefined ? nothing : html` <span class="muted">${sentence(hint)}</span>`
  }`;
}

/** Messages of the core begin in lower case and have no full stop; those of others may have one. */
export function sentence(text: string): string {
  const end = ".!?…".includes(text.slice(-1)) ? "" : ".";
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${end}`;
}
