/** The vault's API over memory: every operation, what it refuses, and that it works on afterwards. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";

import {
  findTokens,
  Identity,
  MemoryStorage,
  ready,
  problemsOf,
  tokensOf,
  Vault,
  VaultError,
  type TestAction,
  type Tester,
  type UpdateAction,
  type KdfCost,
  type KnownHead,
  type KnownHeads,
  type LogEnd,
  type NewOwner,
  type OpenOptions,
  type Token,
  type Tokens,
  type VaultStorage,
} from "../src/index.js";

const CHEAP: KdfCost = { memoryKib: 19_456, passes: 1, lanes: 1 };
const TWITTER = {
  id: "twitterConnectorId",
  name: "Twitter API",
  type: "Twitter",
  properties: { APIKey: "s3cret-old", Endpoint: "https://api.example", Retries: 3, Tags: ["a", "b"] },
};

function update(PropertiesJson: string, EntryId = TWITTER.id): UpdateAction {
  return { ActionType: "Connectors.Update", Parameters: { EntryId, PropertiesJson } };
}

/** A vault that opens by an identity, with the connector of the documentation. */
async function example(storage: VaultStorage = new MemoryStorage()) {
  await ready();
  const identity = Identity.generate();
  const vault = await Vault.create(storage, { label: "ops", identity });
  await vault.createConnector(TWITTER);
  return { vault, storage, identity, vaultId: vault.head.vaultId };
}

function code(expected: string) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof VaultError, String(error));
    assert.equal(error.code, expected, error.message);
    assert.ok(!`${error.message} ${error.hint ?? ""}`.includes("s3cret"), error.message);
    return true;
  };
}

test("a plan shows names and is committed exactly", async () => {
  const { vault } = await example();
  const action: UpdateAction = {
    ActionType: "Connectors.Update",
    Parameters: {
      EntryId: TWITTER.id,
      Properties: [{ PropertyName: "APIKey", PropertyValue: "[Secrets:Key]" }],
      PropertiesJson: '{"Timeout": "30s", "APIKey": "[Secrets:Key]"}',
    },
  };
  const plan = await vault.plan(action, { tokens: new Map([["Secrets:Key", "s3cret-new"]]) });
  assert.equal(plan.outcome.status, "planned");
  assert.deepEqual(plan.outcome.changes, [
    { name: "APIKey", change: "changed", source: "json", overridden: true },
    { name: "Timeout", change: "added", source: "json", overridden: false },
  ]);
  for (const told of [inspect(plan, { depth: 9, showHidden: true }), JSON.stringify(plan), inspect(vault)]) {
    assert.ok(!told.includes("s3cret"), told);
  }
  assert.equal(vault.connector(TWITTER.id).version, 1, "a plan writes nothing");
  const outcome = await vault.commit(plan);
  assert.deepEqual(outcome, { ...plan.outcome, status: "updated" });
  assert.deepEqual((await vault.read(TWITTER.id)).properties, {
    APIKey: "s3cret-new",
    Endpoint: "https://api.example",
    Retries: "3",
    Tags: '["a","b"]',
    Timeout: "30s",
  });
  await assert.rejects(vault.commit(plan), code("invalid_argument"), "it was committed");
});

test("a plan shows one value to who asks for it, until it is disposed of", async () => {
  const { vault } = await example();
  const action = update('{"APIKey": "[Secrets:Key]", "Tags": null}');
  const plan = await vault.plan(action, { tokens: { "Secrets:Key": "s3cret-new" }, null: "remove" });
  assert.equal(plan.op, "update");
  assert.equal(plan.reveal("APIKey"), "s3cret-new");
  assert.equal(plan.reveal("Endpoint"), "https://api.example", "what is not named keeps its value");
  assert.equal(plan.reveal("Tags"), undefined);
  const deletion = await vault.planDelete(TWITTER.id);
  assert.equal(deletion.op, "delete");
  assert.equal(deletion.reveal("APIKey"), undefined);

  assert.equal(await vault.readProperty(TWITTER.id, "APIKey"), "s3cret-old");
  assert.equal(await vault.readProperty(TWITTER.id, "apikey"), undefined);
  await vault.commit(plan);
  assert.equal(await vault.readProperty(TWITTER.id, "APIKey", 1), "s3cret-old");
  assert.equal(await vault.readProperty(TWITTER.id, "Tags"), undefined);
  await assert.rejects(vault.readProperty(TWITTER.id, "APIKey", 9), code("version_not_found"));
  await assert.rejects(vault.readProperty("unknown", "APIKey"), code("connector_not_found"));
  vault.lock();
  assert.throws(() => deletion.reveal("APIKey"), code("invalid_argument"));
  await assert.rejects(vault.readProperty(TWITTER.id, "APIKey"), code("locked"));
});

test("errors tell their place, and texts where their tokens are", async () => {
  const { vault } = await example();
  const place = async (action: UpdateAction) =>
    await vault.plan(action).then(
      () => assert.fail("it was planned"),
      (error: unknown) => (error as VaultError).place,
    );
  assert.deepEqual(await place(update('{"A":\n "\u{1f511}" 1}')), {
    parameter: "PropertiesJson",
    line: 2,
    column: 6,
  });
  const Properties = [
    { PropertyName: "A", PropertyValue: "1" },
    { PropertyName: "", PropertyValue: "2" },
  ];
  const rows: UpdateAction = { ActionType: "Connectors.Update", Parameters: { EntryId: "x", Properties } };
  assert.deepEqual(await place(rows), { parameter: "Properties", row: 2 });
  assert.equal(await place(update("{}", "unknown")), undefined);

  const text = "\u{1f511} [Secrets:Key(env=prod)] and [b]";
  const found = findTokens(text).map(({ from, to, name }) => [text.slice(from, to), name]);
  assert.deepEqual(found, [
    ["[Secrets:Key(env=prod)]", "Secrets:Key"],
    ["[b]", "b"],
  ]);
});

test("a plan that is being committed may be disposed of", async () => {
  const { vault } = await example();
  const plan = await vault.plan(update('{"APIKey": "s3cret-new"}'));
  const committed = vault.commit(plan);
  await Promise.resolve();
  plan.dispose();
  assert.equal((await committed).versionAfter, 2);
  await assert.rejects(vault.commit(plan), code("invalid_argument"));
});

test("a plan may be committed before anybody looked at it", async () => {
  const { vault } = await example();
  const outcome = await vault.commit(vault.plan(update('{"APIKey": "b"}')));
  assert.equal(outcome.status, "updated");
});

test("a plan is a conflict once its connector has moved on, and not for another's sake", async () => {
  const { vault } = await example();
  await vault.createConnector({ id: "other", name: "Other", type: "T" });
  const [mine, stale] = [await vault.plan(update('{"A": "1"}')), await vault.plan(update('{"A": "2"}'))];
  await vault.run(update('{"B": "1"}', "other"));
  await vault.commit(mine);
  await assert.rejects(vault.commit(stale), code("conflict"));
  assert.equal((await vault.read(TWITTER.id)).properties["A"], "1");
});

