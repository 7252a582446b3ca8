/** Vaults in this browser: in the site's IndexedDB. */

import { IndexedDbStorage } from "connector-vault";

import type { Place } from "../session.js";

/** The vault of this name, which need not exist yet. */
export function browserPlace(name: string): Place {
  return { kind: "browser", label: name, storage: new IndexedDbStorage(name) };
}

/** The names of the vaults in this browser. */
export function browserVaults(): Promise<string[]> {
  return IndexedDbStorage.list();
}

/**
 * Asks the browser to keep what the site stores also when space gets tight. It may ask the user, or say no by itself:
 * hence only once there is something to keep.
 */
export async function askToPersist(): Promise<void> {
  // Not there in pages that were not served securely, whatever the types say.
  const storage = navigator.storage as StorageManager | undefined;
  await storage?.persist().catch(() => false);
}
