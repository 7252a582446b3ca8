/** Every argument of the public API: it has a row in the table, and what is not of its shape is refused by name. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";

import ts from "typescript";

import * as table from "../src/arguments.js";
import type { Signature, Signatures } from "../src/check.js";
import { VaultError } from "../src/error.js";
import * as api from "../src/node.js";

const { FileKnownHeads, FileStorage, Identity, MemoryStorage, Plan, ready, Vault } = api;

/** The methods of a class, and those of its objects: with their rows, and whether they return a promise. */
interface Rows {
  readonly atOnce: Signatures;
  readonly later: Signatures;
}

const NONE: Rows = { atOnce: {}, later: {} };
const STORAGE: Rows = { atOnce: table.STORAGE_METHODS, later: table.STORAGE_METHODS_LATER };
const HEADS: Rows = { atOnce: {}, later: table.HEADS_METHODS_LATER };
const CLASSES: Readonly<Record<string, readonly [ofClass: Rows, ofObjects: Rows]>> = {
  Vault: [
    { atOnce: table.VAULT_CLASS, later: table.VAULT_CLASS_LATER },
    { atOnce: table.VAULT, later: table.VAULT_LATER },
  ],
  Plan: [NONE, { atOnce: table.PLAN_METHODS, later: {} }],
  Identity: [{ atOnce: table.IDENTITY_CLASS, later: {} }, NONE],
  MemoryStorage: [NONE, STORAGE],
  HttpStorage: [NONE, STORAGE],
  IndexedDbStorage: [{ atOnce: {}, later: table.DATABASE_CLASS_LATER }, STORAGE],
  FileStorage: [NONE, STORAGE],
  IndexedDbKnownHeads: [NONE, HEADS],
  FileKnownHeads: [{ atOnce: table.FILE_HEADS_CLASS, later: {} }, HEADS],
  // They hold what they are given, and hand it to nobody but the caller.
  VaultError: [NONE, NONE],
  VaultChangeEvent: [NONE, NONE],
};
const FUNCTIONS: Signatures = { ...table.FUNCTIONS, ...table.COMPARING };
const CONSTRUCTORS: Signatures = table.NEW;

/** Methods of the platform, which checks their arguments. */
const PLATFORM = ["addEventListener"];

test("each public function and method has a row, with the names of its declaration", () => {
  const declared = declaredFunctions();
  const expected = new Map<string, string>();
  const row = (name: string, signature: Signature, kind: string) =>
    expected.set(name, `${kind}(${Object.keys(signature).join(", ")})`);
  for (const [name, signature] of Object.entries(FUNCTIONS)) row(name, signature, kindOf(declared.get(name)));
  for (const [name, signature] of Object.entries(CONSTRUCTORS)) row(`new ${name}`, signature, "atOnce");
  for (const [name, [ofClass, ofObjects]] of Object.entries(CLASSES)) {
    for (const [prefix, rows] of [
      [name, ofClass],
      [`${name}.prototype`, ofObjects],
    ] as const) {
      // prettier-ignore
      for (const [kind, signatures] of Object.entries(rows) as [string, Signatures][]) {
        for (const [method, signature] of Object.entries(signatures)) {
          const full = `${prefix}.${method}`;
          // A storage has those that it needs, and of their arguments those that it uses.
          if (rows === STORAGE && !declared.has(full)) continue;
          const used = kindOf(declared.get(full), "names").length;
          const names = rows === STORAGE ? Object.keys(signature).slice(0, used) : Object.keys(signature);
          expected.set(full, `${kind}(${names.join(", ")})`);
        }
      }
    }
  }
  const found = [...declared].filter(([, told]) => !told.endsWith("()"));
  assert.deepEqual(Object.fromEntries(found.sort()), Object.fromEntries([...expected].sort()));
  assert.ok(found.length > 60, `${found.length} functions`);
});

