/**
 * A vault that opens by a passkey: the PRF extension of WebAuthn answers to the place of a key slot with 32 bytes, and
 * these are the external key. Neither the page nor a server keeps anything: the vault's file tells which passkey to ask.
 *
 * @example
 * ```ts
 * const vault = await Vault.open(storage, { passphrase });
 * await addPasskey(vault, "Ann's laptop");
 * // Later, without the passphrase:
 * const again = await openByPasskey(storage);
 * ```
 */

import { Vault, type VaultStorage } from "connector-vault";

/** A key slot that a passkey has to answer to. The hint is the passkey's id. */
interface Asked {
  readonly hint: Uint8Array<ArrayBuffer>;
  readonly prfInput: Uint8Array<ArrayBuffer>;
}

/** Makes a passkey, by which the grant that opened the vault opens from now on. */
export async function addPasskey(vault: Vault, name: string): Promise<void> {
  const made = await navigator.credentials.create({
    publicKey: {
      // Nobody verifies it: not a server but the key slot proves the passkey.
      challenge: random(32),
      rp: { name: "Connector vault" },
      user: { id: random(16), name, displayName: name },
      pubKeyCredParams: [
        { type: "public-key", alg: -7 },
        { type: "public-key", alg: -257 },
      ],
      authenticatorSelection: { residentKey: "preferred", userVerification: "required" },
      extensions: { prf: {} },
    },
  });
  if (!(made instanceof PublicKeyCredential) || made.getClientExtensionResults().prf?.enabled !== true) {
    throw new Error("this authenticator has no PRF extension");
  }
  const hint = new Uint8Array(made.rawId);
  const { prfInput, salt } = vault.newPasskey();
  const { key } = await answerTo([{ hint, prfInput }]);
  try {
    await vault.addKey({ key, hint, salt });
  } finally {
    key.fill(0);
  }
}

/** Opens a vault by one of its passkeys. */
export async function openByPasskey(storage: VaultStorage): Promise<Vault> {
  const asked: Asked[] = [];
  for (const { hint, prfInput, broken } of await Vault.keySlots(storage)) {
    if (hint !== null && prfInput !== null && broken === null) asked.push({ hint, prfInput });
  }
  if (asked.length === 0) throw new Error("no passkey opens this vault");
  const { key, hint } = await answerTo(asked);
  try {
    return await Vault.open(storage, { key, hint });
  } finally {
    key.fill(0);
  }
}

/** Asks the person for one of these passkeys. */
async function answerTo(asked: readonly Asked[]) {
  const inputs = asked.map(({ hint, prfInput }) => [idOf(hint), { first: prfInput }] as const);
  const given = await navigator.credentials.get({
    publicKey: {
      challenge: random(32),
      allowCredentials: asked.map(({ hint }) => ({ type: "public-key" as const, id: hint })),
      userVerification: "required",
      extensions: { prf: { evalByCredential: Object.fromEntries(inputs) } },
    },
  });
  if (!(given instanceof PublicKeyCredential)) throw new Error("no passkey was chosen");
  const output = given.getClientExtensionResults().prf?.results?.first;
  if (output === undefined) throw new Error("the passkey did not answer");
  const key = output instanceof ArrayBuffer ? new Uint8Array(output) : new Uint8Array(output.buffer);
  return { key, hint: new Uint8Array(given.rawId) };
}

/** The id of a passkey as WebAuthn names it: base64url. */
function idOf(bytes: Uint8Array): string {
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function random(length: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(length));
}
