/**
 * The arguments of everything that the package exports: one row for each function and method, with the names that its
 * declaration has. A test compares the rows with the declarations, so that a new method cannot do without.
 */

import {
  byName,
  bytes,
  callable,
  flag,
  having,
  is,
  isBytes,
  isFunction,
  isPromise,
  json,
  list,
  object,
  oneOf,
  optional,
  or,
  tagOf,
  text,
  whole,
  type Shape,
  type Signature,
  type Signatures,
} from "./check.js";
import { isKnownHead } from "./heads/entry.js";

/** Plans and identities that this package made: nothing else can pass for one. */
export const plans = new WeakSet<object>();
export const identities = new WeakSet<object>();

const U32 = whole(0, 0xffff_ffff);
const COUNT = whole(1);
const URL_OR_TEXT = or((value) => tagOf(value) === "URL", text);
const KEY = is("a Uint8Array of 32 bytes", (value) => isBytes(value) && (value as Uint8Array).length === 32);
const IDENTITY = or((value) => identities.has(value as object), text);
const PLAN = is("a plan of this package", (value) => plans.has(value as object));
const SIGNAL = having("an AbortSignal", "addEventListener");
const COST = object({ memoryKib: U32, passes: U32, lanes: U32 });
const TOKENS = or(isFunction, byName(text));
const HEADS = or(
  (value) => value === null,
  having(
    "known heads, such as FileKnownHeads.default(), or null",
    "get",
    "remember",
    "forget",
    "vaultsAt",
    "placesOf",
  ),
);
const KNOWN_HEAD = is("a known head, as vault.knownHead gives it", isKnownHead);
const STORAGE: Shape = (value, name) => {
  const wanted = "a storage, such as new FileStorage(path)";
  having(wanted, "create", "read", "compare", "append", "replace")(value, name);
  list(text)((value as { readonly places?: unknown }).places, `${name}.places`);
  return value;
};

const ABORTABLE = { signal: optional(SIGNAL) };
const HOST = { ...ABORTABLE, heads: optional(HEADS), clock: optional(callable) };
const OWNER = {
  ...HOST,
  label: optional(text),
  passphrase: optional(text),
  cost: optional(COST),
  key: optional(KEY),
  hint: optional(bytes),
  identity: optional(IDENTITY),
};
const OPENING = {
  ...HOST,
  passphrase: optional(text),
  key: optional(KEY),
  hint: optional(bytes),
  grant: optional(text),
  identity: optional(IDENTITY),
  vaultId: optional(text),
  vaultReference: optional(text),
  known: optional(KNOWN_HEAD),
  accept: optional(flag),
  memoryKibMax: optional(U32),
  workKibMax: optional(U32),
};
const HOW_TO_OPEN = "give { passphrase }, { key } or { identity }";
const CHANGE = { ifVersion: optional(COUNT), note: optional(text) };
const MASK = { allowMask: optional(flag), note: optional(text) };
const CREATE = { ...MASK, group: optional(text) };
const UPDATE = {
  ...ABORTABLE,
  ...CHANGE,
  ...MASK,
  requestId: optional(text),
  null: optional(oneOf("reject", "remove")),
  nested: optional(oneOf("replace", "merge")),
};
const RUN = {
  ...UPDATE,
  allowEmpty: optional(flag),
  noTokens: optional(flag),
  conditionMet: optional(flag),
  group: optional(text),
  tokens: optional(TOKENS),
  test: optional(callable),
};

const ACTION = json("an action's document, or its JSON text");
const PROPERTIES = json("an object of properties, or the JSON text of one");
const TEXTS: Shape = (value, name) => Object.fromEntries(byName(text)(value, name) as Map<string, string>);
/** A text that is `null` is one to remove. */
const CHANGED_TEXTS: Shape = (value, name) =>
  Object.fromEntries(byName(or((text) => text === null, text))(value, name) as Map<string, string | null>);
const CONNECTOR = object({
  id: optional(text),
  name: text,
  type: text,
  meta: optional(TEXTS),
  group: optional(text),
  properties: optional(PROPERTIES),
});
const DESCRIPTION = object({
  name: optional(text),
  type: optional(text),
  meta: optional(CHANGED_TEXTS),
});
const UNDELETE = { ...CHANGE, version: optional(COUNT) };
const TO = {
  key: optional(text),
  passphrase: optional(text),
  cost: optional(COST),
  externalKey: optional(KEY),
  hint: optional(bytes),
};
const GRANTEE = object(TO, "give { key }, { passphrase } or { externalKey }");
const HOLDER = object(
  { ...TO, identity: optional(IDENTITY) },
  "give { passphrase }, { externalKey }, { identity } or { key }",
);
const RIGHT = object({ role: text, group: optional(text) }, "give { role } or { role, group }");
const RIGHTS = or((value) => typeof value === "string", list(RIGHT));
const UNTIL = or((value) => value === null, text);
const NEW_KEY = object({ key: KEY, hint: optional(bytes), salt: optional(text) }, "give { key }");
const KEY_SLOT = object({ hint: optional(bytes), salt: optional(text) }, "give { hint } or { salt }");
const MERGING = {
  ...ABORTABLE,
  resolve: optional(oneOf("ours", "theirs", "newest")),
  acceptStrangers: optional(flag),
};
const THEIRS = or(isBytes, STORAGE);
const RANGE = optional(object({ from: optional(U32), count: optional(U32) }));

