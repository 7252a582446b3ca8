/** What a page does with passkeys and other external keys; `globalThis.passkeyPage` is how the test calls it. */

import { MemoryStorage, Vault, VaultError } from "connector-vault";

import { addPasskey, openByPasskey } from "../../examples/passkey.js";

const CHEAP = { memoryKib: 19_456, passes: 1, lanes: 1 };
const storage = new MemoryStorage();

const passkeyPage = {
  /** A vault by a passphrase; returns its label once a passkey has opened it too. */
  async passkey(): Promise<string> {
    const vault = await Vault.create(storage, { label: "ops", passphrase: "correct horse", cost: CHEAP });
    await addPasskey(vault, "Ann");
    vault.lock();
    const opened = await openByPasskey(storage);
    const { label } = opened;
    opened.lock();
    return label;
  },

  /** The same by a key of WebCrypto, which answers to the PRF input as a passkey would. */
  async webCrypto(): Promise<string[]> {
    const storage = new MemoryStorage();
    const vault = await Vault.create(storage, { label: "ops", passphrase: "correct horse", cost: CHEAP });
    const hmac = await crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    const answer = async (input: Uint8Array<ArrayBuffer>) =>
      new Uint8Array(await crypto.subtle.sign("HMAC", hmac, input));
    const hint = crypto.getRandomValues(new Uint8Array(64));
    const { prfInput, salt } = vault.newPasskey();
    await vault.addKey({ key: await answer(prfInput), hint, salt });
    vault.lock();
    const slots = await Vault.keySlots(storage);
    const asked = slots.find(({ kind }) => kind === "key");
    if (!asked?.prfInput || !asked.hint) throw new Error("no key slot of an external key is listed");
    const opened = await Vault.open(storage, { key: await answer(asked.prfInput), hint: asked.hint });
    const { label } = opened;
    opened.lock();
    const wrong = new Uint8Array(32);
    const refused: unknown = await Vault.open(storage, { key: wrong }).catch((error: unknown) => error);
    return [label, refused instanceof VaultError ? refused.code : String(refused)];
  },
};

export type PasskeyPage = typeof passkeyPage;

declare global {
  var passkeyPage: PasskeyPage;
}

globalThis.passkeyPage = passkeyPage;
