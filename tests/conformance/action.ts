/** `action/` and `token/`: an action on a connector, planned, committed, run, and read again (docs/action.md). */

import {
  Identity,
  MemoryStorage,
  Vault,
  type Action,
  type Outcome,
  type RunOptions,
  type Token,
  type VaultError,
} from "connector-vault";

import { equal, failure, holds, sameBytes, tellsNone } from "./expect.js";
import {
  count,
  document,
  flag,
  ifNamed,
  json,
  list,
  map,
  nullable,
  text,
  where,
  word,
  type Read,
} from "./read.js";

const Change = document({
  name: text,
  change: word("added", "changed", "removed", "unchanged"),
  source: nullable(word("grid", "json")),
  overridden: flag,
});

const Failing = document({
  error: text,
  message_contains: text.or(""),
  hint_contains: text.or(""),
});

const Succeeding = where(
  document({
    status: word("updated", "unchanged", "created", "deleted").optional(),
    after: map(text).optional(),
    name: text.optional(),
    type: text.optional(),
    changes: list(Change).optional(),
    overridden: list(text).optional(),
    warnings: list(text).or([]),
    tokens: list(text).optional(),
  }),
  ({ status, after }) =>
    status === undefined && after === undefined ? "has neither an error nor a result" : undefined,
);

const Options = document({
  if_version: count.optional(),
  null: word("reject", "remove").optional(),
  nested: word("replace", "merge").optional(),
  allow_mask: flag.optional(),
  allow_empty: flag.optional(),
  no_tokens: flag.optional(),
});

export const ActionVector = where(
  document({
    rule: text,
    id: text.or("x"),
    name: text.or("Name"),
    type: text.or("Type"),
    before: map(text).or({}),
    others: list(document({ id: text, name: text.or("Name") })).or([]),
    action: json.optional(),
    action_text: text.optional(),
    options: Options.or(Options.read({}, "")),
    tokens: map(text).or({}),
    expect: ifNamed("error", Failing, Succeeding),
  }),
  ({ action, action_text }) =>
    (action === undefined) === (action_text === undefined)
      ? "has not exactly one of action and action_text"
      : undefined,
);
export type ActionVector = Read<typeof ActionVector>;

export async function checkAction(vector: ActionVector): Promise<void> {
  const identity = Identity.generate();
  const storage = new MemoryStorage();
  const vault = await vaultOf(vector, storage, identity);
  const opening = { identity, vaultId: vault.head.vault_id };
  try {
    const { expect } = vector;
    const [before, head] = [storage.bytes, vault.head];
    const isAsBefore = (when: string) => {
      sameBytes(storage.bytes, before, when);
      equal(vault.head, head, when);
    };
    if ("error" in expect) {
      checkError(vector, await failure(() => vault.plan(actionOf(vector), optionsOf(vector))));
      checkError(vector, await failure(() => vault.run(actionOf(vector), runOptionsOf(vector))));
      isAsBefore("an error changes nothing");
      return;
    }
    const plan = await vault.plan(actionOf(vector), optionsOf(vector));
    isAsBefore("a plan writes nothing");
    const outcome = await vault.commit(plan);
    checkDryRun(plan.outcome, outcome);
    equal(plan.isUnchanged, outcome.status === "unchanged", "the plan says whether something changes");
    if (outcome.status === "unchanged") isAsBefore("unchanged writes nothing");
    else holds(vault.head.seq === head.seq + 1, "a change is one commit");
    checkOutcome(vector, outcome);

    const reopened = await Vault.open(new MemoryStorage(storage.bytes), opening);
    equal(reopened.head, vault.head, "the head of the stored bytes");
    for (const each of [vault, reopened]) await checkContents(vector, each, outcome);
    reopened.lock();

    const other = await Vault.open(new MemoryStorage(before), opening);
    const ran = await other.run(actionOf(vector), runOptionsOf(vector));
    // Each creation has an id of its own.
    const id = outcome.status === "created" ? outcome.id : ran.id;
    equal({ ...ran, id }, outcome, "a run does what a plan does");
    await checkContents(vector, other, ran);
    other.lock();

    if (outcome.status === "updated") await checkAgain(vector, vault, storage, outcome);
  } finally {
    vault.lock();
    identity.dispose();
  }
}

/** A vault with the connector of a vector at version 1, and the others. */
async function vaultOf(vector: ActionVector, storage: MemoryStorage, identity: Identity): Promise<Vault> {
  const vault = await Vault.create(storage, { label: "ops", identity });
  const others = vector.others.map((other) => ({ ...other, type: "Type", properties: {} }));
  const { id, name, type, before: properties } = vector;
  for (const connector of [...others, { id, name, type, properties }]) {
    // What is stored may be a mask.
    const { versionAfter } = await vault.createConnector(connector, { allowMask: true });
    holds(versionAfter === 1, "a connector begins with version 1");
  }
  equal((await vault.read(id)).properties, properties, "the properties before");
  return vault;
}

