/** Heads of vaults in files. */

import { IndexedDbKnownHeads } from "connector-vault";

/**
 * A page learns the name of a file, and not in which folder it is. So another vault in a file of a known name is no
 * sign that somebody has replaced one: each vault keeps its own head.
 */
export class FileHeads extends IndexedDbKnownHeads {
  override vaultsAt(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }
}
