// The shapes that cross as JSON. `tests/conformance/api.test.ts` compares them with what calls return.

/** How a version of a connector came to be. */
export type Op = "create" | "update" | "patch" | "delete" | "restore" | "describe" | "move" | "undelete";
/** What a request did, or, `planned`, would do. */
export type Status = "updated" | "unchanged" | "planned" | "created" | "deleted" | "restored" | "described" | "moved" | "tested" | "skipped";
/** What happened to a property. `written`: by a grant that cannot read it, so nobody knows whether it had another value. */
export type ChangeKind = "added" | "changed" | "removed" | "written" | "unchanged";
/** Where a property's value comes from: `Properties` or `PropertiesJson`. */
export type Source = "grid" | "json";
/** What an outcome warns of: docs/action.md section 9. */
export type WarningCode = "byte_order_mark" | "repeated_name" | "token_default_used" | "token_unused" | "value_emptied" | "surrounding_space" | "nested_names_dropped" | "similar_name" | "token_name_in_brackets" | "name_kept";
/** What became of an action that is marked as deleted in its batch. */
export interface SkippedOutcome { readonly status: "skipped" }
/** What became of one action of a batch, or would. */
export type ActionOutcome = Outcome | TestOutcome | SkippedOutcome;
/** What became of a batch, or would: one outcome for each action, and all tokens that they set. */
export interface BatchOutcome { readonly outcomes: readonly ActionOutcome[]; readonly outputs: Readonly<Record<string, string>> }
/** What became of an action's document, or would. */
export type Ran = Outcome | TestOutcome | BatchOutcome;
/**
 * What a grant permits. Each role may do what those before it may: list, write without reading, read values, update, create and
 * delete, everything; but a reader does not write.
 */
export type Role = "viewer" | "rotator" | "reader" | "updater" | "editor" | "owner";
/** How a vault relates to the newest head that this client had seen. */
export type Continuity = "first_seen" | "continues" | "unverifiable";
/** Whether a commit's signature verifies, and its author's role permits it. */
export type SignatureState = "valid" | "invalid";

/** What a request did, or would do. Never a value. */
export interface Outcome {
  status: Status;
  /** The connector's id. */
  id: string;
  /** The version before; `null` if the connector was created or undeleted. */
  versionBefore: number | null;
  /** The version after; that of the tombstone if the connector was deleted. */
  versionAfter: number;
  /** The properties that the request names, in its order; after a restore those that differ. */
  changes: Change[];
  /** What somebody should look at. */
  warnings: Warning[];
  /** The names of the tokens that were resolved, each once. */
  tokens: string[];
  /** The tokens that the action sets, with their values: the new connector's id. */
  outputs: Record<string, string>;
  /** Whether the request had been carried out before: this is what it did then. */
  replayed: boolean;
}

/** What a test of a connector found. */
export interface TestOutcome {
  status: "tested";
  /** The connector's id. */
  id: string;
  /** The version that was tested; of a batch perhaps one that it writes itself. */
  version: number;
  /** Whether the connector works. */
  success: boolean;
  /** Why it does not work; empty if it works. */
  message: string;
  /** What somebody should look at. */
  warnings: Warning[];
  /** The names of the tokens that were resolved, each once. */
  tokens: string[];
  /** The tokens that the action sets, with their values. */
  outputs: Record<string, string>;
}

/** What happened to one property. */
export interface Change {
  name: string;
  change: ChangeKind;
  /** Where its value comes from; `null` for a restore. */
  source: Source | null;
  /** Whether the JSON overrode the grid. */
  overridden: boolean;
}

/** A warning: a stable code, and a message that holds no value. */
export interface Warning {
  code: WarningCode;
  message: string;
}

