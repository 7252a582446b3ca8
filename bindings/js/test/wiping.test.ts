/** What the modules hold after their work: a memory never shrinks, and a page can look at all of it. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import * as glue from "../pkg/vault.js";
import { argon2idOf, type Exports } from "../src/worker/argon2id.js";

const VALUE = "s3cret value that stands nowhere else";
const TOKEN = "s3cret token that stands nowhere else";
const PASSPHRASE = "s3cret passphrase that stands nowhere else";
const NOW = "2026-11-23T20:15:00.000Z";
const CHEAP = { memoryKib: 19_456, passes: 1, lanes: 1 };

const bytesOf = (name: string) => readFileSync(new URL(`../pkg/${name}`, import.meta.url));
const first = glue.initSync({ module: bytesOf("vault.wasm") });
const { memory } = first;
new WebAssembly.Instance(new WebAssembly.Module(bytesOf("changes.wasm")), {
  first: first as unknown as WebAssembly.Exports,
});
const instance = new WebAssembly.Instance(new WebAssembly.Module(bytesOf("argon2id_bg.wasm")));
const exports = instance.exports as unknown as Exports;
const argon2id = argon2idOf(exports);

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function holds(text: string | Buffer): boolean {
  return [memory, exports.memory].some(({ buffer }) => Buffer.from(buffer).includes(text));
}

/** Argon2id in this thread. */
function derive({ passphrase, salt, memoryKib, passes, lanes }: glue.Derive): Uint8Array | undefined {
  return argon2id(passphrase, salt, memoryKib, passes, lanes);
}

function stretch(passphrase: string): Uint8Array {
  const stretching = new glue.Stretching(utf8(passphrase), CHEAP);
  return stretching.stretched(derive(stretching.wanted() as glue.Derive));
}

function open(file: Uint8Array, secret: Uint8Array, opening: glue.Opening): glue.Vault {
  const unlocking = new glue.Unlocking(file, secret, opening);
  for (;;) {
    const stepped = unlocking.step();
    if (stepped.wanted === "done") return unlocking.intoVault();
    if (stepped.wanted === "derive") unlocking.derived(derive(stepped));
  }
}

test("what is freed is wiped", () => {
  const identity = glue.Identity.generate();
  const secret = identity.toText();
  const stretched = stretch(PASSPHRASE);
  const external = crypto.getRandomValues(new Uint8Array(32));
  const created = glue.create("ops", stretched, CHEAP, utf8(secret), external, utf8("hint"), NOW);
  const file = created.file();
  created.intoVault().free();

  const opening: glue.Opening = { by: "passphrase" };
  open(file, external, { by: "key", hint: utf8("hint") }).free();
  const vault = open(file, utf8(PASSPHRASE), opening);
  const session = new glue.Session(vault.knownHead());
  const change = (plan: glue.Plan) => {
    session.write(vault);
    session.next(vault, "same");
    session.prepared(vault, vault.prepare(plan, NOW));
    session.next(vault, "stored");
    plan.free();
  };
  // With escapes, and long enough for buffers that grow.
  const properties = JSON.stringify({ APIKey: VALUE, Long: `${VALUE}\n"`.repeat(3000) });
  change(vault.planCreate("x", "Name", "Type", [], utf8(properties), {}));
  const action = {
    ActionType: "Connectors.Update",
    Parameters: { EntryId: "x", PropertiesJson: '{"Token": "[Secrets:Key]", "Again": "[Secrets:Key]"}' },
  };
  const run = glue.Action.parse(utf8(JSON.stringify(action))).run({}, []);
  while (run.step(vault, NOW) !== undefined) run.answerToken(utf8(TOKEN));
  const plan = run.takePlan();
  assert.ok(holds(TOKEN), "while it is needed, it is there: the search finds what there is");
  change(plan);
  run.free();
  assert.ok(vault.read("x").includes(TOKEN));
  assert.ok(vault.exportConnectors().includes(VALUE));
  assert.throws(() => vault.planCreate("y", "N", "T", [], utf8(`{"A": "${VALUE}", "A": 1}`), {}));
  session.free();
  vault.free();
  identity.free();
  glue.wipeStack();

  const key = Buffer.from(stretched.subarray(-32));
  const secrets = { VALUE, TOKEN, PASSPHRASE, identity: secret, key, external: Buffer.from(external) };
  for (const [what, text] of Object.entries(secrets)) {
    assert.ok(!holds(text), `${what} is still in a module's memory`);
  }
});

test("a module of Argon2id that stops keeps no passphrase", () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const stopped = argon2idOf({
    memory,
    buffer: () => 64,
    argon2id: () => {
      const [first] = new Uint8Array(memory.buffer, 64 + 16 + 32);
      assert.equal(first, 7, "it was given the passphrase");
      throw new WebAssembly.RuntimeError("unreachable");
    },
  });
  const passphrase = new Uint8Array(20).fill(7);
  assert.throws(() => stopped(passphrase, new Uint8Array(16).fill(9), 8, 1, 1), WebAssembly.RuntimeError);
  assert.ok(new Uint8Array(memory.buffer).every((byte) => byte === 0));
});