test("tokens come from objects, maps and functions, each asked once", async () => {
  const { vault } = await example();
  const action = update(
    '{"A": "[Secrets:Key(env=prod,name=[Flow:Name])]", "B": "[Flow:Name]", "C": "[X=dflt]"}',
  );
  assert.deepEqual(
    tokensOf(action).map(({ name, key, required }) => [name, key, required]),
    [
      ["Flow:Name", "Flow:Name", true],
      ["Secrets:Key", "Secrets:Key", true],
      ["X", "X", false],
    ],
  );
  const asked: Token[] = [];
  const values: Record<string, string> = { "Flow:Name": "twitter api", "Secrets:Key": "s3cret" };
  const outcome = await vault.run(action, {
    tokens: async (token) => {
      asked.push(token);
      await Promise.resolve();
      return values[`${token.namespace ?? ""}:${token.name}`];
    },
  });
  assert.deepEqual(outcome.tokens, ["Flow:Name", "Secrets:Key", "X"]);
  assert.deepEqual(
    outcome.warnings.map(({ code }) => code),
    ["token_default_used"],
  );
  assert.deepEqual(
    asked.map(({ key, params }) => [key, ...Object.entries(params)]),
    [
      ["Flow:Name"],
      ['Secrets:Key(env=prod,name="twitter api")', ["env", "prod"], ["name", "twitter api"]],
      ["X"],
    ],
  );
  assert.deepEqual((await vault.read(TWITTER.id)).properties["A"], "s3cret");
  const keys = { "Secrets:Key(env=prod,name=n)": "1", "Secrets:Key": "2", "Flow:Name": "n" };
  await vault.run(action, { tokens: keys });
  assert.equal((await vault.read(TWITTER.id)).properties["A"], "1", "the key with parameters comes first");

  // Inherited names are no tokens.
  await assert.rejects(vault.run(update('{"A": "[toString]"}'), { tokens: {} }), code("token_unresolved"));
  await assert.rejects(
    vault.run(action, { tokens: () => Promise.reject(new Error("s3cret")) }),
    code("token_source_failed"),
  );
  const unused = async (tokens: Tokens) => {
    const { warnings } = await vault.run(update('{"A": "[B]"}'), { tokens });
    return warnings.map(({ code, message }) => `${code}: ${message}`);
  };
  const told = ['token_unused: no token of the action uses the value given for "b"'];
  assert.deepEqual(await unused({ B: "1", b: "2", C: undefined }), told);
  assert.deepEqual(await unused(new Map([["B", "1"], ["b", "2"]])), told); // prettier-ignore
  assert.deepEqual(await unused(({ name }) => ({ B: "1", b: "2" })[name]), []);
  const near = async (tokens: Tokens) => {
    const error = await vault.run(update('{"A": "[B]"}'), { tokens }).catch((error: unknown) => error);
    assert.ok(error instanceof VaultError && error.code === "token_unresolved");
    return error.hint ?? "";
  };
  assert.match(await near({ b: "s3cret" }), /looked for as "B"; a value is given for "b";/);
  assert.match(await near(() => undefined), /looked for as "B"; give the token/);
  const numbers = { "Flow:Name": 1 } as unknown as Record<string, string>;
  await assert.rejects(vault.run(action, { tokens: numbers }), code("invalid_argument"));
});

test("options go through to the core", async () => {
  const { vault } = await example();
  await assert.rejects(vault.run(update('{"A": "1"}'), { ifVersion: 2 }), code("conflict"));
  const options = { ifVersion: 1, requestId: "r1", note: "why" };
  const first = await vault.run(update('{"A": "1"}'), options);
  assert.deepEqual(await vault.run(update('{"A": "1"}'), options), { ...first, replayed: true });
  await assert.rejects(vault.run(update('{"A": "2"}'), { requestId: "r1" }), code("request_id_reused"));
  const [newest] = vault.history(TWITTER.id).slice(-1);
  assert.deepEqual([newest?.note, newest?.requestId, newest?.author], ["why", "r1", "ops"]);
  await assert.rejects(vault.run(update('{"A": null}')), code("null_value"));
  await vault.run(update('{"A": null}'), { null: "remove" });
  await assert.rejects(vault.run(update('{"A": "***"}')), code("mask_value"));
  await vault.run(update('{"A": "***"}'), { allowMask: true });
  await assert.rejects(vault.run(update('{"A": "[T]"}'), { tokens: { T: "" } }), code("empty_value"));
  await assert.rejects(vault.run(update('{"A": "[T]"}'), { tokens: async () => "" }), code("empty_value"));
  await vault.run(update('{"A": "[T]"}'), { tokens: { T: "" }, allowEmpty: true });
  await vault.run(update('{"N": {"a": 1, "b": 2}}'));
  await vault.run(update('{"N": {"a": 3}}'), { nested: "merge" });
  assert.equal((await vault.read(TWITTER.id)).properties["N"], '{"a":3,"b":2}');
  await vault.run(update('{"A": "[B]"}'), { noTokens: true });
  assert.equal((await vault.read(TWITTER.id)).properties["A"], "[B]");
  for (const wrong of [
    { ifversion: 1 },
    { ifVersion: NaN },
    { ifVersion: null },
    { note: null },
    { nested: "both" },
  ] as object[]) {
    await assert.rejects(vault.run(update('{"A": "x"}'), wrong), code("invalid_argument"));
  }
  const action = `{"ActionType": "Connectors.Update", "Parameters": {"EntryId": "${TWITTER.id}",
    "PropertiesJson": "{\\"Big\\": 12345678901234567890.10}"}}`;
  await vault.run(action);
  assert.equal((await vault.read(TWITTER.id)).properties["Big"], "12345678901234567890.10", "as written");
});

test("a connector's life", async () => {
  const { vault } = await example();
  await assert.rejects(vault.createConnector(TWITTER), code("connector_exists"));
  const { id } = await vault.createConnector({ name: "N", type: "T", properties: '{"a": 1.0}' });
  assert.match(id, /^[0-9a-f-]{36}$/);
  assert.equal((await vault.read(id)).properties["a"], "1.0");
  await vault.run(update('{"a": "2"}', id));
  assert.deepEqual(vault.diff(id, 1, 2), [{ name: "a", change: "changed", source: null, overridden: false }]);
  await vault.deleteConnector(id);
  assert.throws(() => vault.connector(id), code("connector_not_found"));
  assert.deepEqual(
    vault.history(id).map(({ op, version }) => [op, version]),
    [
      ["create", 1],
      ["update", 2],
      ["delete", 3],
    ],
  );
  assert.equal((await vault.readVersion(id, 2)).properties["a"], "2");
  await assert.rejects(vault.readVersion(id, 3), code("version_not_found"));
  for (const version of [0, -1, 1.5, NaN, Infinity, 2 ** 60]) {
    await assert.rejects(vault.readVersion(id, version), code("invalid_argument"));
  }
  await vault.run(update('{"APIKey": "x"}'));
  const restored = await vault.restore(TWITTER.id, 1);
  assert.equal(restored.status, "restored");
  assert.equal((await vault.read(TWITTER.id)).properties["APIKey"], "s3cret-old");
  await assert.rejects(
    vault.run({ ActionType: "CredStore.DeleteEntry", Parameters: { EntryId: "twiterConnectorId" } }),
    (error) => code("connector_not_found")(error) && (error as VaultError).connector === "twiterConnectorId",
  );
  assert.throws(
    () => vault.connector("twiterConnectorId"),
    (error) => code("connector_not_found")(error) && (error as VaultError).hint === undefined,
  );
  assert.equal(vault.similar("twiterConnectorId"), 'did you mean "twitterConnectorId"?');
  assert.equal(vault.similar("slack"), undefined);
  assert.deepEqual(
    [vault.has(TWITTER.id), vault.has("twiterConnectorId"), vault.has(id)],
    [true, false, false],
  );
  const added = await vault.run({
    ActionType: "CredStore.AddConnectorEntry",
    Parameters: { TypeName: "T", EntryName: "E" },
  });
  assert.equal(vault.connector(added.id).name, "E");
  assert.deepEqual(
    vault.connectors().map(({ name }) => name),
    ["E", TWITTER.name],
  );
  const first = vault.list({ count: 1 });
  const second = vault.list({ from: first.next, count: 1 });
  const listed = [...first.connectors, ...second.connectors].map(({ id }) => id);
  assert.deepEqual(listed.sort(), [added.id, TWITTER.id].sort());
  assert.deepEqual(vault.list({ from: second.next ?? "end" }), { connectors: [], damaged: [] });
  assert.throws(() => vault.list({ from: "nowhere" }), code("invalid_argument"));
  assert.equal(vault.size, 2);
});

