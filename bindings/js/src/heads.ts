/** Known heads: the newest head that a client has seen of each vault, the witness against rollback. */

/** The newest commit of a vault. */
export interface Head {
  /** Which vault: 64 base16 digits. */
  readonly vaultId: string;
  /** How often its sealing keys have changed, from 1. */
  readonly epoch: number;
  /** The commit's number, from 0; never goes back. */
  readonly seq: number;
  /** The commit's hash: 64 base16 digits. */
  readonly hash: string;
}

/**
 * What a client keeps of the newest head it has seen, with the vault key and the commitment to the index key there: keep
 * it as it is. The package's own stores keep it as the document of docs/format.md section 9, which other programs read too.
 */
export interface KnownHead {
  readonly head: Head;
  readonly vaultKey: string;
  readonly indexCommitment: string;
}

/**
 * Where a client keeps the heads that it has seen, by vault and place. Keep it with the client, not
 * beside the vault: whoever can roll back the vault must not roll back this.
 */
export interface KnownHeads {
  /** The head remembered of a vault at a place. Fails rather than forgets: with `state_unreadable`. */
  get(vaultId: string, place: string): Promise<KnownHead | undefined>;
  /** Remembers a head, unless one of the same or a later `seq` is remembered already. */
  remember(vaultId: string, place: string, known: KnownHead): Promise<void>;
  /** Forgets the head of a vault at a place: it is trusted there as it is found next. */
  forget(vaultId: string, place: string): Promise<void>;
  /** Ids of the vaults of which a head is remembered at a place: another one in their place is noticed. */
  vaultsAt(place: string): Promise<readonly string[]>;
  /** The heads remembered of a vault, with their places: an older copy elsewhere is noticed. */
  placesOf(vaultId: string): Promise<readonly SeenHead[]>;
}

/** A head that was seen, and where. */
export interface SeenHead {
  readonly place: string;
  readonly known: KnownHead;
}
