/** The tarball: what is in it, how large it is, and what linters and the compiler say to it. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { brotliCompressSync } from "node:zlib";

import { publint } from "publint";

import { program, Project, REPOSITORY, STRICT } from "./project.js";

describe("the tarball", () => {
  let project: Project;
  before(async () => {
    project = await Project.create();
  });
  after(() => project?.remove());

  test("holds what it should, and nothing else", () => {
    const files = project.packed.files.map(({ path }) => path);
    const declarations = files.filter((path) => path.startsWith("dist/types/"));
    const scripts = [
      "chunk.js",
      "connector-vault-worker.js",
      "index-node.js",
      "index.js",
      "node.cjs",
      "node.js",
    ];
    assert.deepEqual(
      files.filter((path) => !declarations.includes(path)).sort(),
      [
        ...["LICENSE-APACHE", "LICENSE-MIT", "README.md", "package.json"],
        ...[...scripts, "slim.js", "vault.wasm", "changes.wasm"].map((name) => `dist/${name}`),
      ].sort(),
    );
    for (const path of declarations) assert.match(path, /\.d\.c?ts$/);
    for (const licence of ["LICENSE-APACHE", "LICENSE-MIT"]) {
      const packed = project.read(`node_modules/connector-vault/${licence}`);
      assert.equal(packed, readFileSync(join(REPOSITORY, licence), "utf8"));
    }
    const manifest = JSON.parse(project.read("node_modules/connector-vault/package.json")) as {
      readonly dependencies?: unknown;
      readonly scripts?: Readonly<Record<string, string>>;
    };
    assert.equal(manifest.dependencies, undefined);
    for (const script of ["preinstall", "install", "postinstall"]) {
      assert.equal(manifest.scripts?.[script], undefined);
    }
  });

  test("its sizes", (t) => {
    const dist = (name: string) => readFileSync(project.at("node_modules/connector-vault/dist", name));
    const brotli = (name: string) => brotliCompressSync(dist(name)).length;
    // Until a vault that a passphrase opens is listed. Argon2id's module stands in slim.js.
    const files = ["slim.js", "vault.wasm", "connector-vault-worker.js"];
    const loaded = files.reduce((sum, name) => sum + brotli(name), 0);
    assert.ok(loaded <= 225_000, `${files.join(", ")}: ${loaded} bytes`);
    t.diagnostic(`tarball ${project.packed.size} bytes, ${files.join(" + ")} ${loaded} bytes with brotli`);
  });

  test("publint", async () => {
    const tarball = new Uint8Array(readFileSync(project.tarball)).buffer;
    const { messages } = await publint({ pack: { tarball }, strict: true });
    assert.deepEqual(messages, []);
  });

  test("are the types wrong?", async () => {
    await project.node([
      program("@arethetypeswrong/cli", "attw"),
      ...[project.tarball, "--profile", "node16", "--exclude-entrypoints", "./vault.wasm", "./changes.wasm"],
      // `slim` and `worker` are modules only: CommonJS has no use for them.
      ...["--ignore-rules", "cjs-resolves-to-esm"],
    ]);
  });

  const node = {
    module: "NodeNext",
    types: ["node"],
    typeRoots: [join(REPOSITORY, "node_modules/@types")],
  };
  for (const [name, files, options] of [
    ["Node", ["node.mts", "node.cts"], { ...node, lib: ["ES2022", "DOM"] }],
    // The declarations name types of the web that Node's own lack, as `WebAssembly.Module`.
    [
      "Node without types of the web",
      ["node.mts", "node.cts"],
      { ...node, lib: ["ES2022"], skipLibCheck: true },
    ],
    [
      "bundlers",
      ["browser.ts"],
      { module: "ESNext", moduleResolution: "bundler", lib: ["ES2022", "DOM", "DOM.Iterable"], types: [] },
    ],
  ] as const) {
    test(`the types compile in a strict project for ${name}`, async () => {
      for (const file of files) project.copy(`tests/packed/consumers/${file}`);
      project.write("tsconfig.json", JSON.stringify({ compilerOptions: { ...STRICT, ...options }, files }));
      await project.node([program("typescript", "tsc"), "--project", "."]);
    });
  }
});
