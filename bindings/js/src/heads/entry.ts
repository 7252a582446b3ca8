/** What is kept of a known head, wherever it is kept (docs/format.md section 9). */

import type { KnownHead } from "../heads.js";

/** A known head as it is stored, and as the module takes it. */
export interface HeadDocument {
  readonly head: {
    readonly vault_id: string;
    readonly epoch: number;
    readonly seq: number;
    readonly hash: string;
  };
  readonly vault_key: string;
  readonly index_commitment: string;
}

/** A head with the vault and the place that it was seen of; `seq` is the head's own. */
export interface HeadEntry {
  readonly vault_id: string;
  readonly place: string;
  readonly seq: number;
  readonly head: HeadDocument;
}

/** A known head with the names of the document. */
export function documentOf({
  head: { vaultId, ...head },
  vaultKey,
  indexCommitment,
}: KnownHead): HeadDocument {
  const { epoch, seq, hash } = head;
  return {
    head: { vault_id: vaultId, epoch, seq, hash },
    vault_key: vaultKey,
    index_commitment: indexCommitment,
  };
}

/** A known head from its document. */
export function knownOf({ head, vault_key, index_commitment }: HeadDocument): KnownHead {
  const { vault_id, epoch, seq, hash } = head;
  return {
    head: { vaultId: vault_id, epoch, seq, hash },
    vaultKey: vault_key,
    indexCommitment: index_commitment,
  };
}

/** What is stored of a head that was seen. */
export function entryOf(vaultId: string, place: string, known: KnownHead): HeadEntry {
  return { vault_id: vaultId, place, seq: known.head.seq, head: documentOf(known) };
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
    isHeadDocument(value.head)
  );
}

/** Whether it has the fields of a known head. */
export function isKnownHead(value: unknown): value is KnownHead {
  return hasParts(value, "vaultKey", "vaultId", "indexCommitment");
}

function isHeadDocument(value: unknown): value is HeadDocument {
  return hasParts(value, "vault_key", "vault_id", "index_commitment");
}

function hasParts(value: unknown, vaultKey: string, vaultId: string, commitment: string): boolean {
  if (!hasFields(value, "head", vaultKey, commitment)) return false;
  const { head, [vaultKey]: key, [commitment]: index } = value;
  if (!hasFields(head, vaultId, "epoch", "seq", "hash")) return false;
  const { epoch, seq, hash, [vaultId]: id } = head;
  return [key, index, id, hash].every(isText) && isCount(epoch) && isCount(seq);
}

function hasFields<Name extends string>(value: unknown, ...names: Name[]): value is Record<Name, unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.keys(value).length === names.length &&
    names.every((name) => Object.hasOwn(value, name))
  );
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