/** A version of a connector, without its values: what every role may see. */
export interface Overview {
  id: string;
  /** The name of its group; `null` if that is damaged, or there is no such group any more. */
  group: string | null;
  name: string;
  type: string;
  version: number;
  op: Op;
  /** When this version was made, by its author's clock: RFC 3339. */
  at: string;
  /** The label of the grant that made it, or its id if the label is not known. */
  author: string;
  /** When the connector was created, by the clock of the author who did: RFC 3339. */
  createdAt: string;
  /** When its values were last written: RFC 3339. A restore or an undelete has the time of the values that it took. */
  rotatedAt: string;
  /** What every member who lists it may read, such as `expires`, `description` and `tags`. */
  meta: Record<string, string>;
  /** The names of its properties, in order. */
  properties: string[];
  /** The names that this version added, changed or removed. */
  changed: string[];
  /** The version whose values a restore or an undelete took. */
  source?: number;
  note?: string;
  /** The idempotency key of the request that made it. */
  requestId?: string;
}

/** A kept version of a connector, and who signed it. */
export interface SignedOverview extends Overview {
  /**
   * The label of the grant whose signature the version has, or its id if the label is not known; `null` if the
   * signature is not that of its author. It stays through compaction, merging and new keys.
   */
  signedBy: string | null;
}

/** A connector with its values. */
export interface Connector {
  id: string;
  name: string;
  type: string;
  version: number;
  /** When this version was made: RFC 3339. */
  updatedAt: string;
  /** When it was created: RFC 3339. */
  createdAt: string;
  /** When its values were last written: RFC 3339. */
  rotatedAt: string;
  /** What every member who lists it may read. */
  meta: Record<string, string>;
  properties: Record<string, string>;
}

/** A connector as it stands in the document that `cvault export` writes and `cvault import` reads. */
export interface ExportedConnector {
  id: string;
  name: string;
  type: string;
  version: number;
  updated_at: string;
  created_at: string;
  rotated_at: string;
  meta: Record<string, string>;
  properties: Record<string, string>;
}

/** What was noticed when the vault was opened. */
export interface Report {
  continuity: Continuity;
  /**
   * Whether owners have replaced the vault key since the client looked. If nobody told you of that, compare the vault
   * reference with an owner.
   */
  handover: boolean;
  /** A commit whose writer died: dropped, it never was acknowledged. */
  torn: TornTail | null;
  /** Key slots that nobody can use. Only those that were looked at on the way to one that opens. */
  brokenKeySlots: BrokenKeySlot[];
  /** Whether a compaction is due that this grant cannot make: an owner's next change makes it. */
  compactionDue: boolean;
}

/** A part of the list of connectors. */
export interface ConnectorPart {
  /** In an order that tells nothing. */
  connectors: Overview[];
  /** Those of this part that do not open. */
  damaged: DamagedConnector[];
  /** Where the list goes on; absent at its end. */
  next?: string;
}

/** A connector whose present version does not open, or a page of the index that does not. */
export interface DamagedConnector {
  /** The connector's id; `null` where no version of it opens, and for a page. */
  connector: string | null;
  code: "damaged" | "false_record";
  /** What is wrong, in words. */
  message: string;
}

/** The end of a log that was being written when its writer died. */
export interface TornTail {
  /** Where it begins in the bytes that were read. */
  offset: number;
  /** Its length in bytes. */
  len: number;
}

/** A key slot that nobody can use, and why. */
export interface BrokenKeySlot {
  /** The label of the grant whose key slot it is, if that much is known. */
  label: string | null;
  reason: string;
}

/** A record that is not what its author signed. */
export interface Damaged {
  /** The commit that carries it. */
  seq: number;
  /** Where it begins in the file. */
  offset: number;
  /** Its connector's id, if its overview still opens. */
  connector: string | null;
}

/** Where a log ends, and how to recognize that it still does. */
export interface LogEnd {
  start: Uint8Array;
  marks: { offset: number; bytes: Uint8Array }[];
  end: number;
  torn: number;
}

