/** A host's code that never answers: each call ends by its signal, and with `locked` when the vault is locked. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  HttpStorage,
  Identity,
  MemoryStorage,
  ready,
  Vault,
  VaultError,
  type UpdateAction,
  type KnownHeads,
  type LogEnd,
  type Plan,
  type VaultStorage,
} from "../src/index.js";

const ID = "twitterConnectorId";

function update(value: string): UpdateAction {
  return {
    ActionType: "Connectors.Update",
    Parameters: { EntryId: ID, PropertiesJson: `{"A": "${value}"}` },
  };
}

/** A moment that others wait for. */
class Moment {
  pass: () => void = () => undefined;
  readonly passed = new Promise<void>((resolve) => (this.pass = resolve));
}

/** Code of a host that never answers, and a promise of the moment when it is asked. */
class Silence {
  readonly #asked = new Moment();
  /** What it was asked with. */
  args: unknown[] = [];

  get isAsked(): Promise<void> {
    return this.#asked.passed;
  }

  readonly ask = (...args: unknown[]): Promise<never> => {
    this.args = args;
    this.#asked.pass();
    return new Promise(() => undefined);
  };
}

/** A vault, in a storage whose methods a test may silence. */
async function example() {
  await ready();
  const storage = new MemoryStorage();
  const identity = Identity.generate();
  const vault = await Vault.create(storage, { identity });
  await vault.createConnector({ id: ID, name: "N", type: "T" });
  const before = storage.bytes;
  return { vault, storage, identity, vaultId: vault.head.vaultId, before };
}

type Example = Awaited<ReturnType<typeof example>>;

/** Calls that wait for a host, by what they wait for. */
const WAITS: Readonly<
  Record<string, (at: Example, host: Silence, signal?: AbortSignal) => Promise<unknown>>
> = {
  "a token function, in run": ({ vault }, host, signal) =>
    vault.run(update("[B]"), { tokens: host.ask, signal }),
  "a token function, in plan": ({ vault }, host, signal) =>
    vault.plan(update("[B]"), { tokens: host.ask, signal }),
  "compare, in run": ({ vault, storage }, host, signal) => {
    storage.compare = host.ask;
    return vault.run(update("1"), { signal });
  },
  "compare, in plan": ({ vault, storage }, host, signal) => {
    storage.compare = host.ask;
    return vault.plan(update("1"), { signal });
  },
  "compare, in refresh": ({ vault, storage }, host, signal) => {
    storage.compare = host.ask;
    return vault.refresh({ signal });
  },
  "read, in refresh": ({ vault, storage }, host, signal) => {
    storage.compare = () => Promise.resolve({ state: "replaced" });
    storage.read = host.ask;
    return vault.refresh({ signal });
  },
  "exclusive that lets nobody in": ({ vault, storage }, host, signal) => {
    Object.assign(storage, { exclusive: host.ask });
    return vault.deleteConnector(ID, { signal });
  },
  "a plan that never comes": ({ vault }, host, signal) =>
    vault.commit(host.ask() as Promise<Plan>, { signal }),
  "the other copy, in merge": ({ vault }, host, signal) => {
    const theirs = new MemoryStorage();
    theirs.read = host.ask;
    return vault.merge(theirs, { signal });
  },
  "the other copy, in planMerge": ({ vault }, host, signal) => {
    const theirs = new MemoryStorage();
    theirs.read = host.ask;
    return vault.planMerge(theirs, { signal });
  },
};

for (const [name, wait] of Object.entries(WAITS)) {
  test(`${name}: it ends by its signal, and the vault works on`, async () => {
    const [at, host, giveUp] = [await example(), new Silence(), new AbortController()];
    const waiting = wait(at, host, giveUp.signal);
    await host.isAsked;
    giveUp.abort(new Error("never mind"));
    await assert.rejects(waiting, /^Error: never mind$/);
    assert.deepEqual(at.storage.bytes, at.before);
    for (const silenced of ["compare", "read", "exclusive"]) Reflect.deleteProperty(at.storage, silenced);
    assert.equal((await at.vault.run(update("2"))).versionAfter, 2);
  });

  test(`${name}: it ends when the vault is locked`, async () => {
    const [at, host] = [await example(), new Silence()];
    const waiting = wait(at, host);
    await host.isAsked;
    at.vault.lock();
    await assert.rejects(waiting, code("locked"));
    assert.deepEqual(at.storage.bytes, at.before);
  });
}

test("a signal that has aborted before asks no host", async () => {
  for (const wait of Object.values(WAITS)) {
    const [at, host] = [await example(), new Silence()];
    const reason = new Error("before");
    await assert.rejects(wait(at, host, AbortSignal.abort(reason)), reason);
    assert.deepEqual(at.storage.bytes, at.before);
  }
});

test("a token function is told that nobody waits any more", async () => {
  const [{ vault }, host] = [await example(), new Silence()];
  const run = vault.run(update("[B]"), { tokens: host.ask });
  await host.isAsked;
  const [, signal] = host.args as [unknown, AbortSignal];
  assert.equal(signal.aborted, false);
  vault.lock();
  assert.equal(signal.aborted, true);
  await assert.rejects(run, code("locked"));
});

