/** A user's project in an empty folder: the packed package is installed there, and programs run there. */

import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

/** The folder of the repository. */
export const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
/** The packages, by their folders. */
const PACKAGES = { js: "connector-vault", elements: "connector-vault-elements" } as const;
const CVAULT = resolve(REPOSITORY, process.env["CVAULT"] ?? "target/debug/cvault");

/** The passphrase of every vault here. */
export const PASSPHRASE = "correct horse battery staple";

/** Longer than anything here takes, also on a machine that does much else: what hangs fails with its name. */
const HANGS_MS = 600_000;

/** Options of the compiler for a project that is as strict as it gets. */
export const STRICT = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noPropertyAccessFromIndexSignature: true,
  noImplicitOverride: true,
  verbatimModuleSyntax: true,
  skipLibCheck: false,
  // TypeScript checks its own.
  skipDefaultLibCheck: true,
  noEmit: true,
  target: "ES2022",
};

/** The file of a program that a development dependency brings. */
export function program(dependency: string, name: string): string {
  const manifest = createRequire(import.meta.url).resolve(`${dependency}/package.json`);
  const { bin } = JSON.parse(readFileSync(manifest, "utf8")) as { readonly bin: Record<string, string> };
  return join(dirname(manifest), bin[name] ?? assert.fail(`${dependency} brings no ${name}`));
}

/** What `npm pack --json` tells of a tarball. */
export interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

type Variables = Readonly<Record<string, string>>;

export class Project {
  readonly dir: string;
  readonly packed: Packed;
  readonly tarball: string;

  private constructor(dir: string, packed: Packed) {
    this.dir = dir;
    this.packed = packed;
    this.tarball = join(dir, packed.filename);
  }

  /** Packs `connector-vault`, and installs it. `remove` when done. */
  static async create(): Promise<Project> {
    const dir = realpathSync(mkdtempSync(join(tmpdir(), "connector-vault-packed-")));
    try {
      writeFileSync(join(dir, "package.json"), '{ "private": true }\n');
      const project = new Project(dir, await pack("js", dir));
      await project.run("npm", ["install", "--offline", "--no-audit", "--no-fund", project.tarball]);
      return project;
    } catch (error) {
      rmSync(dir, { recursive: true, force: true });
      throw error;
    }
  }

  /**
   * Packs `connector-vault-elements`, and puts it beside `connector-vault`. What it depends on is linked from
   * the repository: a test asks no registry.
   */
  async addElements(): Promise<Packed> {
    const packed = await pack("elements", this.dir);
    const dir = this.at("node_modules", PACKAGES.elements);
    mkdirSync(dir);
    await this.run("tar", [
      "--extract",
      "--file",
      packed.filename,
      "--directory",
      dir,
      "--strip-components=1",
    ]);
    const manifest = JSON.parse(readFileSync(join(dir, "package.json"), "utf8")) as {
      readonly dependencies: Readonly<Record<string, string>>;
    };
    for (const name of Object.keys(manifest.dependencies)) {
      mkdirSync(dirname(this.at("node_modules", name)), { recursive: true });
      symlinkSync(join(REPOSITORY, "node_modules", name), this.at("node_modules", name), "junction");
    }
    return packed;
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }

  at(...names: string[]): string {
    return join(this.dir, ...names);
  }

  read(name: string): string {
    return readFileSync(this.at(name), "utf8");
  }

  write(name: string, content: string): void {
    writeFileSync(this.at(name), content);
  }

  /** Copies a file of the repository. */
  copy(path: string, name = basename(path)): void {
    copyFileSync(join(REPOSITORY, path), this.at(name));
  }