/** What a session wants of its driver: the documentation of the core's `Ask`. */
export type Ask = (
  | { readonly wanted: "catchUp" | "settle" | "sync"; readonly end: LogEnd }
  | { readonly wanted: "append" | "replace" | "compact"; readonly bytes: Uint8Array; readonly end: LogEnd }
  | { readonly wanted: "wait"; readonly most: number }
  | { readonly wanted: "remember"; readonly known: string; readonly over: boolean }
  | { readonly wanted: "prepare" | "mayCompact" | "prepareCompaction" | "done" | "fail" }
) & {
  /** What others have stored: the connectors of which there are new versions, or another file. */
  readonly brought?: readonly string[] | "anything";
};
/** What became of what a session has asked for, where a word says it. */
export type Answer = "same" | "stays" | "mayBeWithdrawn" | "stored" | "conflict" | "unsure" | "waited" | "mayCompact" | "mayNotCompact" | "remembered" | "failed";

/** A role in one group or in all. */
export interface RightInfo {
  /** The name of the group, `*` for all groups; `null` for a group that the own grant does not list. */
  group: string | null;
  role: Role;
}

/** A grant: what its holder may do. */
export interface GrantInfo {
  id: string;
  /** What it is called. */
  label: string;
  /** What it permits: rights that cover a group add up. */
  rights: RightInfo[];
  /** Since when: RFC 3339. */
  since: string;
  /** A date to be reminded of: RFC 3339; `null` without one. Nothing happens then by itself. */
  until: string | null;
  /** Its public keys, `cvault-grant-1...`. */
  key: string;
  /** The short form of its public keys, which people compare: six groups of four characters. */
  fingerprint: string;
  /** Whether a passphrase unlocks it. */
  hasPassphrase: boolean;
  /** Whether an external key unlocks it. Where neither does, only its identity does. */
  hasKey: boolean;
  /** Whether the vault was opened by it. */
  isOwn: boolean;
}

/** A key slot as it stands in the file. */
export interface KeySlotShape {
  grant: string | null;
  label: string | null;
  kind: "passphrase" | "key" | null;
  cost: KdfCost | null;
  /** In base64url. */
  hint: string | null;
  salt: string | null;
  /** In base16. */
  prfInput: string | null;
  broken: string | null;
}

/** The place of a key slot for a passkey. */
export interface PasskeyShape {
  salt: string;
  /** In base16. */
  prfInput: string;
}

/** What a grant's former holder knows, and what was left out. */
export interface RevocationReport {
  /** Ids of the connectors that the former holder could read, or whose values it wrote: they should be rotated. */
  exposed: string[];
  /** Versions that were left out, since they are false. */
  falseVersions: FalseVersion[];
  /** Why other versions were left out: they are damaged, and none of them is needed. */
  damaged: Problem[];
  /**
   * Labels of former grants whose versions the owner has replaced, with the same values: a vault names at most 512
   * former grants.
   */
  forgotten: string[];
}

/** A group of connectors. */
export interface GroupInfo {
  /** `null` for a group that the own grant does not list. */
  name: string | null;
  /** How many connectors are in it. */
  connectors: number;
  /** The labels of the grants that have a right in it. */
  grants: string[];
}

/** What went with a group. */
export interface GroupRemovalReport {
  /** Ids of the connectors that had versions in the group: these versions went. */
  connectors: string[];
  /** Labels of the grants that had no right elsewhere: they are revoked. */
  revoked: string[];
  /** As in {@link RevocationReport}. */
  falseVersions: FalseVersion[];
  damaged: Problem[];
  forgotten: string[];
}

/** A version that breaks the rules of the format, or that its author did not sign. */
export interface FalseVersion {
  /** The connector's id; `null` where the version does not tell it. */
  id: string | null;
  version: number;
  /** The label of the member who wrote it, as far as a signature proves it. */
  by: string | null;
  /** What is wrong with it. */
  message: string;
}

/** A commit of the log, as an auditor sees it. */
export interface Commit {
  seq: number;
  /** Whether it is a snapshot, which replaces everything before it. */
  snapshot: boolean;
  /** The label of the grant that signed it, or its id. */
  author: string;
  signature: SignatureState;
  /** What it changed; for a snapshot, the versions it kept. */
  records: SignedOverview[];
}

