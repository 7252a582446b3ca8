/** An open vault, and where its bytes are kept. Knows no element. */

import type { Vault, VaultStorage } from "connector-vault";

/** Where a vault is kept, in words for people. Holds no secret but what a storage needs while it is used. */
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
  /** The same place without what is secret about it, for after the session; it stays as it is if there is nothing. */
  readonly afterwards?: (() => Place) | undefined;
}

/** An open vault. Ends with `lock`. */
export interface Session {
  readonly vault: Vault;
  readonly place: Place;
}

/** Tells the page that a vault is open. Bubbles out of the opening view. */
export class SessionEvent extends Event {
  readonly session: Session;
  /** The passphrase that the page chose for a sample, to be shown once. */
  readonly samplePassphrase: string | undefined;

  constructor(session: Session, samplePassphrase?: string) {
    super("session", { bubbles: true, composed: true });
    this.session = session;
    this.samplePassphrase = samplePassphrase;
  }
}