/** What each exported function takes, in the form `later(storage, options)`; what a class inherits is another's. */
function declaredFunctions(): Map<string, string> {
  const root = fileURLToPath(new URL("../", import.meta.url));
  const config = ts.getParsedCommandLineOfConfigFile(`${root}tsconfig.json`, {}, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: () => assert.fail("no tsconfig.json"),
  }); // prettier-ignore
  const entry = `${root}src/node.ts`;
  const program = ts.createProgram([entry], config?.options ?? {});
  const checker = program.getTypeChecker();
  const file = program.getSourceFile(entry) ?? assert.fail("no entry");
  const declared = new Map<string, string>();
  const add = (name: string, symbol: ts.Symbol) => {
    const [signature] = checker.getTypeOfSymbol(symbol).getCallSignatures();
    if (signature !== undefined) declared.set(name, told(signature));
  };
  const told = (signature: ts.Signature) => {
    const kind = /^Promise</.test(checker.typeToString(signature.getReturnType())) ? "later" : "atOnce";
    return `${kind}(${signature.parameters.map((parameter) => parameter.name.replace(/^_/, "")).join(", ")})`;
  };
  const isInternal = (node: ts.Node) =>
    ts.getJSDocTags(node).some(({ tagName }) => tagName.text === "internal");
  const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(file) ?? assert.fail());
  for (const alias of exported) {
    const symbol = alias.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(alias) : alias;
    const { name } = alias;
    if (symbol.flags & ts.SymbolFlags.Function) add(name, symbol);
    if (!(symbol.flags & ts.SymbolFlags.Class)) continue;
    assert.ok(name in CLASSES, `the class ${name} has no rows`);
    for (const member of (symbol.valueDeclaration as ts.ClassDeclaration).members) {
      const modifiers = ts.getCombinedModifierFlags(member);
      if (modifiers & ts.ModifierFlags.Private || isInternal(member)) continue;
      if (ts.isConstructorDeclaration(member)) {
        const names = member.parameters.map((parameter) => (parameter.name as ts.Identifier).text);
        if (!["VaultError", "VaultChangeEvent"].includes(name)) {
          declared.set(`new ${name}`, `atOnce(${names.join(", ")})`);
        }
      } else if (ts.isMethodDeclaration(member) && ts.isIdentifier(member.name)) {
        const owner = modifiers & ts.ModifierFlags.Static ? name : `${name}.prototype`;
        const method = checker.getSymbolAtLocation(member.name) ?? assert.fail();
        if (!PLATFORM.includes(member.name.text)) add(`${owner}.${member.name.text}`, method);
      }
    }
  }
  return declared;
}

function kindOf(told: string | undefined): string;
function kindOf(told: string | undefined, what: "names"): string[];
function kindOf(told: string | undefined, what?: "names"): string | string[] {
  const [, kind = "undeclared", names = ""] = /^(\w+)\((.*)\)$/.exec(told ?? "") ?? [];
  return what === undefined ? kind : names.split(", ");
}

/** What no argument may be. */
const revoked = Proxy.revocable({}, {});
revoked.revoke();
const ODD: Readonly<Record<string, unknown>> = {
  promise: Promise.resolve("x"),
  NaN,
  "a negative number": -1,
  bigint: 5n,
  symbol: Symbol("s"),
  Date: new Date(),
  instance: new (class Odd {
    readonly #odd = 1;
    get then() {
      return this.#odd;
    }
  })(),
  "a revoked proxy": revoked.proxy,
};
/** What is odd for one that is such a value. */
const ODD_FOR: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  string: {
    undefined,
    null: null,
    number: 5,
    object: {},
    array: ["x"],
    bytes: new Uint8Array(1),
    true: true,
  },
  number: { null: null, text: "1", fraction: 1.5, Infinity, object: {}, array: [1], true: true },
  object: { null: null, text: "x", number: 5, array: [], function: () => ({}), true: true },
  function: { undefined, null: null, text: "x", number: 5, object: {}, array: [] },
  bytes: { undefined, null: null, text: "x", number: 5, object: {}, array: [1], buffer: new ArrayBuffer(8) },
  document: { undefined, null: null, number: 5, bytes: new Uint8Array(1), Map: new Map(), true: true },
  storage: { undefined, null: null, text: "team.cvault", number: 5, object: {}, class: MemoryStorage },
  plan: {
    undefined,
    null: null,
    text: "x",
    object: { core: {} },
    forged: Object.create(Plan.prototype) as object,
  },
  array: { null: null, text: "x", object: {}, bytes: new Uint8Array(1) },
  rights: { null: null, number: 5, object: {}, bytes: new Uint8Array(1), true: true },
  anything: {},
};