  /** Runs a program until it ends by itself, and fails unless it succeeds without a word of complaint. */
  run(program: string, args: readonly string[], variables: Variables = {}, folder = "."): Promise<string> {
    return run(this.at(folder), program, args, this.#environment(variables));
  }

  node(args: readonly string[], variables?: Variables, folder?: string): Promise<string> {
    return this.run(process.execPath, args, variables, folder);
  }

  /** Runs a program in Node that fails, and returns its complaint. */
  async fails(args: readonly string[]): Promise<string> {
    const { code, complaint } = await end(this.dir, process.execPath, args, this.#environment({}));
    assert.equal(code, 1);
    return complaint;
  }

  /** Runs the Rust program, which tells JSON. */
  async cvault<T>(args: readonly string[], variables: Variables = {}): Promise<T> {
    assert(existsSync(CVAULT), `${CVAULT} is not built: cargo build -p connector-vault-cli`);
    const told = await this.run(CVAULT, [...args, "--json"], { CVAULT_PASSPHRASE: PASSPHRASE, ...variables });
    return JSON.parse(told) as T;
  }

  /** A vault that the Rust program makes, with the connector of the documentation. */
  async vault(name: string): Promise<{ readonly vault_id: string }> {
    const made = await this.cvault<{ readonly vault_id: string }>(["init", name]);
    await this.cvault(
      [
        ["add", name, "--id", "twitterConnectorId", "--name", "Twitter API", "--type", "Twitter"],
        ["--set-env", "APIKey=KEY"],
      ].flat(),
      { KEY: "old_key" },
    );
    return made;
  }

  /** Starts a program that goes on until it is told to stop. */
  start(args: readonly string[], variables: Variables = {}): Service {
    return new Service(
      spawn(process.execPath, args, {
        cwd: this.dir,
        env: this.#environment(variables),
        stdio: ["ignore", "pipe", "pipe"],
        timeout: HANGS_MS,
      }),
    );
  }

  #environment(variables: Variables): NodeJS.ProcessEnv {
    return { ...process.env, CVAULT_STATE_DIR: this.at("state"), ...variables };
  }
}

/** A program at work. */
export class Service {
  readonly #child: ChildProcess;
  readonly #ended: Promise<{ readonly code: number | null; readonly complaint: string }>;
  readonly #lines: AsyncIterator<string>;

  constructor(child: ChildProcess) {
    assert(child.stdout && child.stderr);
    this.#child = child;
    const complaint = text(child.stderr);
    this.#ended = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", async (code) => resolve({ code, complaint: await complaint }));
    });
    this.#lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  }

  /** The next line that it prints. */
  async line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done) assert.fail(`it has ended: ${(await this.#ended).complaint}`);
    return value;
  }

  /** Asks it to stop; it has to do so in order, and to have complained of nothing else. */
  async stop(complaint = ""): Promise<void> {
    this.#child.kill("SIGTERM");
    assert.deepEqual(await this.#ended, { code: 0, complaint });
  }

  /** Ends what a test that failed has left. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }
}

/** How a program ended, and what it wrote. */
interface Ended {
  readonly code: number | null;
  readonly told: string;
  readonly complaint: string;
}

async function pack(name: keyof typeof PACKAGES, destination: string): Promise<Packed> {
  const folder = join(REPOSITORY, "bindings", name);
  assert(existsSync(join(folder, "dist/index.js")), `${PACKAGES[name]} is not built: cargo xtask js`);
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", destination];
  const [packed] = JSON.parse(await run(folder, "npm", args)) as Packed[];
  return packed ?? assert.fail(`npm packed nothing of ${PACKAGES[name]}`);
}

async function end(cwd: string, program: string, args: readonly string[], env = process.env): Promise<Ended> {
  const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], timeout: HANGS_MS });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const [code, told, complaint] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { code, told, complaint };
}

async function run(
  cwd: string,
  program: string,
  args: readonly string[],
  env = process.env,
): Promise<string> {
  const { told, ...ended } = await end(cwd, program, args, env);
  assert.deepEqual(ended, { code: 0, complaint: "" }, `${basename(program)} ${args.join(" ")}\n${told}`);
  return told;
}