test("a connector is described, deleted and undeleted", async () => {
  const { vault } = await example();
  const { id } = TWITTER;
  const description = { name: "Other", meta: { expires: "2027-01-31T00:00:00.000Z", tags: "a b" } };
  assert.equal((await vault.planDescribe(id, description)).op, "describe");
  assert.equal((await vault.describe(id, description)).status, "described");
  const described = vault.connector(id);
  assert.deepEqual([described.name, described.type, described.version], ["Other", TWITTER.type, 2]);
  assert.deepEqual(described.meta, description.meta);
  assert.deepEqual(described.changed, []);
  assert.equal(described.rotatedAt, vault.history(id)[0]?.rotatedAt);
  await vault.describe(id, { meta: { tags: null, team: "t" } }, { note: "why", ifVersion: 2 });
  assert.deepEqual(Object.keys(vault.connector(id).meta).sort(), ["expires", "team"]);
  assert.equal((await vault.describe(id, { meta: { team: "t", tags: null } })).status, "unchanged");
  await assert.rejects(vault.describe(id, { name: "" }), code("invalid_connector_name"));
  await assert.rejects(vault.describe(id, { meta: { a: "" } }), code("invalid_argument"));
  await assert.rejects(vault.describe(id, { name: "N" }, { ifVersion: 2 }), code("conflict"));
  const misspelt = { meta: { a: 1 } } as unknown as { meta: Record<string, string> };
  await assert.rejects(vault.describe(id, misspelt), code("invalid_argument"));

  assert.equal((await vault.moveConnector(id, "default")).status, "unchanged");
  await assert.rejects(vault.planMove(id, "nowhere"), code("group_not_found"));
  await assert.rejects(vault.moveConnector("nobody", "default"), code("connector_not_found"));

  await assert.rejects(vault.undelete(id), code("connector_exists"));
  await vault.deleteConnector(id);
  await assert.rejects(vault.undelete(id, { version: 9 }), code("version_not_found"));
  const plan = await vault.planUndelete(id, { version: 1 });
  assert.deepEqual([plan.op, plan.outcome.versionBefore], ["undelete", null]);
  plan.dispose();
  const back = await vault.undelete(id, { note: "again" });
  assert.deepEqual([back.status, back.versionAfter], ["restored", 5]);
  const now = vault.connector(id);
  assert.deepEqual([now.name, now.op, now.source, now.note], ["Other", "undelete", 3, "again"]);
  assert.equal((await vault.read(id)).properties["APIKey"], "s3cret-old");
  await assert.rejects(vault.undelete("nobody"), code("connector_not_found"));
});

test("plans of every kind, and several in one commit", async () => {
  const { vault } = await example();
  const create = await vault.planCreate({ id: "a", name: "A", type: "T" });
  assert.equal((await vault.commit(create)).status, "created");
  const remove = await vault.planDelete("a");
  assert.equal((await vault.commit(remove)).status, "deleted");
  assert.equal((await vault.planRestore(TWITTER.id, 1)).isUnchanged, true);
  const { seq } = vault.head;
  const two = [
    await vault.planCreate({ id: "b", name: "B", type: "T" }),
    await vault.plan(update('{"B": "1"}')),
  ];
  assert.equal((await vault.commitAll(two)).length, 2);
  assert.equal(vault.head.seq, seq + 1, "one commit");
  await vault.deleteConnector("b");
  const outcomes = await vault.import({
    connectors: [
      { id: "i1", name: "1", type: "T", properties: { a: "1" } },
      { id: "i2", name: "2", type: "T", properties: {} },
    ],
  });
  assert.deepEqual(
    outcomes.map(({ id, status }) => [id, status]),
    [
      ["i1", "created"],
      ["i2", "created"],
    ],
  );
  assert.equal(vault.head.seq, seq + 3, "one commit");
  const twice = { connectors: [TWITTER, { ...TWITTER, id: "i3" }] };
  await assert.rejects(vault.import(twice), code("connector_exists"));
  assert.throws(() => vault.connector("i3"), code("connector_not_found"), "all or none");
  const doubled = { connectors: [TWITTER, TWITTER] };
  await assert.rejects(vault.import(doubled), code("connector_exists"));
  const misspelt = '{"connectors": [{"id": "x", "name": "N", "type": "T", "propertys": {}}]}';
  await assert.rejects(vault.import(misspelt), code("unknown_parameter"));
  const unset = { name: "N", type: "T", properties: { APIKey: undefined } };
  await assert.rejects(vault.createConnector(unset), code("invalid_argument"));
  const exported = await vault.export();
  assert.equal(exported.connectors.length, 3);
  const other = await example();
  await other.vault.deleteConnector(TWITTER.id);
  await other.vault.purge();
  await other.vault.import(exported);
  assert.deepEqual((await other.vault.read("i1")).properties, { a: "1" });
});

test("a rotator writes what it cannot read", async () => {
  const { vault, storage, vaultId } = await example();
  const identity = Identity.generate();
  await vault.grant("rotation", "rotator", { key: identity.grantKey });
  const rotation = await Vault.open(storage, { identity, vaultId });
  assert.equal(rotation.role, "rotator");
  const plan = await rotation.plan(update('{"APIKey": "rotated", "Region": "eu"}'));
  assert.deepEqual(
    plan.outcome.changes.map(({ name, change }) => [name, change]),
    [
      ["APIKey", "written"],
      ["Region", "written"],
    ],
  );
  await rotation.commit(plan);
  const listed = rotation.connector(TWITTER.id);
  assert.deepEqual([listed.op, listed.author, listed.version], ["patch", "rotation", 2]);
  await assert.rejects(rotation.read(TWITTER.id), code("not_permitted"));
  await assert.rejects(rotation.restore(TWITTER.id, 1), code("not_permitted"));
  const merged = update('{"APIKey": {"a": "b"}}');
  await assert.rejects(rotation.plan(merged, { nested: "merge" }), code("not_permitted"));
  assert.throws(() => rotation.badPatches(TWITTER.id), code("not_permitted"));

  await vault.refresh();
  const { properties } = await vault.read(TWITTER.id);
  assert.equal(properties["APIKey"], "rotated");
  assert.equal(properties["Region"], "eu");
  assert.deepEqual(vault.badPatches(TWITTER.id), []);
  await vault.run(update('{"Region": "us"}'));
  assert.equal((await vault.read(TWITTER.id)).properties["APIKey"], "rotated");
  // Nobody deposits any more, and the values stay.
  await vault.revoke("rotation");
  assert.equal((await vault.read(TWITTER.id)).properties["APIKey"], "rotated");
});

test("a rotator of one group lists all and reads nothing", async () => {
  const { vault, storage, vaultId } = await example();
  await vault.addGroup("payments");
  await vault.createConnector({
    id: "p",
    name: "P",
    type: "T",
    group: "payments",
    properties: { APIKey: "a" },
  });
  const identity = Identity.generate();
  const rights = [{ role: "viewer" }, { role: "rotator", group: "payments" }] as const;
  await vault.grant("rotation", rights, { key: identity.grantKey });
  const rotation = await Vault.open(storage, { identity, vaultId });
  assert.deepEqual(rotation.rights, [
    { group: "*", role: "viewer" },
    { group: "payments", role: "rotator" },
  ]);
  assert.deepEqual(
    rotation
      .connectors()
      .map(({ id }) => id)
      .sort(),
    ["p", TWITTER.id].sort(),
  );
  await assert.rejects(rotation.update(TWITTER.id, { APIKey: "b" }), code("not_permitted"));
  for (const id of ["p", TWITTER.id]) await assert.rejects(rotation.read(id), code("not_permitted"));
  const { changes } = await rotation.update("p", { APIKey: "b" });
  assert.deepEqual(
    changes.map(({ change }) => change),
    ["written"],
  );
  await vault.refresh();
  assert.equal((await vault.read("p")).properties["APIKey"], "b");
});

test("roles, revocation, passphrases", async () => {
  const { vault, storage, vaultId } = await example();
  const service = Identity.generate();
  await vault.grant("ci", "updater", { key: service.grantKey });
  await assert.rejects(vault.grant("ci", "viewer", { key: service.grantKey }), code("grant_exists"));
  assert.match(service.fingerprint, /^([a-z2-7]{4}-){5}[a-z2-7]{4}$/);
  assert.equal(vault.grants().find(({ label }) => label === "ci")?.fingerprint, service.fingerprint);
  await vault.grant("human", "viewer", { passphrase: "viewer's", cost: CHEAP });

  const ci = await Vault.open(storage, { identity: service, vaultId });
  await ci.run(update('{"APIKey": "by ci"}'));
  await assert.rejects(ci.deleteConnector(TWITTER.id), code("not_permitted"));
  const viewer = await Vault.open(storage, { passphrase: "viewer's", grant: "human" });
  assert.deepEqual([viewer.role, viewer.label], ["viewer", "human"]);
  assert.equal(viewer.connectors()[0]?.author, "ci");
  await assert.rejects(viewer.read(TWITTER.id), code("not_permitted"));
  await viewer.setPassphrase("another", { cost: CHEAP });
  await assert.rejects(Vault.open(storage, { passphrase: "viewer's" }), code("wrong_passphrase"));
  (await Vault.open(storage, { passphrase: "another" })).lock();

  const raised = await vault.setRights("human", "reader");
  assert.deepEqual(raised, { exposed: [], falseVersions: [], damaged: [], forgotten: [] });
  const revoked = await vault.revoke("ci");
  assert.deepEqual(revoked.exposed, [TWITTER.id]);
  await assert.rejects(ci.run(update('{"A": "b"}')), code("wrong_identity"));
  assert.deepEqual(
    vault.grants().map(({ label, rights, hasPassphrase, isOwn }) => [label, rights, hasPassphrase, isOwn]),
    [
      ["ops", [{ group: "*", role: "owner" }], false, true],
      ["human", [{ group: "*", role: "reader" }], true, false],
    ],
  );
  await assert.rejects(vault.revoke("ops"), code("last_owner"));
  await assert.rejects(vault.revoke("nobody"), code("grant_not_found"));
  const unsound = (await vault.verify()).filter(({ problems }) => problems.length > 0);
  assert.deepEqual(unsound, []);
  const log = await vault.log();
  assert.deepEqual([...(await vault.log({ count: 1 })), ...(await vault.log({ from: 1 }))], log);
  assert.deepEqual(await vault.log({ from: log.length }), []);
  assert.ok(log.every(({ signature }) => signature === "valid"));
  assert.ok(log[0]?.snapshot);
});