/** Options may be left out as a whole. */
function options(fields: Signature): Shape {
  return optional(object(fields));
}

// The vault

export const VAULT_CLASS: Signatures = { identify: { file: bytes } };
export const VAULT_CLASS_LATER: Signatures = {
  create: { storage: STORAGE, owner: object(OWNER, HOW_TO_OPEN) },
  keySlots: {
    storage: STORAGE,
    options: options({ ...ABORTABLE, vaultId: optional(text), memoryKibMax: optional(U32) }),
  },
  open: { storage: STORAGE, options: object(OPENING, HOW_TO_OPEN) },
  openOrCreate: {
    storage: STORAGE,
    options: object({ ...OPENING, label: optional(text), cost: optional(COST) }, HOW_TO_OPEN),
  },
  repair: {
    damaged: STORAGE,
    out: STORAGE,
    options: object({ ...OPENING, elsewhere: optional(flag), olderHeader: optional(flag) }, HOW_TO_OPEN),
  },
};
export const VAULT: Signatures = {
  list: { range: optional(object({ from: optional(text), count: optional(U32) })) },
  has: { id: text },
  similar: { id: text },
  connector: { id: text },
  history: { id: text },
  badPatches: { id: text },
  diff: { id: text, from: COUNT, to: COUNT },
};
export const VAULT_LATER: Signatures = {
  read: { id: text },
  readProperty: { id: text, name: text, version: optional(COUNT) },
  readVersion: { id: text, version: COUNT },
  log: { range: RANGE },
  plan: { action: ACTION, options: options(RUN) },
  planCreate: { connector: CONNECTOR, options: options(CREATE) },
  planDelete: { id: text, options: options(CHANGE) },
  planRestore: { id: text, version: COUNT, options: options(CHANGE) },
  planDescribe: { id: text, description: DESCRIPTION, options: options(CHANGE) },
  planMove: { id: text, group: text, options: options(CHANGE) },
  planUndelete: { id: text, options: options(UNDELETE) },
  planMerge: { theirs: THEIRS, merging: options(MERGING) },
  commit: { plan: or(isPromise, PLAN), options: options(ABORTABLE) },
  commitAll: { plans: list(PLAN), options: options(ABORTABLE) },
  run: { action: ACTION, options: options(RUN) },
  update: { id: text, properties: PROPERTIES, options: options(UPDATE) },
  createConnector: { connector: CONNECTOR, options: options({ ...CREATE, ...ABORTABLE }) },
  deleteConnector: { id: text, options: options({ ...CHANGE, ...ABORTABLE }) },
  restore: { id: text, version: COUNT, options: options({ ...CHANGE, ...ABORTABLE }) },
  describe: { id: text, description: DESCRIPTION, options: options({ ...CHANGE, ...ABORTABLE }) },
  moveConnector: { id: text, group: text, options: options({ ...CHANGE, ...ABORTABLE }) },
  undelete: { id: text, options: options({ ...UNDELETE, ...ABORTABLE }) },
  import: {
    document: json("a document of connectors, or its JSON text"),
    options: options({ ...CREATE, ...ABORTABLE }),
  },
  merge: { theirs: THEIRS, merging: options(MERGING) },
  refresh: { options: options(ABORTABLE) },
  grant: {
    label: text,
    rights: RIGHTS,
    to: GRANTEE,
    options: options({ ...ABORTABLE, until: optional(text) }),
  },
  revoke: { label: text, options: options(ABORTABLE) },
  setRights: {
    label: text,
    rights: optional(RIGHTS),
    options: options({ ...ABORTABLE, until: optional(UNTIL) }),
  },
  renew: { label: text, to: HOLDER, options: options(ABORTABLE) },
  addGroup: { name: text, options: options(ABORTABLE) },
  renameGroup: { name: text, newName: text, options: options(ABORTABLE) },
  removeGroup: { name: text, options: options({ ...ABORTABLE, deletesTo: optional(text) }) },
  setPassphrase: { passphrase: text, options: options({ ...ABORTABLE, cost: optional(COST) }) },
  addKey: { key: NEW_KEY, options: options(ABORTABLE) },
  removeKey: { which: KEY_SLOT, options: options(ABORTABLE) },
  compact: { options: options({ ...ABORTABLE, keep: optional(COUNT) }) },
  purge: { ids: optional(list(text)), options: options(ABORTABLE) },
};