/** The action as a program has it: an object, which need not be of the type; or its text. */
function actionOf({ action, action_text }: ActionVector): Action | string {
  return action_text ?? (action as Action);
}

function optionsOf({ options, tokens }: ActionVector, ifVersion = options.if_version): RunOptions {
  return {
    ...(ifVersion !== undefined && { ifVersion }),
    ...(options.null !== undefined && { null: options.null }),
    ...(options.nested !== undefined && { nested: options.nested }),
    ...(options.allow_mask !== undefined && { allowMask: options.allow_mask }),
    ...(options.allow_empty !== undefined && { allowEmpty: options.allow_empty }),
    ...(options.no_tokens !== undefined && { noTokens: options.no_tokens }),
    tokens,
  };
}

/** The same, with a function that answers as the map does. */
function runOptionsOf(vector: ActionVector): RunOptions {
  const tokens = async ({ namespace, name, key }: Token) => {
    const known = new Map(Object.entries(vector.tokens));
    return known.get(key) ?? known.get(namespace === undefined ? name : `${namespace}:${name}`);
  };
  return { ...optionsOf(vector), tokens };
}

/** The values that must show up in no message and no outcome. */
function secretsOf({ before, tokens }: ActionVector): string[] {
  return [...Object.values(before), ...Object.values(tokens)].filter((value) => value.includes("s3cret"));
}

function checkError(vector: ActionVector, error: VaultError): void {
  const expect = vector.expect as Read<typeof Failing>;
  equal(error.code, expect.error, error.message);
  const hint = error.hint ?? "";
  holds(error.message.includes(expect.message_contains), `the message: ${error.message}`);
  holds(hint.includes(expect.hint_contains), `the hint: ${hint}`);
  tellsNone(secretsOf(vector), error);
}

function checkDryRun(dry: Outcome, outcome: Outcome): void {
  const status = outcome.status === "unchanged" ? "unchanged" : "planned";
  equal(dry, { ...outcome, status }, "the dry run");
}

function checkOutcome(vector: ActionVector, outcome: Outcome): void {
  const expect = vector.expect as Read<typeof Succeeding>;
  const { status, changes, overridden, warnings, tokens } = expect;
  tellsNone(secretsOf(vector), outcome);
  if (status !== undefined) equal(outcome.status, status, "status");
  if (changes !== undefined) equal(outcome.changes, changes, "changes");
  if (overridden !== undefined) {
    const found = outcome.changes.filter((change) => change.overridden).map(({ name }) => name);
    equal(found, overridden, "overridden");
  }
  equal(
    outcome.warnings.map(({ code }) => code),
    warnings,
    "warnings",
  );
  if (tokens !== undefined) equal(outcome.tokens, tokens, "tokens");
}

async function checkContents(vector: ActionVector, vault: Vault, outcome: Outcome): Promise<void> {
  const { after, name, type } = vector.expect as Read<typeof Succeeding>;
  const { id, status } = outcome;
  if (status === "deleted") {
    equal((await failure(() => vault.connector(id))).code, "connector_not_found", "after a deletion");
    return;
  }
  const connector = await vault.read(id);
  equal(connector.version, outcome.versionAfter, "version");
  if (after !== undefined) equal(connector.properties, after, "after");
  if (name !== undefined) equal(connector.name, name, "name");
  if (type !== undefined) equal(connector.type, type, "type");
  if (status !== "created") {
    equal([connector.name, connector.type], [vector.name, vector.type], "name and type never change");
  }
  for (const other of vector.others.filter((other) => other.id !== id)) {
    equal(vault.connector(other.id).version, 1, "the others are as they were");
  }
}

async function checkAgain(vector: ActionVector, vault: Vault, storage: MemoryStorage, outcome: Outcome) {
  const ifVersion = vector.options.if_version === undefined ? undefined : outcome.versionAfter;
  const options = optionsOf(vector, ifVersion);
  const before = storage.bytes;
  const plan = await vault.plan(actionOf(vector), options);
  holds(plan.isUnchanged, "the same action again changes nothing");
  plan.dispose();
  const again = await vault.run(actionOf(vector), options);
  equal([again.status, again.versionAfter], ["unchanged", outcome.versionAfter], "the same action again");
  sameBytes(storage.bytes, before, "the same action again");
}