test("groups: connectors, rights and names", async () => {
  const { vault, storage, vaultId } = await example();
  await vault.addGroup("payments");
  await assert.rejects(vault.addGroup("payments"), code("group_exists"));
  await assert.rejects(vault.addGroup("*"), code("invalid_argument"));
  const stripe = {
    id: "stripe",
    name: "Stripe",
    type: "Stripe",
    group: "payments",
    properties: { Key: "s3cret" },
  };
  await vault.createConnector(stripe);
  await assert.rejects(
    vault.createConnector({ ...stripe, id: "s", group: "elsewhere" }),
    code("group_not_found"),
  );
  assert.deepEqual(
    vault.connectors().map(({ id, group }) => [id, group]),
    [
      ["stripe", "payments"],
      [TWITTER.id, "default"],
    ],
  );

  const [one, both] = [Identity.generate(), Identity.generate()];
  await vault.grant("one", [{ role: "updater", group: "payments" }], { key: one.grantKey });
  const rights = [{ role: "viewer" }, { role: "reader", group: "payments" }] as const;
  await vault.grant("both", rights, { key: both.grantKey }, { until: "2027-01-31T00:00:00.000Z" });
  assert.deepEqual(vault.groups(), [
    { name: "default", connectors: 1, grants: ["ops", "both"] },
    { name: "payments", connectors: 1, grants: ["ops", "one", "both"] },
  ]);
  const member = await Vault.open(storage, { identity: one, vaultId });
  assert.deepEqual(
    member.connectors().map(({ id }) => id),
    ["stripe"],
  );
  assert.deepEqual(member.rights, [{ group: "payments", role: "updater" }]);
  assert.deepEqual(
    member.groups().map(({ name }) => name),
    [null, "payments"],
  );
  await assert.rejects(member.read(TWITTER.id), code("not_permitted"));
  await assert.rejects(member.update(TWITTER.id, { APIKey: "x" }), code("not_permitted"));
  await assert.rejects(member.addGroup("x"), code("not_permitted"));
  assert.equal((await member.update("stripe", { Key: "new" })).status, "updated");
  const mixed = await Vault.open(storage, { identity: both, vaultId });
  assert.equal(mixed.size, 2);
  assert.deepEqual((await mixed.read("stripe")).properties, { Key: "new" });
  await assert.rejects(mixed.read(TWITTER.id), code("not_permitted"));

  await vault.renameGroup("payments", "a\u0308");
  assert.equal(vault.groups()[1]?.name, "\u00e4");
  await assert.rejects(vault.renameGroup("default", "x"), code("invalid_argument"));
  await assert.rejects(vault.removeGroup("\u00e4"), code("group_not_empty"));
  await vault.deleteConnector("stripe");
  await assert.rejects(vault.removeGroup("\u00e4"), code("group_not_empty"));
  assert.deepEqual(await vault.removeGroup("\u00e4", { deletesTo: "default" }), {
    connectors: ["stripe"],
    revoked: ["one"],
    falseVersions: [],
    damaged: [],
    forgotten: [],
  });
  assert.equal(vault.head.epoch, 2);
  assert.deepEqual(
    vault.history("stripe").map(({ version, op, group }) => [version, op, group]),
    [[4, "delete", "default"]],
  );
  const add = {
    ActionType: "CredStore.AddConnectorEntry",
    Parameters: { TypeName: "T", EntryName: "N" },
  } as const;
  await vault.addGroup("payments");
  const added = await vault.run(add, { group: "payments" });
  assert.equal(vault.connector(added.id).group, "payments");
  await assert.rejects(vault.run(update("{}"), { group: "payments" }), code("invalid_argument"));
});

test("rights are replaced, and have a date", async () => {
  const { vault, storage, vaultId } = await example();
  const identity = Identity.generate();
  await vault.grant("ci", "reader", { key: identity.grantKey });
  const until = "2027-01-31T00:00:00.000Z";
  const ci = () => vault.grants().find(({ label }) => label === "ci");
  await vault.setRights("ci", undefined, { until });
  assert.equal(ci()?.until, until);
  await vault.setRights("ci", [{ role: "updater", group: "default" }, { role: "viewer" }]);
  assert.equal(vault.head.epoch, 2);
  assert.equal(ci()?.until, until);
  const reduced = await vault.setRights("ci", "viewer", { until: null });
  assert.deepEqual(reduced.exposed, [TWITTER.id]);
  assert.deepEqual([ci()?.until, ci()?.rights], [null, [{ group: "*", role: "viewer" }]]);
  await assert.rejects(
    (await Vault.open(storage, { identity, vaultId })).read(TWITTER.id),
    code("not_permitted"),
  );
  await assert.rejects(vault.setRights("ci", [{ role: "reader", group: "x" }]), code("group_not_found"));
  await assert.rejects(vault.setRights("ci", []), code("invalid_argument"));
  await assert.rejects(vault.setRights("ci", "king" as "owner"), code("invalid_argument"));
  await assert.rejects(vault.setRights("ops", "viewer"), code("last_owner"));
  await assert.rejects(vault.setRights("ci", undefined, { until: "soon" }), code("invalid_argument"));
});

test("a grant gets a new identity", async () => {
  const { vault, storage, identity, vaultId } = await example();
  const next = Identity.generate();
  await assert.rejects(vault.renew("ops", { key: next.grantKey }), code("invalid_argument"));
  await assert.rejects(vault.renew("nobody", { identity: next }), code("grant_not_found"));
  const renewed = await vault.renew("ops", { identity: next });
  assert.deepEqual(renewed.exposed, [TWITTER.id]);
  // The vault is open by it.
  await vault.run(update('{"APIKey": "later"}'));
  await assert.rejects(Vault.open(storage, { identity, vaultId }), code("wrong_identity"));
  (await Vault.open(storage, { identity: next, vaultId })).lock();
  await vault.renew("ops", { passphrase: "a new one", cost: CHEAP });
  (await Vault.open(storage, { passphrase: "a new one" })).lock();
  const key = new Uint8Array(32).fill(7);
  await vault.renew("ops", { externalKey: key });
  (await Vault.open(storage, { key })).lock();

  const [former, later] = [Identity.generate(), Identity.generate()];
  await vault.grant("ci", "updater", { key: former.grantKey });
  await vault.renew("ci", { key: later.grantKey });
  await assert.rejects(Vault.open(storage, { identity: former, vaultId }), code("wrong_identity"));
  assert.equal((await Vault.open(storage, { identity: later, vaultId })).label, "ci");
  await assert.rejects(vault.renew("ci", { key: former.grantKey }), code("invalid_grant_key"));
  assert.deepEqual(
    vault.history(TWITTER.id).map(({ signedBy }) => signedBy),
    ["ops", "ops"],
  );
});

test("an identity alone does not say which vault to trust", async () => {
  const { storage, identity, vaultId } = await example();
  await assert.rejects(Vault.open(storage, { identity }), code("vault_id_required"));
  await assert.rejects(Vault.open(storage, {} as OpenOptions), code("invalid_argument"));
  await assert.rejects(Vault.open(storage, { identity: "x", vaultId }), code("invalid_identity"));
  const text = identity.toText();
  assert.ok(!inspect(identity, { showHidden: true }).includes(text));
  (await Vault.open(storage, { identity: text, vaultId })).lock();
  identity.dispose();
  assert.throws(() => identity.toText(), code("invalid_argument"));
});