let storage: api.MemoryStorage;
let vault: api.Vault;
before(async () => {
  await ready();
  storage = new MemoryStorage();
  vault = await Vault.create(storage, { identity: Identity.generate() });
  await vault.createConnector({ id: "x", name: "X", type: "T", properties: { A: "a" } });
});

/** An argument that does, and of which kind it is, if its type does not tell. */
type Good = readonly [value: unknown, kind?: keyof typeof ODD_FOR & string];

/** Arguments that do, for each row. */
async function good(): Promise<Readonly<Record<string, Good>>> {
  const known = { start: new Uint8Array(), marks: [], end: 0, torn: 0 };
  // prettier-ignore
  return {
    id: ["x"], name: ["A"], label: ["l"], rights: [[], "array"], newName: ["B"], passphrase: ["p"], vaultId: ["0".repeat(64)],
    place: ["here"], text: ["x"], database: ["d"], dir: ["/d"], path: ["/f"], version: [1], from: [1], to: [1],
    change: [0], url: ["https://x.example/v", "anything"], range: [{}], options: [{}], merging: [{}], owner: [{}],
    connector: [{ name: "N", type: "T" }], description: [{ name: "N" }], group: ["default"], action: ["{}", "document"], document: ["{}", "document"], properties: ["{}", "document"],
    storage: [storage, "storage"], damaged: [storage, "storage"], out: [new MemoryStorage(), "storage"],
    theirs: [storage, "storage"], plan: [await vault.planDelete("x"), "plan"], plans: [[], "array"], ids: [[], "array"],
    file: [new Uint8Array(), "bytes"], commit: [new Uint8Array(), "bytes"], bytes: [new Uint8Array(), "bytes"],
    known: [known, "object"], signal: [new AbortController().signal, "object"],
    work: [async () => 1], changed: [() => undefined], warning: [{ code: "c", message: "m" }],
    stored: [{ length: 0, read: () => new Uint8Array() }, "object"], ran: [{ outcomes: [] }, "anything"],
    variables: [{}], key: [{ key: new Uint8Array(32) }], which: [{ hint: new Uint8Array() }],
    "Vault.prototype.grant.to": [{ key: "k" }], "Vault.prototype.renew.to": [{ key: "k" }],
    "Vault.prototype.setRights.rights": [undefined, "rights"],
  };
}

