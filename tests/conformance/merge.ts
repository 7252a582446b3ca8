/** `merge/`: two copies of a vault that were changed apart, and what comes of merging them (docs/format.md section 11). */

import { Identity, MemoryStorage, Vault, type Merging, type Role } from "connector-vault";

import { equal, failure, sameBytes, tellsNone } from "./expect.js";
import { count, document, flag, ifNamed, list, map, nullable, oneOf, text, word, type Read } from "./read.js";

const Grant = document({
  label: text,
  role: word("viewer", "rotator", "reader", "updater", "editor", "owner"),
});

const Step = oneOf({
  add: document({ id: text, name: text.or("Name"), type: text.or("Type"), properties: map(text) }),
  update: document({ id: text, properties: map(nullable(text)), by: text.or("ops") }),
  describe: document({
    id: text,
    name: text.optional(),
    type: text.optional(),
    meta: map(nullable(text)).or({}),
  }),
  delete: text,
  undelete: text,
  compact: count,
  purge: list(text),
  grant: Grant,
});
type Step = Read<typeof Step>;

const Conflict = document({
  id: text,
  kind: word("property", "identity", "meta", "deleted_in_ours", "deleted_in_theirs"),
  property: text.optional(),
});

const Found = { conflicts: list(Conflict).or([]), strangers: list(text).or([]) };

const Connector = document({
  name: text.optional(),
  type: text.optional(),
  version: count.optional(),
  meta: map(text).optional(),
  properties: map(text),
});

export const MergeVector = document({
  rule: text,
  base: map(document({ name: text.or("Name"), type: text.or("Type"), properties: map(text) })),
  grants: list(Grant).or([]),
  ours: list(Step),
  theirs: list(Step),
  first: word("ours", "theirs").or("ours" as const),
  resolve: word("ours", "theirs", "newest").optional(),
  accept_strangers: flag.or(false),
  expect: ifNamed(
    "error",
    document({ error: text, ...Found }),
    document({ connectors: map(Connector), ...Found }),
  ),
});
export type MergeVector = Read<typeof MergeVector>;

const SECRETS = ["s3cret"];

export async function checkMerge(vector: MergeVector): Promise<void> {
  const { expect, first } = vector;
  const world = new World();
  const ours = new MemoryStorage();
  await world.create(ours);
  for (const grant of vector.grants) await world.step(ours, ["grant", grant]);
  for (const [id, connector] of Object.entries(vector.base)) {
    await world.step(ours, ["add", { id, ...connector }]);
  }
  const theirs = new MemoryStorage(ours.bytes);
  const copies = { ours, theirs };
  for (const side of first === "ours" ? (["ours", "theirs"] as const) : (["theirs", "ours"] as const)) {
    for (const step of vector[side]) await world.step(copies[side], step);
  }
  const before = { ours: ours.bytes, theirs: theirs.bytes };
  const isAsBefore = (what: string) => {
    sameBytes(ours.bytes, before.ours, what);
    sameBytes(theirs.bytes, before.theirs, "theirs is not changed");
  };

  const vault = await world.open(ours, "ops");
  try {
    const plan = await vault.planMerge(theirs, mergingOf(vector));
    isAsBefore("a plan writes nothing");
    equal(plan.conflicts.map(orderly).sort(), expect.conflicts.map(orderly).sort(), "conflicts");
    equal(plan.notTaken, [], "versions that are not taken");
    for (const { oursAt, theirsAt, winner } of plan.conflicts) {
      const newest = theirsAt > oursAt ? "theirs" : "ours";
      const wins = vector.resolve === "newest" ? newest : (vector.resolve ?? null);
      equal(winner, wins, "whose change stays");
    }
    // By their keys: the labels that they have in the other copy say nothing.
    const strangers = plan.strangers.map(({ fingerprint }) => fingerprint).sort();
    equal(strangers, expect.strangers.map((label) => world.fingerprint(label)).sort(), "strangers");
    tellsNone(SECRETS, plan);
    world.tick();
    if ("error" in expect) {
      const error = await failure(() => vault.merge(theirs, mergingOf(vector)));
      equal(error.code, expect.error, error.message);
      tellsNone(SECRETS, error);
      isAsBefore("ours is as before");
      return;
    }
    const outcomes = await vault.merge(theirs, mergingOf(vector));
    tellsNone(SECRETS, outcomes);
    const planned = outcomes.map((outcome) => ({ ...outcome, status: "planned" }));
    equal(plan.outcomes, planned, "a merge does what its plan says");
    sameBytes(theirs.bytes, before.theirs, "theirs is not changed");
    const reopened = await world.open(new MemoryStorage(ours.bytes), "ops");
    for (const each of [vault, reopened]) await checkConnectors(expect.connectors, each);
    reopened.lock();

    const merged = ours.bytes;
    const again = await vault.planMerge(theirs, mergingOf(vector));
    if (again.conflicts.length === 0) {
      equal(again.outcomes, [], "the same merge again");
      equal(await vault.merge(theirs, mergingOf(vector)), [], "the same merge again");
      sameBytes(ours.bytes, merged, "the same merge again changes nothing");
    }
    await vault.purge();
    await checkConnectors(expect.connectors, vault);
  } finally {
    vault.lock();
  }
}

