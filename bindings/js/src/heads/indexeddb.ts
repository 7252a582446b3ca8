/** Known heads in IndexedDB: the newest head that this site has seen of each vault (docs/format.md section 9). */

import { HEADS_METHODS_LATER, NEW } from "../arguments.js";
import { guard, take } from "../check.js";
import { VaultError } from "../error.js";
import type { KnownHead, KnownHeads, SeenHead } from "../heads.js";
import { Database, type EntryStore } from "../storage/database.js";
import { entryOf, isHeadEntry, knownOf, type HeadEntry } from "./entry.js";

/**
 * The heads that this site has seen, in a database of their own: to restore an older one of vaults does
 * not take the witness along.
 */
export class IndexedDbKnownHeads implements KnownHeads {
  readonly #database: Database<HeadEntry>;

  constructor(database?: string) {
    [database = "connector-vault-heads"] = take(NEW.IndexedDbKnownHeads, [database]);
    this.#database = new Database(database, "heads", ["vault_id", "place"]);
  }

  get(vaultId: string, place: string): Promise<KnownHead | undefined> {
    return this.#database.read(async (heads) => {
      const entry = await this.#find(heads, vaultId, place);
      return entry && knownOf(entry.head);
    });
  }

  remember(vaultId: string, place: string, known: KnownHead): Promise<void> {
    // Relaxed: to lose the newest head in a power failure weakens the witness by that one head, and
    // every update would pay for it.
    return this.#database.write("relaxed", async (heads) => {
      const before = await this.#find(heads, vaultId, place);
      if (before !== undefined && before.seq >= known.head.seq) return;
      heads.put(entryOf(vaultId, place, known));
    });
  }

  forget(vaultId: string, place: string): Promise<void> {
    return this.#database.write("relaxed", async (heads) => heads.delete([vaultId, place]));
  }

  async vaultsAt(place: string): Promise<readonly string[]> {
    const entries = await this.#database.read((heads) => heads.getAll());
    return entries
      .filter((entry) => isHeadEntry(entry) && entry.place === place)
      .map((entry) => entry.vault_id);
  }

  async placesOf(vaultId: string): Promise<readonly SeenHead[]> {
    const entries = await this.#database.read((heads) => heads.getAll());
    return entries
      .filter((entry) => isHeadEntry(entry) && entry.vault_id === vaultId)
      .map(({ place, head }) => ({ place, known: knownOf(head) }));
  }

  async #find(heads: EntryStore<HeadEntry>, vaultId: string, place: string): Promise<HeadEntry | undefined> {
    const entry = await heads.get([vaultId, place]);
    if (entry === undefined || isHeadEntry(entry)) return entry;
    const hint = "verify the vault, then forget its known head to trust it as it is now";
    const message = `the head known of ${place} in the IndexedDB database ${this.#database.name} is damaged`;
    throw new VaultError("state_unreadable", message, hint);
  }
}

guard(IndexedDbKnownHeads.prototype, {}, HEADS_METHODS_LATER);