test("what is not of an argument's shape is refused by its name, and nothing changes", async (t) => {
  const before = storage.bytes;
  const goods = await good();
  const temporary = new FileStorage("/tmp/never-created.cvault", { heads: null });
  const objects: Readonly<Record<string, object>> = {
    Vault: vault,
    Plan: await vault.planDelete("x"),
    Identity: Identity.generate(),
    MemoryStorage: storage,
    FileStorage: temporary,
    HttpStorage: new api.HttpStorage("https://x.example/v"),
    IndexedDbStorage: new api.IndexedDbStorage("v"),
    IndexedDbKnownHeads: new api.IndexedDbKnownHeads(),
    FileKnownHeads: new FileKnownHeads("/nowhere"),
  };
  const faults: string[] = [];
  let refused = 0;
  /** Calls with one odd argument. */
  const tryOut = async (title: string, signature: Signature, call: (args: unknown[]) => unknown) => {
    const names = Object.keys(signature);
    const goodOf = (name: string) =>
      goods[`${title}.${name}`] ?? goods[name] ?? assert.fail(`no good argument ${name}`);
    const args = names.map((name) => goodOf(name)[0]);
    /** The hint of the error. */
    const fails = async (index: number, value: unknown, what: string, name: string): Promise<string> => {
      const [error] = await Promise.allSettled([
        (async () => call(args.map((arg, other) => (other === index ? value : arg))))(),
      ]);
      const found: unknown = error.status === "rejected" ? error.reason : "it was taken";
      const isRight =
        found instanceof VaultError && found.code === "invalid_argument" && found.message.startsWith(name);
      const hint = (isRight && found.hint) || "";
      if (!isRight || (what === "promise" && hint !== "await it")) {
        faults.push(`${title}: ${name} is ${what}: ${String(found)} (${hint})`);
      } else refused++;
      return hint;
    };
    for (const [index, name] of names.entries()) {
      const [value, kind = typeof value] = goodOf(name);
      const odd = { ...ODD, ...(ODD_FOR[kind] ?? assert.fail(kind)) };
      // A plan may be the promise of one; a page of an action may be left out.
      if (title === "Vault.prototype.commit" && name === "plan") delete odd["promise"];
      if (name === "ran")
        for (const what of ["promise", "Date", "instance", "a revoked proxy"]) delete odd[what];
      if (title === "new MemoryStorage" && name === "bytes") delete odd["undefined"];
      if (name === "rights" && kind === "array") delete odd["text"];
      if (name === "database") delete odd["undefined"];
      for (const [what, value] of Object.entries(odd)) await fails(index, value, what, name);
      if (kind !== "object" || (typeof value === "object" && ["signal", "stored", "known"].includes(name)))
        continue;
      // Options: what they take, the hint tells.
      const hint = await fails(index, { surplus: 1 }, "surplus", name);
      if (name === "variables") continue;
      const [, known] = /^it takes (.+)$/.exec(hint) ?? assert.fail(`${title} ${name}: ${hint}`);
      for (const field of (known ?? "").split(", ")) {
        for (const [what, odd] of Object.entries(ODD)) {
          // The module may still be on its way.
          if (["wasm", "changes"].includes(field) && what === "promise") continue;
          await fails(index, { ...(value as object), [field]: odd }, what, `${name}.${field}`);
        }
      }
    }
  };

  const methodOf = (owner: object, name: string) => {
    const method: unknown = (owner as Record<string, unknown>)[name];
    return typeof method === "function"
      ? (args: unknown[]) => method.apply(owner, args) as unknown
      : undefined;
  };
  for (const [name, signature] of Object.entries(FUNCTIONS)) {
    await tryOut(name, signature, methodOf(api, name) ?? assert.fail(name));
  }
  for (const [name, signature] of Object.entries(CONSTRUCTORS)) {
    const made =
      (api as unknown as Record<string, new (...args: unknown[]) => object>)[name] ?? assert.fail(name);
    await tryOut(`new ${name}`, signature, (args) => new made(...args));
  }
  for (const [name, [ofClass, ofObjects]] of Object.entries(CLASSES)) {
    const owner = (api as unknown as Record<string, object>)[name] ?? assert.fail(name);
    for (const [title, target, rows] of [
      [name, owner, ofClass],
      [`${name}.prototype`, objects[name] ?? {}, ofObjects],
    ] as const) {
      for (const [method, signature] of Object.entries({ ...rows.atOnce, ...rows.later })) {
        const call = methodOf(target, method);
        if (call !== undefined) await tryOut(`${title}.${method}`, signature, call);
      }
    }
  }
  t.diagnostic(`${refused} odd arguments were refused`);
  assert.deepEqual(faults, []);
  assert.ok(refused > 200);

  assert.deepEqual(storage.bytes, before);
  assert.equal((await vault.createConnector({ name: "After", type: "T" })).status, "created");
  assert.deepEqual((await vault.read("x")).properties, { A: "a" });
});