function mergingOf({ resolve, accept_strangers }: MergeVector): Merging {
  return { ...(resolve !== undefined && { resolve }), acceptStrangers: accept_strangers };
}

/** A conflict as text, to be compared in any order. */
function orderly({
  id,
  kind,
  property,
}: {
  id: string;
  kind: string;
  property?: string | undefined;
}): string {
  return JSON.stringify([id, kind, property]);
}

async function checkConnectors(expected: Readonly<Record<string, Read<typeof Connector>>>, vault: Vault) {
  const problems = (await vault.verify()).flatMap(({ problems }) => problems);
  equal(problems, [], "ours is sound");
  equal(vault.size, Object.keys(expected).length, "how many connectors there are");
  for (const [id, { name, type, version, meta, properties }] of Object.entries(expected)) {
    const found = await vault.read(id);
    equal(found.properties, properties, `properties of ${id}`);
    if (name !== undefined) equal(found.name, name, `name of ${id}`);
    if (type !== undefined) equal(found.type, type, `type of ${id}`);
    if (meta !== undefined) equal(found.meta, meta, `meta of ${id}`);
    if (version !== undefined) equal(found.version, version, `version of ${id}`);
  }
}

/** Identities by their labels, and a clock that goes on by a second for each change. */
class World {
  readonly #identities = new Map([["ops", Identity.generate()]]);
  #vaultId = "";
  #seconds = 0;
  readonly #clock = () => new Date(Date.UTC(2026, 10, 23, 20, 15, this.#seconds));

  tick(): void {
    this.#seconds++;
  }

  async create(storage: MemoryStorage): Promise<void> {
    this.tick();
    const owner = { label: "ops", identity: this.#identity("ops"), clock: this.#clock };
    const vault = await Vault.create(storage, owner);
    this.#vaultId = vault.head.vaultId;
    vault.lock();
  }

  open(storage: MemoryStorage, label: string): Promise<Vault> {
    const [identity, vaultId] = [this.#identity(label), this.#vaultId];
    return Vault.open(storage, { identity, vaultId, clock: this.#clock });
  }

  /** Changes one copy, by a vault that is opened for it. */
  async step(storage: MemoryStorage, step: Step): Promise<void> {
    this.tick();
    const vault = await this.open(storage, step[0] === "update" ? step[1].by : "ops");
    try {
      await this.#change(vault, step);
    } finally {
      vault.lock();
    }
  }

  async #change(vault: Vault, [kind, what]: Step): Promise<void> {
    switch (kind) {
      case "add":
        await vault.createConnector(what, { allowMask: true });
        return;
      case "update": {
        const { id: EntryId, properties } = what;
        const Parameters = { EntryId, PropertiesJson: JSON.stringify(properties) };
        const options = { null: "remove", allowMask: true } as const;
        await vault.run({ ActionType: "Connectors.Update", Parameters }, options);
        return;
      }
      case "delete":
        await vault.run({ ActionType: "CredStore.DeleteEntry", Parameters: { EntryId: what } });
        return;
      case "describe": {
        const { id, ...description } = what;
        await vault.describe(id, description);
        return;
      }
      case "undelete":
        await vault.undelete(what);
        return;
      case "compact":
        await vault.compact({ keep: what });
        return;
      case "purge":
        await vault.purge(what.length === 0 ? undefined : what);
        return;
      case "grant":
        return this.#grant(vault, what.label, what.role);
    }
  }

  async #grant(vault: Vault, label: string, role: Role): Promise<void> {
    const identity = Identity.generate();
    await vault.grant(label, role, { key: identity.grantKey });
    this.#identities.set(label, identity);
  }

  /** The short form of the public keys of a grant. */
  fingerprint(label: string): string {
    return this.#identity(label).fingerprint;
  }

  #identity(label: string): Identity {
    const identity = this.#identities.get(label);
    if (identity === undefined) throw new Error(`the vector grants nothing to ${label}`);
    return identity;
  }
}
