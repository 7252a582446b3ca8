/** `action/` and `token/`: an action on a connector, planned, committed, run, and read again (docs/action.md). */

import {
  Identity,
  MemoryStorage,
  outcomesOf,
  Vault,
  type Action,
  type ActionOptions,
  type ActionOutcome,
  type Connector,
  type Outcome,
  type Ran,
  type RunOptions,
  type TestResult,
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
    status: word("updated", "unchanged", "created", "deleted", "tested").optional(),
    outcomes: list(text).optional(),
    after: map(text).optional(),
    name: text.optional(),
    type: text.optional(),
    changes: list(Change).optional(),
    overridden: list(text).optional(),
    warnings: list(text).or([]),
    tokens: list(text).optional(),
    outputs: map(text).or({}),
    replayed: flag.or(false),
  }),
  ({ status, after, outcomes }) =>
    status === undefined && after === undefined && outcomes === undefined
      ? "has neither an error nor a result"
      : undefined,
);

const Options = document({
  if_version: count.optional(),
  null: word("reject", "remove").optional(),
  nested: word("replace", "merge").optional(),
  allow_mask: flag.optional(),
  allow_empty: flag.optional(),
  no_tokens: flag.optional(),
  condition_met: flag.optional(),
  request_id: text.optional(),
});
type Options = Read<typeof Options>;

const Earlier = ifNamed(
  "compact",
  document({ compact: count }),
  document({ action: json, options: Options.or(Options.read({}, "")), tokens: map(text).or({}) }),
);

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
    tests: map(nullable(text)).optional(),
    earlier: list(Earlier).or([]),
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
  const opening = { identity, vaultId: vault.head.vaultId };
  try {
    const { expect } = vector;
    const [before, head] = [storage.bytes, vault.head];
    const isAsBefore = (when: string) => {
      sameBytes(storage.bytes, before, when);
      equal(vault.head, head, when);
    };
    if ("error" in expect) {
      checkError(vector, vault, await failure(() => vault.plan(actionOf(vector), optionsOf(vector))));
      const ran = await failure(() => vault.run(actionOf(vector), runOptionsOf(vector)));
      checkError(vector, vault, ran, { isOfMap: false });
      isAsBefore("an error changes nothing");
      return;
    }
    const plan = await vault.plan(actionOf(vector), optionsOf(vector));
    isAsBefore("a plan writes nothing");
    const planned = plan.outcomes;
    const isUnchanged = plan.isUnchanged;
    const ran = await vault.commit(plan);
    checkDryRun(planned, outcomesOf(ran));
    const changes = changesOf(ran);
    const writes = changes.filter(({ status, replayed }) => status !== "unchanged" && !replayed).length > 0;
    equal(isUnchanged, !writes, "the plan says whether something changes");
    const remembers = vector.options.request_id !== undefined && !expect.replayed;
    if (writes || remembers) holds(vault.head.seq === head.seq + 1, "a change is one commit");
    else isAsBefore("unchanged writes nothing");
    checkRan(vector, ran);

    const reopened = await Vault.open(new MemoryStorage(storage.bytes), opening);
    equal(reopened.head, vault.head, "the head of the stored bytes");
    for (const each of [vault, reopened]) await checkContents(vector, each, ran);
    reopened.lock();

    const other = await Vault.open(new MemoryStorage(before), opening);
    const again = await other.run(actionOf(vector), runOptionsOf(vector));
    equal(comparable(again), comparable(ran), "a run does what a plan does");
    await checkContents(vector, other, again);
    other.lock();

    const [change] = changes;
    if ("changes" in ran && change?.status === "updated" && !change.replayed) {
      await checkAgain(vector, vault, storage, change);
    }
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
  for (const step of vector.earlier) {
    if ("compact" in step) await vault.compact({ keep: step.compact });
    else await vault.run(step.action as Action, { ...namedOptions(step.options), tokens: step.tokens });
  }
  return vault;
}

/** The action as a program has it: an object, which need not be of the type; or its text. */
function actionOf({ action, action_text }: ActionVector): Action | string {
  return action_text ?? (action as Action);
}

function optionsOf(vector: ActionVector, ifVersion = vector.options.if_version): RunOptions {
  const { options, tokens, tests } = vector;
  const test = ({ id }: Connector): TestResult => {
    const message = tests?.[id];
    return typeof message === "string" ? { success: false, message } : true;
  };
  return {
    ...namedOptions({ ...options, if_version: ifVersion }),
    tokens,
    ...(tests !== undefined && { test }),
  };
}