/** The verdict on one commit. */
export interface Verdict {
  seq: number;
  /** How many records it carries. */
  records: number;
  /** What is wrong with it; empty if nothing is. */
  problems: Problem[];
  /** How many more problems it has: of all commits together 1,000 are told. */
  untold: number;
}

/** Something that is wrong with a commit. */
export interface Problem {
  code: string;
  message: string;
  hint: string | null;
}

/** What a merge met, resolved or not, and what it would change. */
export interface MergeReport {
  /** Whether this copy has all commits of the other one already. */
  unchanged: boolean;
  /** What both copies changed. */
  conflicts: Conflict[];
  /** The grants that wrote to the other copy and may not do that here. */
  strangers: Stranger[];
  /** Versions of the other copy that break a rule there, or that this grant does not read. */
  notTaken: NotTaken[];
  outcomes: Outcome[];
  /** Ids of the connectors among them that it would delete. */
  deleted: string[];
}

/** A grant that wrote to another copy. The label that it has there is not told: it chose that itself. */
export interface Stranger {
  id: string;
  /** The short form of the public keys that it has in the other copy; `null` if that does not list it either. */
  fingerprint: string | null;
}

/** Something that both copies changed, each in its way. */
export interface Conflict {
  /** The connector's id. */
  id: string;
  kind: "property" | "identity" | "meta" | "group" | "deleted_in_ours" | "deleted_in_theirs" | "other";
  /** The name, if it is about a property. */
  property?: string;
  /** When it was last changed in this copy, by its author's clock: RFC 3339. */
  oursAt: string;
  /** Who changed it last in this copy. */
  oursBy: string;
  theirsAt: string;
  /** Who changed it last in the other copy: the label in this one, or the grant's id if this one does not list it. */
  theirsBy: string;
  /** Whose change stays; `null`: nobody has decided. */
  winner: "ours" | "theirs" | null;
}

/** A version of another copy that is not taken. */
export interface NotTaken {
  /** The connector's id; `null` if the version does not say. */
  id: string | null;
  version: number;
  code: string;
  message: string;
}

/** What a repair saved, and what not. */
export interface RepairReport {
  /** How many versions were kept. */
  recovered: number;
  /** Versions that the owner added: the connector had a newer one, which is lost. */
  restored: { id: string; version: number }[];
  /** Versions that open and are signed, but not in their place: they may have been discarded. */
  elsewhere: { version: Overview; reason: "not_in_place" | "no_page" | "face" }[];
  /** Records that are lost. */
  lost: LostRecord[];
  /** Stretches of the file that hold no readable commit. */
  gaps: Gap[];
  /** Whether the signature of the snapshot holds. If not, its pages were taken because members alone can make such. */
  isSnapshotSigned: boolean;
}

/** A record that is lost. */
export interface LostRecord {
  /** The commit that carries it. */
  seq: number;
  /** Where it begins in the file. */
  offset: number;
  /** Its connector; `null` if its overview does not open. */
  connector: string | null;
  code: "damaged" | "false_record" | "unauthorized_commit";
}

/** A stretch of the file, in bytes. */
export interface Gap {
  offset: number;
  len: number;
}

/** A token that an action needs. */
export interface TokenInfo {
  /** `Namespace:Name` or `Name`. */
  name: string;
  /** The key that a map answers under: with the parameters, unless these hold tokens themselves. */
  key: string;
  /** Whether the action fails without a value. */
  required: boolean;
}

/** Where a text holds a token. */
export interface TokenSpan {
  /** Where its opening bracket is, in UTF-16 units. */
  from: number;
  /** Where it ends, behind its closing bracket. */
  to: number;
  /** `Namespace:Name` or `Name`. */
  name: string;
}

/** A token whose value is wanted, its parameters expanded. */
export interface TokenWanted {
  /** What stands before the colon. */
  namespace?: string;
  name: string;
  /** Keys and values of the parameters, in the order in which they are written. */
  params: [string, string][];
  /** The keys under which a map holds the token, the one with parameters first. */
  keys: string[];
}

/** What an action asks for next. */
export type Wanted = { token: TokenWanted } | { test: Connector };

