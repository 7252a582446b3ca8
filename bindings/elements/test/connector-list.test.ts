/** The list of connectors: what is found, and how it keeps up with its vault. */

import assert from "node:assert/strict";
import { test } from "node:test";

import type { ConnectorPart, Overview, Vault } from "connector-vault";
import type { ReactiveController, ReactiveControllerHost } from "lit";

import { ConnectorList } from "../src/connector-list.js";

/** A vault, as far as a list knows it. */
class FakeVault extends EventTarget {
  readonly asked: { readonly from: number; readonly count: number }[] = [];
  /** The ids that were asked for one at a time. */
  readonly lookedUp: string[] = [];
  isLocked = false;
  all: Overview[];

  constructor(all: readonly (readonly [id: string, name: string, type: string])[]) {
    super();
    this.all = all.map(([id, name, type]) => ({ id, name, type }) as Overview);
  }

  connector(wanted: string): Overview {
    this.lookedUp.push(wanted);
    const found = this.all.find(({ id }) => id === wanted);
    if (found === undefined) throw new Error("there is no such connector");
    return found;
  }

  list({ from = "0", count }: { readonly from?: string | undefined; readonly count: number }): ConnectorPart {
    if (this.isLocked) throw new Error("the vault is locked");
    const begin = Number(from);
    const end = begin + count;
    this.asked.push({ from: begin, count });
    const next = end < this.all.length ? { next: `${end}` } : {};
    return { connectors: this.all.slice(begin, end), damaged: [], ...next };
  }

  change(): void {
    this.dispatchEvent(new Event("change"));
  }

  lock(): void {
    this.isLocked = true;
    this.dispatchEvent(new Event("lock"));
  }
}

class Host implements ReactiveControllerHost {
  readonly controllers: ReactiveController[] = [];
  readonly updateComplete = Promise.resolve(true);
  /** What was found whenever the host was to be rendered. */
  readonly rendered: number[] = [];
  list: ConnectorList | undefined;

  addController(controller: ReactiveController): void {
    this.controllers.push(controller);
  }

  removeController(): void {}

  requestUpdate(): void {
    if (this.list !== undefined) this.rendered.push(this.list.found.length);
  }

  connect(): void {
    for (const controller of this.controllers) controller.hostConnected?.();
  }

  disconnect(): void {
    for (const controller of this.controllers) controller.hostDisconnected?.();
  }
}

function listOf(vault: FakeVault): { readonly list: ConnectorList; readonly host: Host } {
  const host = new Host();
  const list = new ConnectorList(host);
  host.list = list;
  host.connect();
  list.vault = vault as unknown as Vault;
  return { list, host };
}

async function loaded(list: ConnectorList): Promise<void> {
  while (list.isLoading) await new Promise((done) => setTimeout(done, 1));
}

function many(count: number): FakeVault {
  return new FakeVault(
    Array.from({ length: count }, (_, index) => [
      `id-${index}`,
      `Name ${`${index}`.padStart(4, "0")}`,
      "Type",
    ]),
  );
}

const SOME = new FakeVault([
  ["old-slack", "Announcements", "Webhook"],
  ["ops", "Slack operations", "Chat"],
  ["x1", "Zürich", "Slack"],
  ["slack", "Sales", "Chat"],
]);

for (const [query, ids] of [
  ["", ["old-slack", "slack", "ops", "x1"]],
  ["   ", ["old-slack", "slack", "ops", "x1"]],
  ["SLACK", ["slack", "ops", "old-slack", "x1"]],
  ["slack chat", ["slack", "ops"]],
  ["chat  SLACK ", ["slack", "ops"]],
  ["sales", ["slack"]],
  ["zürich", ["x1"]],
  ["Zu\u0308RICH", ["x1"]],
  ["opsslack", []],
] as const) {
  test(`looking for ${JSON.stringify(query)} finds ${ids.join(", ") || "nothing"}`, async () => {
    const { list } = listOf(SOME);
    await loaded(list);
    list.query = query;
    assert.deepEqual(
      list.found.map(({ id }) => id),
      ids,
    );
    assert.equal(list.size, 4);
  });
}

