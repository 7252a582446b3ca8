/** The key slots of a vault as its file has them, and what is said of new ones (docs/format.md section 4). */

import type { KdfCost, KeySlotShape, PasskeyShape } from "../pkg/vault.js";
import type { Abortable } from "./options.js";
import { copyOf } from "./storage/compare.js";

/**
 * A key slot as it stands in the file. Anybody who can write to the storage can have put it there: hint and cost are
 * proven only once it has opened.
 */
export interface KeySlotInfo {
  /** The id of the grant that it names; `null` if it names none. */
  readonly grant: string | null;
  /** The label of this grant; `null` if the header does not list it. */
  readonly label: string | null;
  /** What opens it: a passphrase or an external key. `null` if this version does not know that. */
  readonly kind: "passphrase" | "key" | null;
  /** What trying a passphrase costs; `null` for an external key, which costs nothing. */
  readonly cost: KdfCost | null;
  /** Which external key is meant; `null` for a passphrase. */
  readonly hint: Uint8Array<ArrayBuffer> | null;
  /** Which of the key slots this is, until it is written anew: 32 base16 digits. */
  readonly salt: string | null;
  /** The PRF input of a passkey, whose first output is the external key; `null` for a passphrase. */
  readonly prfInput: Uint8Array<ArrayBuffer> | null;
  /** Why nobody can use it; `null` if it looks sound. */
  readonly broken: string | null;
}

/** What is expected of a vault whose key slots are listed. */
export interface KeySlotsOptions extends Abortable {
  /** The vault must have this id. */
  readonly vaultId?: string | undefined;
  /** Most memory that a key slot may make Argon2id use, in KiB: at most 262,144. */
  readonly memoryKibMax?: number | undefined;
}

/** An external key, for which a key slot is made. */
export interface NewKey {
  /** 32 bytes that are as hard to guess as random ones. A copy is taken. */
  readonly key: Uint8Array;
  /** Tells which key is meant: up to 2,048 bytes, by default none. They stand in the file in clear. */
  readonly hint?: Uint8Array | undefined;
  /** For a passkey: the salt that `newPasskey()` gave. */
  readonly salt?: string | undefined;
}

/** Which key slots of external keys are meant: all with a hint, or the one with a salt. */
export type KeySlotRef =
  | { readonly hint: Uint8Array; readonly salt?: undefined }
  | { readonly salt: string; readonly hint?: undefined };

/** The place of a key slot that is to be made for a passkey. */
export interface NewPasskey {
  /** The input of its PRF extension. The first output, 32 bytes, is the external key. */
  readonly prfInput: Uint8Array<ArrayBuffer>;
  /** The salt that the key slot will have. */
  readonly salt: string;
}

/** The key slots that the module lists, as JSON. */
export function keySlotsOf(json: string): KeySlotInfo[] {
  return (JSON.parse(json) as KeySlotShape[]).map(({ hint, prfInput, ...slot }) => ({
    ...slot,
    hint: hint === null ? null : fromBase64Url(hint),
    prfInput: prfInput === null ? null : fromBase16(prfInput),
  }));
}

/** The place of a new key slot, as the module tells it in JSON. */
export function passkeyOf(json: string): NewPasskey {
  const { salt, prfInput } = JSON.parse(json) as PasskeyShape;
  return { salt, prfInput: fromBase16(prfInput) };
}

/** Options with copies of their own: the caller may wipe its key at once, and change its hint. */
export function withOwnKey<
  O extends { readonly key?: Uint8Array | undefined; readonly hint?: Uint8Array | undefined },
>(options: O): O {
  const { key, hint } = options;
  return {
    ...options,
    ...(key !== undefined && { key: copyOf(key) }),
    ...(hint !== undefined && { hint: copyOf(hint) }),
  };
}

function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function fromBase16(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: text.length / 2 }, (_, index) =>
    Number.parseInt(text.slice(2 * index, 2 * index + 2), 16),
  );
}