/** What trying a passphrase costs: Argon2id version 1.3 (RFC 9106 section 3.1). */
export interface KdfCost {
  /** Memory in KiB: 19,456 to 262,144. Default 65,536. */
  memoryKib: number;
  /** Passes over the memory: 1 to 16. Default 3. */
  passes: number;
  /** Lanes: 1 to 4. Default 1. */
  lanes: number;
}

/** What is thrown, as JSON text. */
export interface Thrown {
  code: string;
  message: string;
  hint: string | undefined;
  place?: ErrorPlace;
  /** The id that no connector has. */
  connector?: string;
}

/** Where in an action's document something is wrong, for editors that mark it. */
export interface ErrorPlace {
  /** The action of a batch, from 1. */
  action?: number;
  /** The parameter. Absent: the error is about the document itself. */
  parameter?: string;
  /** The row of `Properties`, from 1. */
  row?: number;
  /** The line in the parameter's text, or in that of the document, from 1. */
  line?: number;
  /** The column, from 1: characters as Unicode scalar values, not UTF-16 units. */
  column?: number;
}

/** How an action is carried out (docs/action.md section 6). */
export interface ActionOptions {
  /** Only if the connector is at this version; otherwise `conflict`. */
  ifVersion?: number;
  /** The same request again changes nothing and returns the first outcome. 1 to 256 bytes. */
  requestId?: string;
  /** What `null` as a value means: by default an error. */
  null?: NullMeaning;
  /** What becomes of a stored JSON object when its property gets another one: by default it is replaced. */
  nested?: NestedMeaning;
  /** Whether a value may be a mask such as `***`. */
  allowMask?: boolean;
  /** Whether a value may be empty because its token is: by default that is `empty_value`. */
  allowEmpty?: boolean;
  /** Whether brackets are only text. */
  noTokens?: boolean;
  /** A note that is kept with the version, 1 to 256 bytes. Every role can read it. */
  note?: string;
  /** Whether the action's `Condition` was evaluated, and held. */
  conditionMet?: boolean;
  /** The group in which connectors are created: by default `default`. An action that creates none fails with it. */
  group?: string;
}

/** What `null` as a value means: an error, or that the property is removed. */
export type NullMeaning = "reject" | "remove";

/** What becomes of a stored JSON object: it is replaced as a whole, or the new one is merged into it. */
export type NestedMeaning = "replace" | "merge";

/** How to merge. */
export interface Merging {
  /** Whose side wins where both changed the same; without it, a conflict is left to the caller. */
  resolve?: "ours" | "theirs" | "newest";
  /** Takes over what grants wrote that this copy does not list. */
  acceptStrangers?: boolean;
}

/** Argon2id has to run: 32 bytes are wanted of a passphrase, in UTF-8. */
export interface Derive {
  readonly wanted: "derive";
  readonly passphrase: Uint8Array;
  readonly salt: Uint8Array;
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
}
/** What a step of an opening wants: the known heads of a vault, a derivation, or more time. */
export type Stepped = Derive | { readonly wanted: "known"; readonly vaultId: string } | { readonly wanted: "more" | "done" };

/** What a vault is expected to be, and whose secret opens it. */
export interface Opening {
  /** What the secret is. */
  by: "passphrase" | "key" | "identity";
  /** The label of the grant whose key slots alone are tried. */
  grant?: string;
  /** The hint of the key slots with which alone an external key is tried. */
  hint?: Uint8Array;
  vaultId?: string;
  /** The vault reference that an owner handed over. */
  vaultReference?: string;
  /** The id of the vault that is there. */
  found?: string;
  /** Ids of other vaults that were seen there. */
  others?: string[];
  /** The heads seen of it, under each of its names, in JSON. */
  known?: string[];
  /** Takes the vault as it is found. */
  accept?: boolean;
  memoryKibMax?: number;
  workKibMax?: number;
  /** For a repair: takes newer versions that stand elsewhere too. */
  elsewhere?: boolean;
  /** For a repair: goes on where a newer header may have stood. */
  olderHeader?: boolean;
}