test("properties are what JSON can hold, each refused by its name", async () => {
  const refused = async (properties: unknown, name: string, hint?: string) => {
    const connector = { name: "N", type: "T", properties } as api.NewConnector;
    for (const create of [
      () => vault.createConnector(connector),
      () => vault.planCreate(connector),
      () => vault.import({ connectors: [{ id: "n", ...connector }] } as unknown as api.ConnectorsDocument),
    ]) {
      await assert.rejects(create, (error) => {
        assert.ok(error instanceof VaultError);
        assert.equal(error.code, "invalid_argument");
        assert.ok(error.message.includes(`properties${name} `), error.message);
        if (hint !== undefined) assert.equal(error.hint, hint);
        return true;
      });
    }
  };
  const circle: unknown[] = [];
  circle.push({ circle });
  const kinds: readonly unknown[] = [
    ...[undefined, NaN, Infinity, 5n, Symbol("s"), () => "x", new Date(), new Map([["a", "b"]]), new Set(["a"])],
    ...[new Uint8Array(1), Buffer.from("x"), new (class A {})(), Promise.resolve("x"), 2 ** 53, -(2 ** 60), /x/],
  ]; // prettier-ignore
  for (const value of kinds) {
    await refused({ "API Key": value }, '["API Key"]');
    await refused({ A: { deep: ["x", value] } }, ".A.deep[1]");
  }
  await refused({ A: Promise.resolve("x") }, ".A", "await it");
  await refused({ A: undefined }, ".A", "leave it out, or write an empty string");
  await refused({ A: 2 ** 53 }, ".A", "write it as text");
  await refused({ A: new Array<string>(2) }, ".A[0]");
  const connector = { name: "N", type: "T", properties: { A: circle } };
  await assert.rejects(vault.createConnector(connector), {
    code: "invalid_argument",
    message: /holds itself/,
  });

  const kept = await vault.createConnector({
    name: "N",
    type: "T",
    properties: Object.assign(Object.create(null) as object, {
      ...{ text: "\u{1f511}", whole: -5, part: 0.5, yes: true, list: [1, [null]], object: { a: { b: "c" } } },
      ["__proto__"]: "own",
    }),
  });
  assert.deepEqual(Object.entries((await vault.read(kept.id)).properties).sort(), [
    ["__proto__", "own"],
    ["list", "[1,[null]]"],
    ["object", '{"a":{"b":"c"}}'],
    ["part", "0.5"],
    ["text", "\u{1f511}"],
    ["whole", "-5"],
    ["yes", "true"],
  ]);
});

test("what is checked is what is used", async () => {
  const once = (value: unknown) => {
    let reads = 0;
    return () => (reads++ === 0 ? value : 5n);
  };
  const options = Object.defineProperty({}, "note", { enumerable: true, get: once("checked") });
  const properties = Object.defineProperty({}, "A", { enumerable: true, get: once("x") });
  await vault.createConnector({ id: "y", name: "Y", type: "T", properties }, options);
  assert.equal(vault.connector("y").note, "checked");
  assert.equal(await vault.readProperty("y", "A"), "x");
});

test("a text with half of a surrogate pair is refused, and no other text is looked up", async () => {
  assert.throws(() => vault.has("\ud800"), { code: "lone_surrogate" });
  await assert.rejects(vault.grant("\udfff", "viewer", { passphrase: "p" }), { code: "lone_surrogate" });
});

test("many long texts are refused before the module has to hold them", async () => {
  const long = "x".repeat(60_000);
  const ids = Array.from({ length: 2_000 }, () => long);
  const tokens = Object.fromEntries(ids.map((id, index) => [`${index}${id}`, "value"]));
  const refused = (message: RegExp) => ({ code: "invalid_argument", message });
  await assert.rejects(vault.purge(ids), refused(/^ids has more than/));
  await assert.rejects(vault.purge(["x".repeat(70_000)]), refused(/^ids\[0\] has more than/));
  await assert.rejects(vault.run("{}", { tokens }), refused(/^options\.tokens has more than/));
});

test("what the host's own code returns is checked too", async () => {
  const identity = Identity.generate();
  const strange = (overridden: object) => Object.assign(new MemoryStorage(storage.bytes), overridden);
  const { vaultId } = vault.head;
  const open = (storage: api.VaultStorage, options: object = {}) =>
    Vault.open(storage, { identity, vaultId, ...options });
  const refused = (message: RegExp) => ({ code: "invalid_argument", message });
  await assert.rejects(open(strange({ read: async () => "text" })), refused(/^storage\.read\(\) must be/));
  await assert.rejects(
    open(storage, {
      heads: {
        get: async () => ({}),
        remember: async () => {},
        forget: async () => {},
        vaultsAt: async () => [],
        placesOf: async () => [],
      },
    }),
    refused(/^heads\.get\(\) must be/),
  );
  const clock = () => Date.now() as unknown as Date;
  const create = Vault.create(new MemoryStorage(), { identity, clock });
  await assert.rejects(create, refused(/^clock\(\) must be a Date, not a number$/));
});
