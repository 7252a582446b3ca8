/**
 * connector-vault: an encrypted vault for workflow connectors, and the action `Connectors.Update` over it.
 *
 * This entry point works in browsers, their workers, and Node; `connector-vault/node` adds vaults in files.
 *
 * @packageDocumentation
 */

import { base64 as changes } from "../pkg/changes-inline.js";
import { base64 as wasm } from "../pkg/inline.js";
import { inflate } from "#inflate";
import { bring } from "./wasm.js";

bring({ wasm: () => inflate(wasm), changes: () => inflate(changes) });

export * from "./exports.js";
export { IndexedDbStorage, type IndexedDbStorageOptions } from "./storage/indexeddb.js";
export { IndexedDbKnownHeads } from "./heads/indexeddb.js";
export { HttpStorage, type HttpStorageOptions } from "./storage/http.js";