// What the host's own code returns to the vault

export const SEEN: Signature = { "heads.get()": optional(KNOWN_HEAD) };
export const SEEN_VAULTS: Signature = { "heads.vaultsAt()": list(text) };
export const SEEN_PLACES: Signature = {
  "heads.placesOf()": list(object({ place: text, known: KNOWN_HEAD })),
};
export const CLOCK: Signature = { "clock()": is("a Date", (value) => tagOf(value) === "Date") };
export const READ: Signature = { "storage.read()": bytes };
export const TAIL: Signature = { "the tail of storage.compare()": bytes };

// Beside the vault

export const PLAN_METHODS: Signatures = { reveal: { name: text, change: optional(U32) } };
export const IDENTITY_CLASS: Signatures = { parse: { text } };
const MODULE = or(
  isPromise,
  is(
    "the module's bytes, a Response, or an address",
    (value) =>
      typeof value === "string" ||
      ArrayBuffer.isView(value) ||
      ["ArrayBuffer", "Response", "URL", "WebAssembly.Module"].includes(tagOf(value)),
  ),
);
export const FUNCTIONS = {
  findTokens: { text: is("a string", (value) => typeof value === "string") },
  tokensOf: { action: ACTION },
  problemsOf: { action: ACTION },
  parseGrantKey: { text },
  outcomesOf: { ran: is("an outcome", (value) => typeof value === "object" && value !== null) },
  ready: {
    options: options({
      wasm: optional(MODULE),
      changes: optional(MODULE),
      worker: optional(or(isFunction, URL_OR_TEXT)),
    }),
  },
} satisfies Signatures;

// Storages and known heads

/** Also beyond what is exact: it is behind the end of any bytes. */
const OFFSET = whole(0, Infinity);
const LOG_END = object({
  start: bytes,
  marks: list(object({ offset: OFFSET, bytes })),
  end: OFFSET,
  torn: OFFSET,
});
const SIGNALLED = optional(SIGNAL);
export const STORAGE_METHODS: Signatures = {
  subscribe: { changed: callable },
  warn: { warning: object({ code: text, message: text }) },
};
export const STORAGE_METHODS_LATER: Signatures = {
  create: { file: bytes, signal: SIGNALLED },
  read: { signal: SIGNALLED },
  compare: { known: LOG_END, signal: SIGNALLED },
  append: { commit: bytes, known: LOG_END, signal: SIGNALLED },
  replace: { file: bytes, known: LOG_END, signal: SIGNALLED },
  sync: { known: LOG_END, signal: SIGNALLED },
  stays: { known: LOG_END, signal: SIGNALLED },
  exclusive: { work: callable, signal: SIGNALLED },
};
export const HEADS_METHODS_LATER: Signatures = {
  get: { vaultId: text, place: text },
  remember: { vaultId: text, place: text, known: KNOWN_HEAD },
  forget: { vaultId: text, place: text },
  vaultsAt: { place: text },
  placesOf: { vaultId: text },
};
const STORED = having("bytes with a length and a method read", "read");
export const COMPARING = {
  compare: { stored: STORED, known: LOG_END },
  isUnchanged: { stored: STORED, known: LOG_END },
  inMemory: { bytes },
} satisfies Signatures;
export const DATABASE_CLASS_LATER: Signatures = { list: { database: optional(text) } };
export const FILE_HEADS_CLASS: Signatures = { default: { variables: optional(TEXTS) } };
const HEADERS: Shape = (value, name) => {
  if (tagOf(value) === "Headers") return value;
  return (Array.isArray(value) ? list(list(text)) : TEXTS)(value, name);
};
/** What the function `headers` returns. */
export const HEADERS_GIVEN: Signature = { "headers()": optional(HEADERS) };
/** Arguments of constructors. */
export const NEW = {
  MemoryStorage: {
    bytes: optional(bytes),
    options: options({ places: optional(list(text)), heads: optional(HEADS) }),
  },
  IndexedDbStorage: { name: text, options: options({ database: optional(text), heads: optional(HEADS) }) },
  IndexedDbKnownHeads: { database: optional(text) },
  HttpStorage: {
    url: URL_OR_TEXT,
    options: options({
      headers: optional(or(isFunction, HEADERS)),
      fetch: optional(callable),
      heads: optional(HEADS),
      credentials: optional(oneOf("omit", "same-origin", "include")),
    }),
  },
  FileStorage: {
    path: text,
    options: options({
      heads: optional(HEADS),
      lockTimeoutMs: optional(
        is("a number of milliseconds", (value) => typeof value === "number" && value >= 0),
      ),
      onWarning: optional(callable),
    }),
  },
  FileKnownHeads: { dir: text },
} satisfies Signatures;