function namedOptions(options: Options): ActionOptions {
  return {
    ...(options.if_version !== undefined && { ifVersion: options.if_version }),
    ...(options.null !== undefined && { null: options.null }),
    ...(options.nested !== undefined && { nested: options.nested }),
    ...(options.allow_mask !== undefined && { allowMask: options.allow_mask }),
    ...(options.allow_empty !== undefined && { allowEmpty: options.allow_empty }),
    ...(options.no_tokens !== undefined && { noTokens: options.no_tokens }),
    ...(options.condition_met !== undefined && { conditionMet: options.condition_met }),
    ...(options.request_id !== undefined && { requestId: options.request_id }),
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

function checkError(
  vector: ActionVector,
  vault: Vault,
  error: VaultError,
  { isOfMap } = { isOfMap: true },
): void {
  const expect = vector.expect as Read<typeof Failing>;
  equal(error.code, expect.error, error.message);
  const similar = error.connector === undefined ? undefined : vault.similar(error.connector);
  const hint = error.hint ?? similar ?? "";
  holds(error.message.includes(expect.message_contains), `the message: ${error.message}`);
  // A function's keys are not known, so no hint names one that is nearly right.
  const isOfKeys = !isOfMap && expect.hint_contains.includes("a value is given for");
  holds(isOfKeys || hint.includes(expect.hint_contains), `the hint: ${hint}`);
  tellsNone(secretsOf(vector), error);
}

function changesOf(ran: Ran): Outcome[] {
  return outcomesOf(ran).filter((outcome): outcome is Outcome => "changes" in outcome);
}

/** What was done: the id of each new connector by a sign, and without what only the keys of a map tell. */
function comparable(ran: Ran): unknown {
  const created = changesOf(ran).filter(({ status }) => status === "created");
  const known = JSON.stringify(ran, (name, value: unknown) =>
    name === "warnings"
      ? (value as Outcome["warnings"]).filter(({ code }) => code !== "token_unused")
      : value,
  );
  return created.reduce((json, { id }) => json.replaceAll(id, NEW_ID), known);
}

const NEW_ID = "<id>";

function checkDryRun(dry: readonly ActionOutcome[], done: readonly ActionOutcome[]): void {
  const planned = done.map((outcome) =>
    !("changes" in outcome) || outcome.status === "unchanged" || outcome.replayed
      ? outcome
      : { ...outcome, status: "planned" },
  );
  equal(dry, planned, "the dry run");
}

function checkRan(vector: ActionVector, ran: Ran): void {
  const expect = vector.expect as Read<typeof Succeeding>;
  tellsNone(secretsOf(vector), ran);
  const outcomes = outcomesOf(ran);
  if (expect.outcomes !== undefined) {
    holds("outcomes" in ran, "a batch");
    equal(
      outcomes.map(({ status }) => status),
      expect.outcomes,
      "outcomes",
    );
  }
  equal(
    outcomes.flatMap((outcome) => ("warnings" in outcome ? outcome.warnings.map(({ code }) => code) : [])),
    expect.warnings,
    "warnings",
  );
  const created = changesOf(ran).filter(({ status }) => status === "created");
  const isNew = (value: string) => created.some(({ id }) => id === value);
  const outputs = Object.entries("outputs" in ran ? ran.outputs : {});
  equal(
    Object.fromEntries(outputs.map(([name, value]) => [name, isNew(value) ? NEW_ID : value])),
    expect.outputs,
    "outputs",
  );
  if ("changes" in ran) checkOutcome(expect, ran);
  else if ("status" in ran) equal(ran.status, expect.status, "status");
}

function checkOutcome(expect: Read<typeof Succeeding>, outcome: Outcome): void {
  const { status, changes, overridden, tokens, replayed } = expect;
  equal(outcome.replayed, replayed, "replayed");
  if (status !== undefined) equal(outcome.status, status, "status");
  if (changes !== undefined) equal(outcome.changes, changes, "changes");
  if (overridden !== undefined) {
    const found = outcome.changes.filter((change) => change.overridden).map(({ name }) => name);
    equal(found, overridden, "overridden");
  }
  if (tokens !== undefined) equal(outcome.tokens, tokens, "tokens");
}

async function checkContents(vector: ActionVector, vault: Vault, ran: Ran): Promise<void> {
  const { after, name, type } = vector.expect as Read<typeof Succeeding>;
  const changes = changesOf(ran);
  const id = "changes" in ran ? ran.id : vector.id;
  const newest = changes.filter((change) => change.id === id).at(-1);
  if (newest?.status === "deleted") {
    holds(!vault.has(id), "after a deletion");
    equal((await failure(() => vault.connector(id))).code, "connector_not_found", "after a deletion");
    return;
  }
  const connector = await vault.read(id);
  if (newest !== undefined && !newest.replayed) equal(connector.version, newest.versionAfter, "version");
  if (after !== undefined) equal(connector.properties, after, "after");
  if (name !== undefined) equal(connector.name, name, "name");
  if (type !== undefined) equal(connector.type, type, "type");
  if (newest?.status !== "created") {
    equal([connector.name, connector.type], [vector.name, vector.type], "name and type never change");
  }
  const isTouched = (other: string) => changes.some((change) => change.id === other);
  for (const other of vector.others.filter((other) => !isTouched(other.id))) {
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
  holds("changes" in again, "one change");
  const isRequest = vector.options.request_id !== undefined;
  equal(
    [again.status, again.replayed, again.versionAfter],
    [isRequest ? "updated" : "unchanged", isRequest, outcome.versionAfter],
    "the same action again",
  );
  sameBytes(storage.bytes, before, "the same action again");
}
