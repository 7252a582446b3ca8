/** What is to be said of the value: why it is not valid, and what stands below the field. */

import type { Overview, Vault } from "connector-vault";
import { html, nothing } from "lit";

import { tokensIn } from "../core.js";
import type { Invalidity } from "../form-field.js";
import type { PickerTexts } from "../texts.js";
import type { Entry } from "./entry.js";
import { openOnly } from "./search.js";

/** What is judged. */
export interface Judged {
  readonly entry: Entry;
  readonly vault: Vault | undefined;
  /** The connector whose id the value is. Asked for only where it matters: while it is typed it seldom is one. */
  readonly connector: () => Overview | undefined;
  readonly required: boolean;
  readonly expressions: boolean;
}

/** Why the value is not valid. */
export function invalidityOf(
  texts: PickerTexts,
  { entry, vault, connector, required, expressions }: Judged,
): Invalidity | undefined {
  const { value, typed = "", isUnmatched } = entry;
  if (isUnmatched) return { flags: { badInput: true }, message: texts.unmatched(typed.trim()) };
  if (value === "") return required ? { flags: { valueMissing: true }, message: texts.missing } : undefined;
  // An expression is judged when the action runs, and without a vault nothing can be.
  if (expressions || openOnly(vault) === undefined || connector() !== undefined) return undefined;
  return { flags: { customError: true }, message: texts.unknown(value) };
}

/** What stands below the field. */
export interface Detail {
  readonly content: unknown;
  readonly isWrong?: boolean;
}

/** Of the value, where it is valid. */
export function detailOf(
  texts: PickerTexts,
  { entry: { value, typed }, vault, connector: find, expressions }: Judged,
): Detail {
  if (expressions && tokensIn(value).length > 0) return { content: texts.expression };
  if (typed !== undefined || value === "" || vault === undefined) return { content: nothing };
  if (vault.isLocked) return { content: texts.locked };
  const connector = find();
  if (connector === undefined) return { content: texts.unknown(value), isWrong: true };
  return { content: html`<code>${connector.id}</code> · ${connector.type}` };
}
