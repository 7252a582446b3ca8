/** Where a vault's bytes are kept: the interface between the vault and a host's storage. */

import type { KnownHeads } from "./heads.js";

/** Where a log ends, and how to recognize that it still does. */
export interface LogEnd {
  /** The file's bytes before the log, that is its magic and key slots. */
  readonly start: Uint8Array;
  /** Bytes that identify the newest commit, with their offsets from the start of the log. */
  readonly marks: readonly { readonly offset: number; readonly bytes: Uint8Array }[];
  /** The length of the log in bytes, without a torn tail. */
  readonly end: number;
  /** Bytes of a torn tail that stood behind the log when it was last read; 0 if there was none. */
  readonly torn: number;
}

/** Something that the user should know although a change is stored. */
export interface StorageWarning {
  /** Stable, like the code of an error: `not_durable`, `other_names`. */
  readonly code: string;
  /** What went wrong and where: lower case, no full stop. */
  readonly message: string;
}

/** How the stored bytes compare with the log that the caller knows. */
export type Compared =
  /** They end where the known log ends. */
  | { readonly state: "same" }
  /** They hold the known log and more: commits, and perhaps a torn tail. */
  | { readonly state: "grown"; readonly tail: Uint8Array }
  /** They hold another log: read all of it. */
  | { readonly state: "replaced" };

/**
 * Keeps the bytes of one vault: compare-and-append. Implement it to keep vaults where your platform
 * keeps its data.
 *
 * What makes it safe is one promise: {@link append} and {@link replace} change the bytes only if they
 * still are what `known` says, as one step that nobody can come between, and else fail with a
 * `VaultError` of the code `conflict`. The vault then reads what is new, plans again and repeats.
 * When they resolve, the bytes are kept. Byte arrays handed over belong to the receiver.
 *
 * A method that gets a `signal` may end with its reason when it aborts. {@link create}, {@link append} and
 * {@link replace} do so only while nothing has been written for certain; the vault waits for them to the end.
 * It does not wait for the other methods once the signal has aborted, and drops their answers.
 *
 * Further codes: `file_exists`, `file_not_found`, `io`, `lock_timeout`, `lock_lost`; `outcome_unknown` if the answer
 * got lost, so that it may have been stored or not (the vault looks, and stores it again if it is not there);
 * `not_durable` if it is stored and a power failure may undo it; a code of your own for what is only yours.
 *
 * `compare`, `isUnchanged` and `inMemory` of this package compare bytes with `known` for you.
 *
 * `examples/sql-storage.ts` is a complete one, over rows of a SQL database.
 */
export interface VaultStorage {
  /**
   * The names under which known heads are kept: a real path, a URL. A storage that can be reached
   * under several names lists all of them.
   */
  readonly places: readonly string[];
  /** Where known heads of vaults in such storage are kept, unless the caller says otherwise. */
  readonly heads?: KnownHeads | undefined;

  /** Stores a new vault. Fails with `file_exists` if there is one already. */
  create(file: Uint8Array, signal?: AbortSignal): Promise<void>;
  /** All bytes, as one version of them. Fails with `file_not_found`. */
  read(signal?: AbortSignal): Promise<Uint8Array>;
  /** Compares the stored bytes with a known log, and reads only what is new. */
  compare(known: LogEnd, signal?: AbortSignal): Promise<Compared>;
  /**
   * Adds a commit behind the known log. A torn tail of `known.torn` bytes makes room; where there are
   * files, its bytes are kept beside the vault.
   */
  append(commit: Uint8Array, known: LogEnd, signal?: AbortSignal): Promise<void>;
  /** Puts another file in the place of the one that ends with the known log. */
  replace(file: Uint8Array, known: LogEnd, signal?: AbortSignal): Promise<void>;
  /**
   * Makes durable what is stored, before an answer relies on it that writes nothing: perhaps a program has written it
   * and ended before it was durable. Absent: what this storage shows is durable.
   */
  sync?(known: LogEnd, signal?: AbortSignal): Promise<void>;
  /**
   * Whether the log that ends so stays: false while a writer is at work that may still withdraw its newest commit.
   * Absent: what this storage shows stays.
   */
  stays?(known: LogEnd, signal?: AbortSignal): Promise<boolean>;

  /**
   * Runs `work` on a storage of the same vault while no other writer gets in between, where there is a way
   * to do so. It saves repetitions; safety does not rest on it. `work` uses the storage that it is given:
   * this one may wait for itself.
   */
  exclusive?<T>(work: (storage: VaultStorage) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** Calls `changed` when somebody else may have changed the vault. Returns how to stop that. */
  subscribe?(changed: () => void): () => void;
  /**
   * Whether the whole may be replaced when nobody asked for it, as a compaction does that happens by itself.
   * Absent: yes.
   */
  mayReplace?(): boolean;
  /** Tells the host what went wrong beside a change that is stored. */
  warn?(warning: StorageWarning): void;
  /** Deletes the bytes of torn tails that were kept beside the vault; returns how many there were. */
  removeTornTails?(): Promise<number>;
}