test("copies that were changed apart merge, and a conflict is named", async () => {
  const { vault, storage, identity, vaultId } = await example();
  const fork = new MemoryStorage(await storage.read());
  const theirs = await Vault.open(fork, { identity, vaultId });
  await vault.run(update('{"Endpoint": "ours", "A": "1"}'));
  await theirs.run(update('{"Endpoint": "theirs", "B": "1"}'));
  const plan = await vault.planMerge(fork);
  const [conflict] = plan.conflicts;
  assert.ok(conflict !== undefined && plan.conflicts.length === 1);
  const { oursAt, theirsAt, ...told } = conflict;
  assert.ok(Date.parse(oursAt) > 0 && Date.parse(theirsAt) > 0);
  assert.deepEqual(told, {
    id: TWITTER.id,
    kind: "property",
    property: "Endpoint",
    oursBy: "ops",
    theirsBy: "ops",
    winner: null,
  });
  await assert.rejects(vault.merge(fork), code("merge_conflict"));
  const outcomes = await vault.merge(await fork.read(), { resolve: "theirs" });
  assert.equal(outcomes.length, 1);
  const { properties } = await vault.read(TWITTER.id);
  assert.deepEqual([properties["Endpoint"], properties["A"], properties["B"]], ["theirs", "1", "1"]);
  const later = new MemoryStorage(await storage.read());
  await (await Vault.open(later, { identity, vaultId })).deleteConnector(TWITTER.id);
  assert.deepEqual(plan.deleted, []);
  assert.deepEqual((await vault.planMerge(later)).deleted, [TWITTER.id]);
  const other = await example();
  await assert.rejects(vault.merge(other.storage), code("not_mergeable"));
});

test("compaction and purge", async () => {
  const { vault } = await example();
  for (let number = 0; number < 12; number++) await vault.run(update(`{"A": "${number}"}`));
  await vault.compact();
  assert.equal(vault.history(TWITTER.id).length, 10);
  for (const keep of [0, -1, 1.5, NaN]) {
    await assert.rejects(vault.compact({ keep }), code("invalid_argument"));
  }
  await vault.compact({ keep: 2 });
  assert.equal(vault.history(TWITTER.id).length, 2);
  await vault.purge([TWITTER.id]);
  assert.equal(vault.history(TWITTER.id).length, 1);
  await assert.rejects(vault.purge(["nope"]), code("connector_not_found"));
});

test("a repair saves what is intact", async () => {
  const { storage, identity, vaultId } = await example();
  const end = (await storage.read()).length;
  await (
    await Vault.open(storage, { identity, vaultId })
  ).createConnector({ id: "other", name: "N", type: "T" });
  const bytes = await storage.read();
  bytes[end - 5] = (bytes[end - 5] ?? 0) ^ 1;
  const damaged = new MemoryStorage(bytes);
  const opened = await Vault.open(damaged, { identity, vaultId });
  await assert.rejects(opened.read(TWITTER.id), code("damaged"));
  await opened.update("other", { APIKey: "it works" });
  assert.equal((await opened.read("other")).properties["APIKey"], "it works");
  const out = new MemoryStorage();
  const { vault, report } = await Vault.repair(damaged, out, { identity, vaultId });
  assert.equal(report.lost.length, 1);
  assert.ok((await vault.verify()).every(({ problems }) => problems.length === 0));
  await vault.createConnector(TWITTER);
});

test("a torn tail is reported, and makes room", async () => {
  const { vault, storage, identity, vaultId } = await example();
  const whole = await storage.read();
  await vault.run(update('{"A": "1"}'));
  const torn = (await storage.read()).slice(0, whole.length + 30);
  const kept = new MemoryStorage(torn);
  const again = await Vault.open(kept, { identity, vaultId });
  assert.deepEqual(again.report.torn, { offset: whole.length, len: 30 });
  await again.run(update('{"A": "2"}'));
  const opened = await Vault.open(kept, { identity, vaultId });
  assert.equal(opened.report.torn, null);
  assert.equal((await opened.read(TWITTER.id)).properties["A"], "2");
});

interface Warned {
  readonly code: string;
  readonly message: string;
}

/** Heads in memory. */
class Heads implements KnownHeads {
  readonly kept = new Map<string, KnownHead>();

  async get(vaultId: string, place: string) {
    return this.kept.get(`${vaultId} ${place}`);
  }

  async remember(vaultId: string, place: string, known: KnownHead) {
    this.kept.set(`${vaultId} ${place}`, known);
  }

  async forget(vaultId: string, place: string) {
    this.kept.delete(`${vaultId} ${place}`);
  }

  async vaultsAt(place: string) {
    return this.#entries()
      .filter((entry) => entry.place === place)
      .map(({ known }) => known.head.vaultId);
  }

  async placesOf(vaultId: string) {
    return this.#entries().filter(({ known }) => known.head.vaultId === vaultId);
  }

  #entries() {
    return [...this.kept].map(([key, known]) => ({ place: key.split(" ")[1] ?? "", known }));
  }
}

test("whoever has seen a copy goes on with what it was merged into, also at a lower seq", async () => {
  const heads = new Heads();
  const bob = new MemoryStorage(undefined, { places: ["bob"], heads });
  const { vault, identity } = await example(bob);
  const alice = new MemoryStorage(await bob.read());
  for (const value of ["1", "2", "3"]) await vault.run(update(`{"A": "${value}"}`));
  vault.lock();
  const before = await bob.read();
  const merging = await Vault.open(alice, { identity, vaultId: vault.id, heads: null });
  await merging.merge(before);
  const merged = new MemoryStorage(await alice.read(), { places: ["bob"], heads });
  const opened = await Vault.open(merged, { identity });
  assert.equal(opened.report.continuity, "continues");
  assert.equal((await opened.read(TWITTER.id)).properties["A"], "3");
  opened.lock();
  // From now on the former copy is an old one.
  const former = new MemoryStorage(before, { places: ["bob"], heads });
  await assert.rejects(Vault.open(former, { identity }), code("forked"));
});

test("another vault at a known place is refused until it is taken on purpose", async () => {
  const heads = new Heads();
  await example(new MemoryStorage(undefined, { places: ["here"], heads }));
  const other = await example();
  const bytes = await other.storage.read();
  const there = () => new MemoryStorage(bytes, { places: ["here"], heads });
  const { identity } = other;
  await assert.rejects(Vault.open(there(), { identity }), code("other_vault"));
  const { reference } = other.vault;
  assert.match(reference, /^cvault-vault-1[\w-]{107}$/);
  (await Vault.open(there(), { identity, vaultReference: reference })).lock();
  (await Vault.open(there(), { identity })).lock();
  await assert.rejects(
    Vault.open(there(), { identity, heads: null, vaultReference: `${reference.slice(0, -1)}_` }),
    code("invalid_vault_reference"),
  );
});

test("an older copy elsewhere says where the newer one was seen", async () => {
  const heads = new Heads();
  const storage = new MemoryStorage(undefined, { places: ["here"], heads });
  const { vault, identity, vaultId } = await example(storage);
  const backup = new MemoryStorage(await storage.read(), { places: ["backup"], heads });
  await vault.run(update('{"A": "1"}'));
  const told: string[] = [];
  Object.assign(backup, { warn: ({ code, message }: Warned) => told.push(`${code}: ${message}`) });
  (await Vault.open(backup, { identity, vaultId })).lock();
  assert.equal(told.length, 1);
  assert.match(told[0] ?? "", /^seen_newer: this copy is at commit \d+, but commit \d+ .* seen at here$/);
});

test("a rollback is refused, unless it is accepted", async () => {
  const heads = new Heads();
  const storage = new MemoryStorage(undefined, { places: ["here"], heads });
  const { vault, identity, vaultId } = await example(storage);
  const old = await storage.read();
  await vault.run(update('{"A": "1"}'));
  const rolledBack = new MemoryStorage(old, { places: ["here"], heads });
  await assert.rejects(Vault.open(rolledBack, { identity, vaultId }), code("rolled_back"));
  (await Vault.open(rolledBack, { identity, vaultId, heads: null })).lock();
  const accepted = await Vault.open(rolledBack, { identity, accept: true });
  assert.equal(heads.kept.size, 1);
  accepted.lock();
  // What is known of it says which vault it is.
  (await Vault.open(rolledBack, { identity })).lock();
  await assert.rejects(
    Vault.open(new MemoryStorage(old), { identity, known: vault.knownHead }),
    code("rolled_back"),
  );
});

/** Storage whose writer may be at work: it then may bring back the bytes that stood there before. */
class Unsettled extends MemoryStorage {
  isAtWork = false;
  syncs = 0;

  async stays() {
    return !this.isAtWork;
  }

