/**
 * `keys/`: known answers of the cryptography (docs/format.md section 3). The package is asked for two of the
 * steps; the others are inside the core.
 */

import { Identity, parseGrantKey } from "connector-vault";

import { equal, failure, sameBytes, tellsNone } from "./expect.js";
import { base16, count, document, ifNamed, json, list, oneOf, Reader, text, type Read } from "./read.js";

const Given = oneOf({
  identity: text,
  grant_key: text,
  vault_reference: text,
  padding: list(count),
  bind: document({ label: text, inputs: list(base16) }),
  derive: document({ secret: base16, label: text, inputs: list(base16) }),
  mac: document({ key: base16, label: text, inputs: list(base16) }),
  x_wing: base16,
  vault_key: base16,
  key_slot_keys: document({ passphrase: text, salt: base16, memory_kib: count, passes: count, lanes: count }),
  external_slot_keys: document({ key: base16, salt: base16 }),
  passkey: document({ vault_id: base16, grant: base16, salt: base16 }),
  bundle: document({ identity: text, info: base16, sealed: base16 }),
  sealed: document({ key: base16, associated_data: base16, sealed: base16 }),
  request: json,
});
type Given = Read<typeof Given>;

const Bytes = document({ bytes: base16 });
const Failure = document({ error: text });

const Answer = new Map<Given[0], Reader<unknown>>([
  ["identity", ifNamed("error", Failure, document({ grant_key: text, fingerprint: text }))],
  ["grant_key", ifNamed("error", Failure, document({ grant_key: text, fingerprint: text, bytes: base16 }))],
  ["vault_reference", ifNamed("error", Failure, document({ vault_id: text, epoch: count }))],
  ["padding", document({ lengths: list(count) })],
  ["key_slot_keys", document({ bytes: base16, commitment: base16 })],
  ["external_slot_keys", document({ bytes: base16, commitment: base16 })],
]);

interface Expected {
  readonly error?: string;
  readonly grant_key?: string;
  readonly fingerprint?: string;
  readonly bytes?: Uint8Array;
}

/** A vector, whose `expect` depends on what is given. */
export const KeyVector = new Reader((value, at) => {
  const { given, expect } = document({ rule: text, given: Given, expect: json }).read(value, at);
  const answer = Answer.get(given[0]) ?? Bytes;
  return { given, expect: answer.read(expect, `${at}/expect`) as Expected };
});
export type KeyVector = Read<typeof KeyVector>;

/** Returns the name of what is given if it is a step inside the core. */
export async function checkKey({ given, expect }: KeyVector): Promise<string | undefined> {
  switch (given[0]) {
    case "identity":
      return void (await checkIdentity(given[1], expect));
    case "grant_key":
      return void (await checkGrantKey(given[1], expect));
    case "vault_reference":
    case "padding":
    case "bind":
    case "derive":
    case "mac":
    case "x_wing":
    case "vault_key":
    case "key_slot_keys":
    case "external_slot_keys":
    case "passkey":
    case "bundle":
    case "sealed":
    case "request":
      return given[0];
  }
}

async function checkIdentity(given: string, expect: Expected): Promise<void> {
  if (expect.error !== undefined) {
    const error = await failure(() => Identity.parse(given));
    equal(error.code, expect.error, error.message);
    // The empty text is a part of every text.
    if (given !== "") tellsNone([given], error);
    return;
  }
  const identity = Identity.parse(given);
  equal(identity.grantKey, expect.grant_key, "the grant key of the identity");
  equal(identity.fingerprint, expect.fingerprint, "its fingerprint");
  equal(identity.toText(), given.toLowerCase(), "the one text form");
  tellsNone([identity.toText()], [identity]);
  identity.dispose();
}

async function checkGrantKey(given: string, expect: Expected): Promise<void> {
  if (expect.error !== undefined) {
    equal((await failure(() => parseGrantKey(given))).code, expect.error, "code");
    return;
  }
  const parsed = parseGrantKey(given);
  equal(parsed, expect.grant_key, "the one text form");
  sameBytes(keysOf(parsed), expect.bytes, "the two public keys");
}

/** The public keys in a grant key: base64url behind the prefix, without the checksum of eight bytes at the end. */
function keysOf(text: string): Uint8Array {
  const base64 = text.replace("cvault-grant-1", "").replaceAll("-", "+").replaceAll("_", "/");
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return bytes.subarray(0, -8);
}
