/**
 * connector-vault without the WebAssembly module inside: serve `connector-vault/vault.wasm` and say where.
 *
 * @example
 * ```ts
 * import { ready, Vault } from "connector-vault/slim";
 * await ready({ wasm: "/vault.wasm" });
 * ```
 *
 * @packageDocumentation
 */

export * from "./exports.js";
export { IndexedDbStorage, type IndexedDbStorageOptions } from "./storage/indexeddb.js";
export { IndexedDbKnownHeads } from "./heads/indexeddb.js";
export { HttpStorage, type HttpStorageOptions } from "./storage/http.js";