test("a storage that lets somebody in too late finds that nobody changes anything", async () => {
  const [at, host, giveUp] = [await example(), new Silence(), new AbortController()];
  const { vault, storage } = at;
  Object.assign(storage, { exclusive: host.ask });
  const waiting = vault.run(update("1"), { signal: giveUp.signal });
  await host.isAsked;
  giveUp.abort(new Error("never mind"));
  await assert.rejects(waiting, /never mind/);
  const [work] = host.args as [(storage: VaultStorage) => Promise<unknown>];
  await assert.rejects(work(storage), /never mind/);
  assert.deepEqual(storage.bytes, at.before);
});

test("who waits for a turn ends when the vault is locked, and who is storing when it is stored", async () => {
  const { vault, storage, identity, vaultId } = await example();
  const [begun, goOn] = [new Moment(), new Moment()];
  storage.append = async (commit: Uint8Array, known: LogEnd) => {
    begun.pass();
    await goOn.passed;
    await MemoryStorage.prototype.append.call(storage, commit, known);
  };
  const storing = vault.run(update("1"));
  await begun.passed;
  const waiting = [vault.run(update("2")), vault.refresh(), vault.purge()];
  vault.lock();
  for (const one of waiting) await assert.rejects(one, code("locked"));
  goOn.pass();
  assert.equal((await storing).status, "updated");
  const opened = await Vault.open(storage, { identity, vaultId });
  assert.equal((await opened.read(ID)).properties["A"], "1");
});

test("a head that cannot be recorded holds no outcome up", async () => {
  for (const end of ["abort", "lock"] as const) {
    const [{ storage, identity, vaultId }, host, giveUp] = [
      await example(),
      new Silence(),
      new AbortController(),
    ];
    const heads: KnownHeads = {
      get: () => Promise.resolve(undefined),
      remember: () => Promise.resolve(),
      forget: () => Promise.resolve(),
      vaultsAt: () => Promise.resolve([]),
      placesOf: () => Promise.resolve([]),
    };
    const vault = await Vault.open(storage, { identity, vaultId, heads });
    heads.remember = host.ask;
    const run = vault.run(update("1"), { signal: giveUp.signal });
    await host.isAsked;
    if (end === "abort") giveUp.abort();
    else vault.lock();
    assert.equal((await run).status, "updated");
  }
});

test("opening ends by its signal, whatever it waits for", async () => {
  const { storage, identity, vaultId } = await example();
  const heads = (silent: Partial<KnownHeads>): KnownHeads => ({
    get: () => Promise.resolve(undefined),
    remember: () => Promise.resolve(),
    forget: () => Promise.resolve(),
    vaultsAt: () => Promise.resolve([]),
    placesOf: () => Promise.resolve([]),
    ...silent,
  });
  const opened = (host: Silence, part: "read" | "get" | "remember"): [VaultStorage, KnownHeads] => {
    if (part !== "read") return [storage, heads({ [part]: host.ask })];
    const silent = new MemoryStorage(storage.bytes);
    silent.read = host.ask;
    return [silent, heads({})];
  };
  for (const part of ["read", "get", "remember"] as const) {
    const [host, giveUp] = [new Silence(), new AbortController()];
    const [from, heads] = opened(host, part);
    const opening = Vault.open(from, { identity, vaultId, heads, signal: giveUp.signal });
    await host.isAsked;
    giveUp.abort(new Error(part));
    await assert.rejects(opening, new RegExp(part));
  }
});

test("a request that was not made yet is given up, and no answer is waited for", async () => {
  const { storage: memory, identity, vaultId } = await example();
  for (const end of ["abort", "lock"] as const) {
    const [host, giveUp] = [new Silence(), new AbortController()];
    let headers: () => Promise<HeadersInit> = () => Promise.resolve({});
    const methods: (string | undefined)[] = [];
    const storage = new HttpStorage("https://files.example/team.cvault", {
      heads: null,
      headers: () => headers(),
      fetch: async (_, init) => {
        methods.push(init?.method);
        // The third request would be the one that stores.
        if (methods.length === 2) headers = host.ask;
        return new Response(memory.bytes as BodyInit, { headers: { etag: '"1"' } });
      },
    });
    const vault = await Vault.open(storage, { identity, vaultId });
    const run = vault.run(update("1"), { signal: giveUp.signal });
    await host.isAsked;
    if (end === "abort") giveUp.abort(new Error("never mind"));
    else vault.lock();
    await assert.rejects(run, end === "abort" ? /never mind/ : code("locked"));
    assert.deepEqual(methods, [undefined, undefined]);
  }
});

test("a storage whose subscription fails leaves no keys behind", async () => {
  const { storage, identity, vaultId } = await example();
  const failing = new MemoryStorage(storage.bytes);
  failing.subscribe = () => {
    throw new Error("no events here");
  };
  await assert.rejects(Vault.open(failing, { identity, vaultId }), /no events here/);
  const stuck = new MemoryStorage(storage.bytes);
  stuck.subscribe = () => () => {
    throw new Error("it cannot be ended");
  };
  const vault = await Vault.open(stuck, { identity, vaultId });
  let events = 0;
  vault.addEventListener("lock", () => events++);
  vault.lock();
  assert.deepEqual([vault.isLocked, events], [true, 1]);
  await assert.rejects(vault.refresh(), code("locked"));
});

function code(expected: string) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof VaultError, String(error));
    assert.equal(error.code, expected, error.message);
    return true;
  };
}