  async sync() {
    this.syncs++;
  }

  async put(bytes: Uint8Array) {
    const standing = (await this.read()).length;
    await this.replace(bytes, { start: new Uint8Array(), marks: [], end: standing, torn: 0 });
  }
}

test("a commit whose writer is at work is seen, and is no witness", async () => {
  const heads = new Heads();
  const { vault, storage, identity, vaultId } = await example();
  const before = await storage.read();
  await vault.run(update('{"A": "withdrawn"}'));
  const shared = new Unsettled(await storage.read(), { places: ["here"], heads });
  const seq = () => heads.kept.get(`${vaultId} here`)?.head.seq;

  shared.isAtWork = true;
  const reader = await Vault.open(shared, { identity, vaultId });
  assert.equal((await reader.read(TWITTER.id)).properties["A"], "withdrawn");
  assert.equal(reader.knownHead?.head.seq, 1);
  assert.equal(seq(), 1);
  await shared.put(before);
  await reader.refresh();
  assert.equal((await reader.read(TWITTER.id)).properties["A"], undefined);
  // Another commit in the place of the one that was withdrawn.
  const elsewhere = new MemoryStorage(before);
  const writer = await Vault.open(elsewhere, { identity, vaultId });
  await writer.run(update('{"A": "other"}'));
  await shared.put(await elsewhere.read());
  shared.isAtWork = false;
  await reader.refresh();
  assert.equal((await reader.read(TWITTER.id)).properties["A"], "other");
  assert.equal(seq(), 2);
  await shared.put(before);
  await assert.rejects(reader.refresh(), code("rolled_back"));
});

test("a head is remembered once its writer is done, though nothing is new", async () => {
  const heads = new Heads();
  const { storage, identity, vaultId } = await example();
  const shared = new Unsettled(await storage.read(), { places: ["here"], heads });
  shared.isAtWork = true;
  const reader = await Vault.open(shared, { identity, vaultId });
  assert.equal(reader.knownHead?.head.seq, 0);
  shared.isAtWork = false;
  await reader.refresh();
  assert.equal(reader.knownHead?.head.seq, 1);
  assert.equal(heads.kept.get(`${vaultId} here`)?.head.seq, 1);
});

test("an answer that writes nothing is made durable", async () => {
  const { vault, storage, identity, vaultId } = await example();
  const shared = new Unsettled(await storage.read());
  const again = await Vault.open(shared, { identity, vaultId });
  await again.run(update('{"A": "1"}'));
  assert.equal(shared.syncs, 0);
  assert.equal((await again.run(update('{"A": "1"}'))).status, "unchanged");
  assert.equal(shared.syncs, 1);
  vault.lock();
});

test("who writes while a vault is opened rolls nothing back", async () => {
  const heads = new Heads();
  const storage = new MemoryStorage(undefined, { places: ["here"], heads });
  const { vault, identity, vaultId } = await example(storage);
  const racing = new Racing(storage, () => Promise.resolve());
  Object.assign(racing, { places: ["here"], heads });
  let number = 0;
  racing.read = async () => {
    const bytes = await storage.read();
    // Between each reading of the bytes and of the heads.
    await vault.run(update(`{"A": "${++number}"}`));
    return bytes;
  };
  const opened = await Vault.open(racing, { identity, vaultId });
  assert.equal(number, 2);
  assert.equal((await opened.read(TWITTER.id)).properties["A"], "1");
});

/** Storage that only just fulfils the contract: no locks, no events, and another writer in every gap. */
class Racing implements VaultStorage {
  readonly places = [];
  races = 0;

  constructor(
    readonly inner: MemoryStorage,
    readonly race: () => Promise<unknown>,
  ) {}

  create(file: Uint8Array) {
    return this.inner.create(file);
  }

  read() {
    return this.inner.read();
  }

  compare(known: LogEnd) {
    return this.inner.compare(known);
  }

  async append(commit: Uint8Array, known: LogEnd) {
    if (this.races-- > 0) await this.race();
    return await this.inner.append(commit, known);
  }

  replace(file: Uint8Array, known: LogEnd) {
    return this.inner.replace(file, known);
  }
}

test("who loses a race plans again", async () => {
  const inner = new MemoryStorage();
  const { vault: rival, identity, vaultId } = await example(inner);
  await rival.createConnector({ id: "other", name: "O", type: "T" });
  let number = 0;
  const racing = new Racing(inner, () => rival.run(update(`{"B": "${++number}"}`)));
  const vault = await Vault.open(racing, { identity, vaultId });
  const origins: string[] = [];
  vault.addEventListener("change", ({ origin }) => origins.push(origin));
  racing.races = 5;
  const outcome = await vault.run(update('{"A": "1"}'));
  assert.equal(outcome.versionAfter, 7, "one of five others and the first before it");
  assert.deepEqual(origins, [...Array<string>(5).fill("other"), "own"]);
  const { properties } = await vault.read(TWITTER.id);
  assert.deepEqual([properties["A"], properties["B"]], ["1", "5"]);

  // A plan is exact: it is repeated for the sake of the log, not of its connector.
  const plan = await vault.plan(update('{"A": "2"}'));
  racing.races = 1;
  await assert.rejects(vault.commit(plan), code("conflict"));
  const elsewhere = await vault.plan(update('{"A": "2"}', "other"));
  racing.races = 2;
  assert.equal((await vault.commit(elsewhere)).status, "updated");
});

test("a plan belongs to the vault that made it", async () => {
  const [one, other] = [await example(), await example()];
  const plan = await one.vault.plan(update('{"A": "1"}'));
  await assert.rejects(other.vault.commit(plan), code("conflict"));
  await one.vault.commit(plan);
});

/** Storage that calls back while a commit is on its way. */
class Slow extends MemoryStorage {
  during: () => void | Promise<void> = () => undefined;

  override async append(commit: Uint8Array, known: LogEnd) {
    await super.append(commit, known);
    await this.during();
  }
}

test("what is being stored when the vault is locked is stored, and says so", async () => {
  const storage = new Slow();
  const { vault, identity, vaultId } = await example(storage);
  storage.during = () => vault.lock();
  const outcome = await vault.run(update('{"A": "1"}'));
  assert.equal(outcome.status, "updated");
  assert.equal(vault.isLocked, true);
  const opened = await Vault.open(storage, { identity, vaultId });
  assert.equal((await opened.read(TWITTER.id)).properties["A"], "1");
});

test("who waits for a turn can give up, and who has begun does not", async () => {
  const storage = new Slow();
  const { vault } = await example(storage);
  const [waiting, begun] = [new AbortController(), new AbortController()];
  let second: Promise<unknown> = Promise.resolve();
  storage.during = async () => {
    storage.during = () => undefined;
    second = vault.run(update('{"A": "2"}'), { signal: waiting.signal });
    waiting.abort(new Error("never mind"));
    await assert.rejects(second, /never mind/);
    begun.abort();
  };
  const outcome = await vault.run(update('{"A": "1"}'), { signal: begun.signal });
  assert.equal(outcome.status, "updated");
  assert.equal((await vault.read(TWITTER.id)).properties["A"], "1");
});

test("buffers of Node are neither moved nor wiped", async () => {
  const { vault, storage, identity, vaultId } = await example();
  await vault.setPassphrase("correct horse", { cost: CHEAP });
  const file = Buffer.from(await storage.read());
  const shared = Buffer.alloc(file.length + 20, 7);
  shared.set(file, 10);
  const view = shared.subarray(10, 10 + file.length);
  for (const bytes of [file, view]) {
    for (const secret of [{ passphrase: "correct horse" }, { identity, vaultId }]) {
      const memory = new MemoryStorage(bytes);
      const opened = await Vault.open(memory, secret);
      await opened.run(update('{"A": "1"}'));
      assert.ok((memory.bytes?.length ?? 0) > bytes.length);
      const plain = new Racing(new MemoryStorage(bytes), () => Promise.resolve());
      plain.read = () => Promise.resolve(bytes);
      await (await Vault.open(plain, secret)).refresh();
    }
  }
  assert.deepEqual([...file], [...(await storage.read())]);
  assert.deepEqual([...view], [...file]);
  assert.deepEqual([...shared.subarray(0, 10)], Array<number>(10).fill(7));
});

