/**
 * The stores that are compared. All keep the same connectors in bytes, under keys that are at hand: what a
 * passphrase costs is measured apart.
 */

import { Identity, MemoryStorage, Vault, ready } from "connector-vault";
import * as kdbxweb from "kdbxweb";

import { base64 } from "../../../bindings/js/pkg/argon2id-inline.js";
import init, * as glue from "../../../bindings/js/pkg/vault.js";
import { SECRETS, documentOf } from "./dataset.mjs";

const { Consts, Credentials, Int64, Kdbx, ProtectedValue, VarDictionary } = kdbxweb.default ?? kdbxweb;
export const PASSPHRASE = "correct horse battery staple";
const PROPERTY = "APIKey";
const ALL = 0xffff_ffff;

/**
 * @typedef {object} Store
 * @property {string} name
 * @property {(connectors: object[]) => Promise<Uint8Array>} create  The bytes of a store with all of them.
 * @property {(bytes: Uint8Array) => Promise<Opened>} open
 *
 * @typedef {object} Opened  A store that can be read and updated.
 * @property {number} size
 * @property {() => unknown[]} [list]  What a page lists.
 * @property {() => unknown} [readAll]  Every value.
 * @property {(id: string, value: string) => unknown} update  Changes one property.
 * @property {(id: string) => string | undefined | Promise<string | undefined>} value
 * @property {() => Uint8Array} bytes  The store after the updates.
 * @property {() => void} close
 */

/** A vault of these connectors that opens by {@link PASSPHRASE} and by the identity. */
export async function createVault(connectors, identity) {
  const storage = new MemoryStorage();
  const vault = await Vault.create(storage, { identity, passphrase: PASSPHRASE });
  await vault.import({ connectors });
  vault.lock();
  return storage.bytes;
}

export async function newIdentity() {
  await ready();
  return Identity.generate().toText();
}

/** The module that ships, without the package around it. */
export async function shipped(host) {
  await init({ module_or_path: await host.bytes("connector-vault/dist/vault.wasm") });
  return glue;
}

