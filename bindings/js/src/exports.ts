/** What every entry point exports. */

export {
  findTokens,
  problemsOf,
  tokensOf,
  type Action,
  type ActionInput,
  type ActionOptions,
  type AddAction,
  type BatchAction,
  type DeleteAction,
  type DeletedAction,
  type Editors,
  type Envelope,
  type Parameter,
  type PropertyRow,
  type PropertySources,
  type RanOf,
  type TestAction,
  type TokenInfo,
  type TokenSpan,
  type UpdateAction,
  type Wrapped,
} from "./action.js";
export type { TestResult, Tester } from "./asking.js";
export { CORE_CODES, PACKAGE_CODES, STORAGE_CODES, VaultError, type VaultErrorCode } from "./error.js";
export type { Head, KnownHead, KnownHeads } from "./heads.js";
export { Identity, parseGrantKey } from "./identity.js";
export type { KeySlotInfo, KeySlotRef, KeySlotsOptions, NewKey, NewPasskey } from "./key-slots.js";
export { outcomesOf, Plan } from "./plan.js";
export type { Compared, LogEnd, StorageWarning, VaultStorage } from "./storage.js";
export { compare, inMemory, isUnchanged, type StoredBytes } from "./storage/compare.js";
export { MemoryStorage, type MemoryStorageOptions } from "./storage/memory.js";
export type { Origin } from "./stored.js";
export type { Token, TokenFunction, Tokens } from "./tokens.js";
export type {
  Abortable,
  ChangeOptions,
  ConnectorsDocument,
  CreateOptions,
  Description,
  Expected,
  Grantee,
  Holder,
  HostOptions,
  NewConnector,
  NewOwner,
  OpenOptions,
  Owner,
  OwnerKey,
  Right,
  Rights,
  PropertyValues,
  Purged,
  RunOptions,
  UndeleteOptions,
  Unlock,
  UpdateOptions,
} from "./options.js";
export {
  Vault,
  VaultChangeEvent,
  type ListRange,
  type Range,
  type Repaired,
  type VaultEvents,
} from "./vault.js";
export { ready, type ReadyOptions, type WasmSource } from "./wasm.js";
export type { WorkerSource } from "./worker/job.js";
export type {
  ActionOutcome,
  BatchOutcome,
  BrokenKeySlot,
  Change,
  ChangeKind,
  Commit,
  Conflict,
  Connector,
  Continuity,
  ConnectorPart,
  Damaged,
  DamagedConnector,
  ErrorPlace,
  ExportedConnector,
  FalseVersion,
  Gap,
  GrantInfo,
  GroupInfo,
  GroupRemovalReport,
  KdfCost,
  MergeReport,
  Merging,
  NestedMeaning,
  NullMeaning,
  Op,
  Outcome,
  Overview,
  Problem,
  Ran,
  RepairReport,
  Report,
  RevocationReport,
  RightInfo,
  Role,
  SignatureState,
  SignedOverview,
  SkippedOutcome,
  Source,
  Status,
  Stranger,
  TestOutcome,
  TornTail,
  Verdict,
  Warning,
  WarningCode,
} from "../pkg/vault.js";
