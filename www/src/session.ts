/** An open vault, and where its bytes are kept. Knows no element. */

import type { Vault, VaultStorage } from "connector-vault";

/** Where a vault is kept, in words for people. */
export interface Place {
  readonly kind: "browser" | "file" | "url";
  /** The vault's name in this browser, the file's name, or the URL without user and password. */
  readonly label: string;
  readonly storage: VaultStorage;
  /**
   * Hands the bytes to the user, where the place cannot be written: an uploaded file. `isSaved` says whether
   * they have all of them.
   */
  readonly download?: { readonly isSaved: boolean; save(): void } | undefined;
}

/** An open vault. Ends with `lock`. */
export interface Session {
  readonly vault: Vault;
  readonly place: Place;
}