test("a run that changes nothing still moves the witness on", async () => {
  const heads = new Heads();
  const storage = new MemoryStorage(undefined, { places: ["here"], heads });
  const { vault, identity, vaultId } = await example(storage);
  const other = await Vault.open(storage, { identity, vaultId, heads: null });
  await other.run(update('{"A": "1"}'));
  const outcome = await vault.run(update('{"A": "1"}'));
  assert.equal(outcome.status, "unchanged");
  assert.equal([...heads.kept.values()][0]?.head.seq, other.head.seq);
});

test("many changes of one vault at once", async () => {
  const { vault, storage, identity, vaultId } = await example();
  const other = await Vault.open(storage, { identity, vaultId });
  const runs = Array.from({ length: 40 }, (_, number) =>
    (number % 2 === 0 ? vault : other).run(update(`{"P${number}": "1"}`)),
  );
  const versions = (await Promise.all(runs)).map(({ versionAfter }) => versionAfter);
  assert.equal(new Set(versions).size, 40);
  await vault.refresh();
  assert.equal(vault.connector(TWITTER.id).properties.length, 44);
});

test("a log that grew is compacted by itself", async () => {
  const { vault } = await example();
  const value = "x".repeat(60_000);
  for (let number = 0; number < 30; number++) await vault.run(update(`{"A": "${number}${value}"}`));
  assert.ok(((await vault.log())[0]?.seq ?? 0) > 0, "the log begins with a newer snapshot");
  // The newest ten are kept, of an earlier compaction some more.
  const versions = vault.history(TWITTER.id).map(({ version }) => version);
  assert.deepEqual(versions.slice(-10), [22, 23, 24, 25, 26, 27, 28, 29, 30, 31]);
  assert.ok(versions.length < 31, `${versions}`);
  assert.ok((await vault.verify()).every(({ problems }) => problems.length === 0));
});

test("what is locked is wiped and says so", async () => {
  const { vault } = await example();
  const plan = await vault.plan(update('{"A": "1"}'));
  let events = 0;
  vault.addEventListener("lock", () => events++);
  await vault[Symbol.asyncDispose]();
  vault.lock();
  assert.equal(events, 1);
  assert.equal(vault.isLocked, true);
  assert.throws(() => vault.connectors(), code("locked"));
  assert.throws(() => plan.core, code("invalid_argument"));
  let asked = 0;
  await assert.rejects(vault.run(update('{"A": "[B]"}'), { tokens: () => `${asked++}` }), code("locked"));
  assert.equal(asked, 0);
  await assert.rejects(vault.run(update("{}")), code("locked"));
  await assert.rejects(vault.refresh(), code("locked"));
});

test("what takes long can be given up", async () => {
  const storage = new MemoryStorage();
  const vault = await Vault.create(storage, { passphrase: "correct horse" });
  await vault.createConnector(TWITTER);
  const stop = new AbortController();
  const opening = Vault.open(storage, { passphrase: "correct horse", signal: stop.signal });
  stop.abort(new Error("enough"));
  await assert.rejects(opening, /enough/);
  const tokens = () => new Promise<string>(() => undefined);
  const asking = new AbortController();
  const run = vault.run(update('{"A": "[B]"}'), {
    signal: asking.signal,
    tokens: (_, signal) => {
      const given = new Promise<string>((_, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason as Error));
      });
      asking.abort(new Error("never mind"));
      return Promise.race([given, tokens()]);
    },
  });
  await assert.rejects(run, /never mind/);
  const before = AbortSignal.abort(new Error("before"));
  await assert.rejects(vault.run(update('{"A": "1"}'), { signal: before }), /before/);
  assert.equal((await vault.run(update('{"A": "1"}'))).status, "updated");
  (await Vault.open(storage, { passphrase: "correct horse" })).lock();
});

test("the module works on after everything that it refuses", async () => {
  await ready();
  const cost = (memoryKib: number, passes = 1, lanes = 1) => ({ memoryKib, passes, lanes });
  for (const refused of [
    cost(1),
    cost(4_194_304),
    cost(524_288),
    cost(262_144, 16),
    cost(19_456, 0),
    cost(19_456, 1, 9),
  ]) {
    const create = Vault.create(new MemoryStorage(), { passphrase: "p", cost: refused });
    await assert.rejects(create, code("cost_out_of_range"));
  }
  for (const wrong of [cost(-1), cost(1.5), { memoryKib: 19_456 } as KdfCost]) {
    const create = Vault.create(new MemoryStorage(), { passphrase: "p", cost: wrong });
    await assert.rejects(create, code("invalid_argument"));
  }
  await assert.rejects(Vault.create(new MemoryStorage(), {} as NewOwner), code("invalid_argument"));
  await assert.rejects(Vault.create(new MemoryStorage(), { passphrase: "" }), code("invalid_passphrase"));
  await assert.rejects(
    Vault.create(new MemoryStorage(), { passphrase: "x".repeat(5000) }),
    code("invalid_passphrase"),
  );
  await assert.rejects(Vault.create(new MemoryStorage(), { passphrase: "\ud800" }), code("lone_surrogate"));
  assert.throws(() => Vault.identify(new Uint8Array(5)), code("not_a_vault"));

  const { vault, storage, identity, vaultId } = await example();
  const big = "x".repeat(17 * 1024 * 1024);
  await assert.rejects(vault.run(update(`{"A": "${big}"}`)), code("action_too_large"));
  await assert.rejects(
    vault.createConnector({ name: "N", type: "T", properties: { A: big } }),
    code("value_too_large"),
  );
  await assert.rejects(vault.run("x".repeat(200 * 1024 * 1024)), code("limit_exceeded"));
  await assert.rejects(vault.run("{"), code("invalid_json"));
  await assert.rejects(vault.run("\udfff"), code("lone_surrogate"));
  await assert.rejects(vault.run("null"), code("not_an_object"));
  const stale = new MemoryStorage(new Uint8Array([...new TextEncoder().encode("CVAULT01"), 0, 0, 0, 0]));
  await assert.rejects(Vault.open(stale, { identity, vaultId }), code("damaged"));
  const nothing = new MemoryStorage();
  await assert.rejects(Vault.open(nothing, { identity, vaultId }), code("file_not_found"));
  await assert.rejects(Vault.create(storage, { identity }), code("file_exists"));

  assert.equal((await vault.run(update('{"A": "1"}'))).status, "updated");
  const opened = await Vault.open(storage, { identity, vaultId });
  assert.equal((await opened.read(TWITTER.id)).properties["A"], "1");
});

test("the clock is the host's", async () => {
  await ready();
  const identity = Identity.generate();
  const clock = () => new Date("2026-11-23T20:15:00.000Z");
  const vault = await Vault.create(new MemoryStorage(), { identity, clock });
  await vault.createConnector(TWITTER);
  assert.equal(vault.connector(TWITTER.id).at, "2026-11-23T20:15:00.000Z");
});

test("a large vault is opened in steps, and nothing is lost on the way", async (t) => {
  const { vault, storage, identity, vaultId } = await example();
  const connectors = Array.from({ length: 1000 }, (_, number) => ({
    id: `c${number}`,
    name: `Connector ${number}`,
    type: "T",
    properties: { APIKey: `s3cret ${number}`, Endpoint: "https://api.example" },
  }));
  await vault.import({ connectors });
  await vault.run(update('{"A": "1"}', "c7"), { requestId: "r" });
  assert.ok((await storage.read()).length > 256 * 1024);
  // A clock by which each step takes too long: between two of them others have their turn.
  let now = 0;
  t.mock.method(performance, "now", () => (now += 1000));
  let turns = 0;
  const count = () => {
    turns += 1;
    next = setImmediate(count);
  };
  let next = setImmediate(count);
  const opened = await Vault.open(storage, { identity, vaultId });
  clearImmediate(next);
  t.mock.restoreAll();
  assert.ok(turns >= 2, `${turns} turns`);
  assert.equal(opened.size, 1001);
  assert.deepEqual(opened.connectors(), vault.connectors());
  assert.deepEqual(opened.head, vault.head);
  assert.deepEqual(await opened.log(), await vault.log());
  assert.deepEqual(await opened.export(), await vault.export());
  const again = await opened.run(update('{"A": "1"}', "c7"), { requestId: "r" });
  assert.equal(again.versionAfter, 2, "it was answered before");
  await opened.deleteConnector("c9");
  await vault.refresh();
  assert.equal(vault.size, 1000);
});