/** Argon2id's module as the package uses it, in an instance of its own. */
export async function argon2id() {
  const deflated = Uint8Array.from(atob(base64), (digit) => digit.charCodeAt(0));
  const inflated = new Blob([deflated]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const { instance } = await WebAssembly.instantiate(await new Response(inflated).arrayBuffer());
  const { memory, buffer, argon2id } = instance.exports;
  const at = buffer();
  return (passphrase, salt, ...cost) => {
    new Uint8Array(memory.buffer, at).set(salt);
    new Uint8Array(memory.buffer, at + 48).set(passphrase);
    argon2id(passphrase.length, ...cost);
    return new Uint8Array(memory.buffer).slice(at + 16, at + 48);
  };
}

/** A build of the module, in this thread. */
export function ofModule(glue, identity, name = "connector-vault, the module") {
  const now = () => new Date().toISOString();
  return {
    name,
    create: (connectors) => createVault(connectors, identity),
    async open(bytes) {
      const vaultId = glue.identify(bytes);
      const vault = glue.open(bytes, utf8(identity), JSON.stringify({ by: "identity", vaultId }));
      return {
        size: vault.len(),
        list: () => JSON.parse(vault.list(undefined, ALL)).connectors,
        readAll: () => JSON.parse(vault.exportConnectors()),
        update(id, value) {
          const run = glue.Action.parse(utf8(JSON.stringify(updateOf(id, value)))).run("{}", []);
          if (run.step(vault, now()) !== undefined) throw new Error("there are no tokens in it");
          const plan = run.takePlan();
          const prepared = vault.prepare(plan, now());
          prepared.toAppend();
          vault.apply(prepared);
          for (const done of [run, plan]) done.free();
        },
        close: () => vault.free(),
      };
    },
  };
}

export const inMemory = async (bytes) => new MemoryStorage(bytes);

/** The package, on a new storage of the given bytes. */
export function ofPackage(identity, store = inMemory) {
  return {
    name: "connector-vault",
    create: (connectors) => createVault(connectors, identity),
    async open(bytes) {
      const storage = await store(bytes);
      const vault = await Vault.open(storage, { identity, vaultId: Vault.identify(bytes) });
      return {
        size: vault.size,
        list: (from, count) => vault.list({ from, count }),
        update: (id, value) => vault.run(updateOf(id, value)),
        value: async (id) => (await vault.read(id)).properties[PROPERTY],
        bytes: () => storage.bytes,
        close: () => vault.lock(),
      };
    },
  };
}

/** A storage that drops what it is given: what remains is the vault's own work. */
export const inSink = async (bytes) => ({
  places: ["sink"],
  read: async () => bytes.slice(),
  compare: async () => ({ state: "same" }),
  append: async () => undefined,
  replace: async () => undefined,
});

function utf8(text) {
  return new TextEncoder().encode(text);
}

export function updateOf(EntryId, PropertyValue) {
  return {
    ActionType: "Connectors.Update",
    Parameters: { EntryId, Properties: [{ PropertyName: PROPERTY, PropertyValue }] },
  };
}

/** KDBX 4 by kdbxweb: one entry a connector, credentials protected, and AES-KDF with a single round. */
export const keepass = {
  name: "KeePass (kdbxweb 2.1)",
  async create(connectors) {
    const database = Kdbx.create(new Credentials(ProtectedValue.fromString(PASSPHRASE)), "connectors");
    database.setKdf(Consts.KdfId.Aes);
    database.header.kdfParameters.set("R", VarDictionary.ValueType.UInt64, new Int64(1));
    for (const { id, name, type, properties } of connectors) {
      const { fields } = database.createEntry(database.getDefaultGroup());
      const entry = { Title: name, Id: id, Type: type, ...properties };
      for (const [name, value] of Object.entries(entry)) {
        fields.set(name, SECRETS.includes(name) ? ProtectedValue.fromString(value) : value);
      }
    }
    return new Uint8Array(await database.save());
  },
  async open(bytes) {
    const credentials = new Credentials(ProtectedValue.fromString(PASSPHRASE));
    const database = await Kdbx.load(bytes.slice().buffer, credentials);
    const { entries } = database.getDefaultGroup();
    const entry = (id) => entries.find(({ fields }) => fields.get("Id") === id);
    let saved = bytes;
    return {
      size: entries.length,
      async update(id, value) {
        const { fields, times } = entry(id);
        fields.set(PROPERTY, ProtectedValue.fromString(value));
        times.update();
        saved = new Uint8Array(await database.save());
      },
      value: (id) => entry(id)?.fields.get(PROPERTY).getText(),
      bytes: () => saved,
      close() {},
    };
  },
};

/** One JSON document under AES-256-GCM by WebCrypto: as fast as a whole file can be. */
export const json = {
  name: "whole-file AES-GCM JSON (WebCrypto)",
  async create(connectors) {
    return await seal(documentOf(connectors));
  },
  async open(bytes) {
    const plain = await crypto.subtle.decrypt(
      { name: "AES-GCM", iv: bytes.subarray(0, NONCE_LEN) },
      await key(),
      bytes.subarray(NONCE_LEN),
    );
    const document = JSON.parse(new TextDecoder().decode(plain));
    const entry = (id) => document.find((connector) => connector.id === id);
    const property = (id) => entry(id)?.properties.find(({ name }) => name === PROPERTY);
    let saved = bytes;
    return {
      size: document.length,
      async update(id, value) {
        property(id).value = value;
        entry(id).version += 1;
        saved = await seal(document);
      },
      value: (id) => property(id)?.value,
      bytes: () => saved,
      close() {},
    };
  },
};

const NONCE_LEN = 12;
let imported;

/** Time does not depend on the key. */
function key() {
  imported ??= crypto.subtle.importKey("raw", new Uint8Array(32).fill(7), "AES-GCM", false, [
    "encrypt",
    "decrypt",
  ]);
  return imported;
}

async function seal(document) {
  const iv = crypto.getRandomValues(new Uint8Array(NONCE_LEN));
  const plain = utf8(JSON.stringify(document));
  const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await key(), plain));
  const bytes = new Uint8Array(NONCE_LEN + sealed.length);
  bytes.set(iv);
  bytes.set(sealed, NONCE_LEN);
  return bytes;
}
