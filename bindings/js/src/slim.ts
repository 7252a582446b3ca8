/**
 * connector-vault without the WebAssembly modules inside: serve `connector-vault/vault.wasm` and `connector-vault/changes.wasm`,
 * and say where. The second is fetched when something is first changed.
 *
 * @example
 * ```ts
 * import { ready, Vault } from "connector-vault/slim";
 * await ready({ wasm: "/vault.wasm", changes: "/changes.wasm" });
 * ```
 *
 * @packageDocumentation
 */

export * from "./exports.js";
export { IndexedDbStorage, type IndexedDbStorageOptions } from "./storage/indexeddb.js";
export { IndexedDbKnownHeads } from "./heads/indexeddb.js";
export { HttpStorage, type HttpStorageOptions } from "./storage/http.js";