test("a tester says in any way whether a connector works", async () => {
  const { vault } = await example();
  const action: TestAction = {
    ActionType: "Connectors.Test",
    Parameters: { EntryId: TWITTER.id, OutputTokenName: "T" },
  };
  const works = { success: true, message: "" };
  const fails = (message: string) => ({ success: false, message });
  const ways: readonly (readonly [Tester, { success: boolean; message: string }])[] = [
    [() => true, works],
    [async () => undefined, works],
    [() => ({ success: true, message: "ignored" }), works],
    [() => false, fails("")],
    [async () => ({ success: false, message: "no route" }), fails("no route")],
    [
      async ({ properties }) => {
        throw new Error(`refused ${properties["APIKey"]}`);
      },
      fails("refused ******"),
    ],
  ];
  for (const [tester, expected] of ways) {
    const { success, message, outputs } = await vault.run(action, { test: tester });
    assert.deepEqual({ success, message }, expected);
    assert.deepEqual(outputs, { "T:IsSuccess": String(success), "T:ErrorMessage": message });
  }
  await assert.rejects(vault.run(action), code("tester_missing"));
  const unclear = (() => "yes") as unknown as Tester;
  await assert.rejects(vault.run(action, { test: unclear }), code("tester_failed"));
});

test("tokens are asked for once, and never for a conflict or a repeated request", async () => {
  const { vault } = await example();
  const action = update('{"APIKey": "[Fresh]"}');
  let asked = 0;
  const tokens = () => `fresh ${++asked}`;
  await vault.run(action, { tokens, requestId: "r1" });
  const again = await vault.run(action, { tokens, requestId: "r1" });
  assert.equal(again.replayed, true);
  await assert.rejects(vault.run(action, { tokens, ifVersion: 1 }), code("conflict"));
  await assert.rejects(
    vault.run(update('{"APIKey": "[Fresh]"}', "unknown"), { tokens }),
    code("connector_not_found"),
  );
  assert.equal(asked, 1);
});

test("an update without an action: what is not named keeps its value", async () => {
  const { vault } = await example();
  const outcome = await vault.update(TWITTER.id, { APIKey: "[kept as it is]", Timeout: 30 }, { note: "why" });
  assert.deepEqual(
    [outcome.status, outcome.versionAfter, outcome.changes.map(({ name, change }) => `${name} ${change}`)],
    ["updated", 2, ["APIKey changed", "Timeout added"]],
  );
  const { properties } = await vault.read(TWITTER.id);
  assert.deepEqual([properties["APIKey"], properties["Timeout"]], ["[kept as it is]", "30"]);
  assert.equal(properties["Endpoint"], "https://api.example");
  assert.equal(vault.connector(TWITTER.id).note, "why");

  // By the rules of the action.
  await assert.rejects(vault.update(TWITTER.id, { APIKey: null }), code("null_value"));
  await vault.update(TWITTER.id, { Timeout: null }, { null: "remove" });
  assert.equal(await vault.readProperty(TWITTER.id, "Timeout"), undefined);
  await assert.rejects(vault.update(TWITTER.id, { APIKey: "***" }), code("mask_value"));
  await assert.rejects(vault.update(TWITTER.id, { A: "b" }, { ifVersion: 1 }), code("conflict"));
  await assert.rejects(vault.update("twiterConnectorId", { A: "b" }), code("connector_not_found"));
  const request = { requestId: "r1" };
  const first = await vault.update(TWITTER.id, '{"A": 1.0}', request);
  assert.deepEqual(await vault.update(TWITTER.id, '{"A": 1.0}', request), { ...first, replayed: true });
  assert.equal(await vault.readProperty(TWITTER.id, "A"), "1.0", "as it was written");
  assert.equal((await vault.update(TWITTER.id, { A: "1.0" })).status, "unchanged");
});

test("openOrCreate opens a vault, or creates one in an empty storage", async () => {
  const storage = new MemoryStorage();
  const heads = new Heads();
  const options = { passphrase: "correct horse", cost: CHEAP, label: "ops", heads };
  const created = await Vault.openOrCreate(storage, options);
  assert.equal(created.label, "ops");
  await created.createConnector(TWITTER);
  const opened = await Vault.openOrCreate(storage, options);
  assert.deepEqual([opened.id, opened.has(TWITTER.id)], [created.id, true]);
  await assert.rejects(Vault.openOrCreate(storage, { passphrase: "wrong" }), code("wrong_passphrase"));

  // Another vault in the place of the expected one would hide that it is gone.
  const { id: vaultId, knownHead: known } = created;
  for (const expected of [{ vaultId }, { known }]) {
    const empty = new MemoryStorage();
    await assert.rejects(Vault.openOrCreate(empty, { ...options, ...expected }), code("file_not_found"));
    assert.equal(empty.bytes, undefined);
  }

  // Somebody creates it after it was not found.
  class Contested extends MemoryStorage {
    override async create(file: Uint8Array) {
      await super.create(storage.bytes ?? file);
      await super.create(file);
    }
  }
  const late = await Vault.openOrCreate(new Contested(), { ...options, heads: null });
  assert.deepEqual([late.id, late.has(TWITTER.id)], [created.id, true]);
});

test("the id of a vault stays, and is there when the vault is locked", async () => {
  const { vault, vaultId, storage } = await example();
  assert.equal(vault.id, vaultId);
  assert.equal(Vault.identify(await storage.read()), vaultId);
  vault.lock();
  assert.equal(vault.id, vaultId);
});

test("an event names the connectors that changed", async () => {
  const { vault, storage, identity, vaultId } = await example();
  const other = await Vault.open(storage, { identity, vaultId });
  const told: string[] = [];
  for (const [name, one] of [
    ["vault", vault],
    ["other", other],
  ] as const) {
    // prettier-ignore
    one.addEventListener("change", ({ origin, ids }) => {
      told.push(`${name} ${origin} ${ids?.toSorted().join(" ") ?? "any"}`);
    });
  }
  const tellsOf = async (change: Promise<unknown>) => {
    await change;
    await other.refresh();
    await vault.refresh();
    return told.splice(0).sort();
  };
  const both = (ids: string) => [`other other ${ids}`, `vault own ${ids}`];
  assert.deepEqual(await tellsOf(vault.update(TWITTER.id, { A: "1" })), both(TWITTER.id));
  const connectors = ["a", "b"].map((id) => ({ id, name: id, type: "T", properties: {} }));
  assert.deepEqual(await tellsOf(vault.import({ connectors })), both("a b"));
  const twice = [await vault.planDelete("a"), await vault.plan(update('{"A": "2"}', "b"))];
  assert.deepEqual(await tellsOf(vault.commitAll(twice)), both("a b"));
  assert.deepEqual(await tellsOf(vault.update(TWITTER.id, { A: "1" })), [], "nothing changed");
  assert.deepEqual(await tellsOf(vault.purge()), ["other other any", "vault own any"]);

  // Of several commits, each connector once.
  const shared = new MemoryStorage(await storage.read());
  const [writer, reader] = [
    await Vault.open(shared, { identity, vaultId }),
    await Vault.open(new Racing(shared, async () => undefined), { identity, vaultId }),
  ];
  for (const id of ["b", TWITTER.id, "b"]) await writer.update(id, { A: `${writer.head.seq}` });
  const ids = new Promise<readonly string[]>((resolve) =>
    reader.addEventListener("change", ({ ids }) => resolve(ids ?? [])),
  );
  await reader.refresh();
  // In no order that means something.
  assert.deepEqual([...(await ids)].sort(), ["b", TWITTER.id]);
});

test("all that is wrong with an action is told at once", () => {
  const action = {
    ActionType: "Connectors.Update",
    Parameters: {
      EntryID: "x",
      Properties: [
        { PropertyName: "a", PropertyValue: "[b|none]" },
        { PropertyName: "", PropertyValue: "" },
      ],
      PropertiesJson: '{\n"a": 1,}',
    },
  };
  const problems = problemsOf(JSON.stringify(action));
  assert.deepEqual(
    problems.map(({ code, place: { parameter, row, line, column } = {} }) => [
      code,
      parameter,
      row ?? (line === undefined ? undefined : `${line}:${column}`),
    ]),
    [
      ["unknown_parameter", undefined, undefined],
      ["missing_parameter", "EntryId", undefined],
      ["empty_property_name", "Properties", 2],
      ["invalid_json", "PropertiesJson", "2:8"],
      ["invalid_token_format", "Properties", 1],
    ],
  );
  assert.ok(problems.every((problem) => problem instanceof VaultError));
  assert.equal(problems[0]?.hint, "did you mean EntryId?");
  assert.deepEqual(problemsOf(update('{"A": "1"}')), []);
  assert.throws(() => problemsOf(7 as never), code("invalid_argument"));
});
