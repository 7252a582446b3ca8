/** What went wrong, in words for people: the message and the hint of a `VaultError`. */

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

/** A paragraph that screen readers announce. */
export function problemTemplate({ message, hint }: Problem): TemplateResult {
  return html`<p class="error" part="error" role="alert">
    ${sentence(message)}${hint === undefined ? nothing : html` <span class="muted">${sentence(hint)}</span>`}
  </p>`;
}

/** Messages of the core begin in lower case and have no full stop. */
export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
