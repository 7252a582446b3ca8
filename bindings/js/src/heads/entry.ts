/** What is kept of a known head, wherever it is kept (docs/format.md section 9). */

import type { KnownHead } from "../heads.js";

/** A head with the vault and the place that it was seen of; `seq` is the head's own. */
export interface HeadEntry {
  readonly vault_id: string;
  readonly place: string;
  readonly seq: number;
  readonly head: KnownHead;
}

/**
 * Whether a value read from where others may write is an entry. Unknown fields are refused: what is not
 * understood is not trusted.
 */
export function isHeadEntry(value: unknown): value is HeadEntry {
  return (
    hasFields(value, "vault_id", "place", "seq", "head") &&
    typeof value.vault_id === "string" &&
    typeof value.place === "string" &&
    isCount(value.seq) &&
    isKnownHead(value.head)
  );
}

/** Whether it has the fields of a known head. */
export function isKnownHead(value: unknown): value is KnownHead {
  return (
    hasFields(value, "head", "vault_key", "owners") &&
    typeof value.vault_key === "string" &&
    Array.isArray(value.owners) &&
    value.owners.every((owner) => typeof owner === "string") &&
    hasFields(value.head, "vault_id", "epoch", "seq", "hash") &&
    typeof value.head.vault_id === "string" &&
    isCount(value.head.epoch) &&
    isCount(value.head.seq) &&
    typeof value.head.hash === "string"
  );
}

function hasFields<Name extends string>(value: unknown, ...names: Name[]): value is Record<Name, unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.keys(value).length === names.length &&
    names.every((name) => Object.hasOwn(value, name))
  );
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
