/**
 * connector-vault for Node: all of `connector-vault`, and vaults in files.
 *
 * @packageDocumentation
 */

export * from "./index.js";
export { FileStorage, type FileStorageOptions } from "./node/file-storage.js";
export { FileKnownHeads } from "./node/known-heads.js";