test("a long list comes in parts, and what is there is shown meanwhile", async () => {
  const vault = many(3000);
  const { list, host } = listOf(vault);
  assert.ok(list.isLoading);
  assert.ok(list.size > 0 && list.size < 3000, "the first part is there at once");
  await loaded(list);
  assert.equal(list.found.length, 3000);
  assert.deepEqual(
    list.found.map(({ id }) => id),
    vault.all.map(({ id }) => id),
  );
  assert.ok(new Set(host.rendered).size > 3, "the host was rendered with parts of it");
  assert.ok(Math.max(...vault.asked.map(({ count }) => count)) <= 1000);
});

test("while it is loaded again, the former list stays", async () => {
  const vault = many(3000);
  const { list, host } = listOf(vault);
  await loaded(list);
  host.rendered.length = 0;
  vault.all = vault.all.slice(1);
  vault.change();
  assert.ok(list.isLoading);
  await loaded(list);
  assert.deepEqual(new Set(host.rendered), new Set([3000, 2999]));
});

test("several changes in a row load it once", async () => {
  const vault = many(10);
  const { list } = listOf(vault);
  await loaded(list);
  vault.asked.length = 0;
  for (let count = 0; count < 5; count++) vault.change();
  await loaded(list);
  assert.equal(vault.asked.length, 1);
});

test("one connector is found by its id, and the vault is asked for that once at most", async () => {
  const vault = many(3000);
  const { list } = listOf(vault);
  const names = (...ids: string[]) => ids.map((id) => list.connector(id)?.name);
  assert.deepEqual(names("id-2999", "id-2999", "none", "none"), [
    "Name 2999",
    "Name 2999",
    undefined,
    undefined,
  ]);
  assert.deepEqual(vault.lookedUp, ["id-2999", "none"], "not all are loaded");
  await loaded(list);
  assert.deepEqual(names("id-2999", "none"), ["Name 2999", undefined]);
  assert.equal(vault.lookedUp.length, 2, "all are");
  vault.all.push({ id: "none", name: "Late", type: "T" } as Overview);
  vault.change();
  assert.deepEqual(names("none"), ["Late"], "what has changed is not loaded yet");
  await loaded(list);
  vault.lock();
  assert.deepEqual(names("none"), [undefined]);
});

test("a change while it is loaded is not lost", async () => {
  const vault = many(3000);
  const { list } = listOf(vault);
  assert.ok(list.isLoading);
  vault.all = vault.all.slice(0, 10);
  vault.change();
  await loaded(list);
  assert.equal(list.size, 10);
});

test("a locked vault leaves nothing", async () => {
  const vault = many(3000);
  const { list } = listOf(vault);
  vault.lock();
  assert.equal(list.size, 0);
  assert.equal(list.isLoading, false);
  // Another list is loaded to its end: before that, what was being loaded would have come.
  await loaded(listOf(many(3000)).list);
  assert.equal(list.found.length, 0, "what was being loaded comes no more");
  assert.equal(list.error, undefined);
});

test("an element that left the page follows again when it comes back", async () => {
  const vault = many(10);
  const { list, host } = listOf(vault);
  await loaded(list);
  host.disconnect();
  vault.all = vault.all.slice(0, 5);
  vault.change();
  assert.equal(list.isLoading, false);
  assert.equal(list.size, 10);
  host.connect();
  await loaded(list);
  assert.equal(list.size, 5);
});

test("what cannot be loaded says why, and is tried again", async () => {
  const vault = many(10);
  const working = vault.list.bind(vault);
  vault.list = () => {
    throw new Error("broken");
  };
  const { list } = listOf(vault);
  await loaded(list);
  assert.match(String(list.error), /broken/);
  vault.list = working;
  vault.change();
  await loaded(list);
  assert.equal(list.error, undefined);
  assert.equal(list.size, 10);
});
