/**
 * The WebAssembly modules, asked through {@link call}, which makes errors of what they throw. `vault.wasm` opens, lists
 * and reads; `changes.wasm` brings what changes vaults, into the same memory, when that is first asked for.
 */

import { base64 } from "../pkg/argon2id-inline.js";
import init, * as glue from "../pkg/vault.js";
import { inflate } from "#inflate";
import { FUNCTIONS } from "./arguments.js";
import { take } from "./check.js";
import { VaultError } from "./error.js";
import { run } from "#worker";
import { wipe, type Job, type WorkerSource } from "./worker/job.js";

/** The bytes of a module, compiled or not, or where to fetch them. */
export type WasmSource = WebAssembly.Module | BufferSource | Response | URL | string;

/** Where what the package needs is found, if it does not find it by itself. */
export interface ReadyOptions {
  /** The module `connector-vault/vault.wasm`: needed once with `connector-vault/slim`. */
  readonly wasm?: WasmSource | PromiseLike<WasmSource> | undefined;
  /**
   * The module `connector-vault/changes.wasm`: needed once with `connector-vault/slim`, before a vault is created,
   * changed, verified or exported. An address is fetched then; whoever only lists and reads never loads it.
   */
  readonly changes?: WasmSource | PromiseLike<WasmSource> | undefined;
  /**
   * The script `connector-vault/worker`, or a function that starts a worker with it. Needed where a
   * bundler neither copies nor splits it (README, "Bundlers").
   */
  readonly worker?: WorkerSource | undefined;
}

/** A module as an entry point brings it along. */
type Brought = () => Promise<BufferSource>;

let brought: { readonly wasm: Brought; readonly changes: Brought } | undefined;
let loading: Promise<WebAssembly.Exports> | undefined;
let changesSource: ReadyOptions["changes"];
let loadingChanges: Promise<void> | undefined;
let compilingArgon2id: Promise<WebAssembly.Module> | undefined;
/** The module's memory, once it is loaded. */
let memory: WebAssembly.Memory | undefined;
let stopped = false;
let workerSource: WorkerSource | undefined;

/** Says how an entry point brings the modules along. */
export function bring(modules: { readonly wasm: Brought; readonly changes: Brought }): void {
  brought = modules;
}

/**
 * Loads the WebAssembly module. Call it as often as you like: it loads once. The asynchronous functions of
 * this package call it themselves; before the others, such as `Identity.generate()`, await it.
 */
export async function ready(options: ReadyOptions = {}): Promise<void> {
  [options = {}] = take(FUNCTIONS.ready, [options]);
  workerSource = options.worker ?? workerSource;
  changesSource = options.changes ?? changesSource;
  await loaded(options.wasm);
}

/** Loads what changes vaults too. What is asked of the module before this, and needs it, stops the module. */
export async function readyToChange(): Promise<void> {
  const first = await loaded(undefined);
  loadingChanges ??= loadChanges(first).catch((error: unknown) => {
    loadingChanges = undefined;
    throw error;
  });
  await loadingChanges;
}

async function loaded(source: ReadyOptions["wasm"]): Promise<WebAssembly.Exports> {
  loading ??= load(source).catch((error: unknown) => {
    // Perhaps the network was down: the next call tries again.
    loading = undefined;
    throw error;
  });
  return await loading;
}

/** Runs Argon2id in a worker: its memory goes with it. The module is compiled when it is first needed. */
export async function derive(job: Job, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
  try {
    compilingArgon2id ??= inflate(base64).then((bytes) => WebAssembly.compile(bytes));
    return (await run({ module: await compilingArgon2id, job }, workerSource, signal)).key;
  } finally {
    wipe(job);
  }
}

/** What the module exports. */
export type Core = typeof glue;

/** Runs `work` on the module; what it throws becomes a {@link VaultError}. */
export function call<T>(work: (core: Core) => T): T {
  if (memory === undefined) {
    throw new VaultError("not_ready", "the WebAssembly module is not loaded yet", "await ready() first");
  }
  if (stopped) {
    const hint = "load the page again, or start the program again";
    throw new VaultError("internal", "the WebAssembly module has stopped", hint);
  }
  try {
    return work(glue);
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) {
      // Nobody knows what is sound in there now. With the memory go the keys of all vaults in it.
      stopped = true;
      new Uint8Array(memory.buffer).fill(0);
    }
    throw asVaultError(error);
  }
}

/** Whether the module has stopped where it should not: nothing in it is used any more. */
export function hasStopped(): boolean {
  return stopped;
}

/** Frees what the module holds, which wipes it, unless the module has stopped and is wiped as a whole. */
export function release(resource: { free(): void } | undefined): void {
  if (!stopped) resource?.free();
}

/** What the module threw. */
function asVaultError(thrown: unknown): unknown {
  if (typeof thrown === "string") {
    const { code, message, hint, place, connector } = JSON.parse(thrown) as glue.Thrown;
    return new VaultError(code, message, hint ?? undefined, { place, connector });
  }
  if (thrown instanceof WebAssembly.RuntimeError) {
    return new VaultError("internal", `the WebAssembly module stopped: ${thrown.message}`, undefined, {
      cause: thrown,
    });
  }
  return thrown;
}

async function load(given: ReadyOptions["wasm"]): Promise<WebAssembly.Exports> {
  const exports = await init({ module_or_path: await compile("wasm", given) });
  ({ memory } = exports);
  return exports as unknown as WebAssembly.Exports;
}

/** The second module fills a table of the first, whose name is that of the build. */
async function loadChanges(first: WebAssembly.Exports): Promise<void> {
  const module = await compile("changes", changesSource);
  try {
    await WebAssembly.instantiate(module, { first });
  } catch (error) {
    if (!(error instanceof WebAssembly.LinkError)) throw error;
    const message = "vault.wasm and changes.wasm are of different builds";
    throw new VaultError("not_ready", message, "serve both from one version of connector-vault", {
      cause: error,
    });
  }
}

async function compile(which: "wasm" | "changes", given: ReadyOptions["wasm"]): Promise<WebAssembly.Module> {
  const [{ [which]: source } = {}] = take(FUNCTIONS.ready, [{ [which]: await given }]);
  if (source instanceof WebAssembly.Module) return source;
  const file = which === "wasm" ? "vault.wasm" : "changes.wasm";
  if (source === undefined) {
    if (brought !== undefined) return WebAssembly.compile(await brought[which]());
    const hint = `connector-vault/slim needs it once: await ready({ ${which}: "/${file}" })`;
    throw new VaultError("not_ready", `nobody has said where ${file} is`, hint);
  }
  const found = typeof source === "string" || source instanceof URL ? await fetched(source, file) : source;
  if (!(typeof Response === "function" && found instanceof Response)) {
    return WebAssembly.compile(found as BufferSource);
  }
  if (!found.ok) throw new VaultError("io", `cannot load ${file}: HTTP ${found.status}`);
  // Not `compileStreaming`: servers that send another media type are many.
  return WebAssembly.compile(await found.arrayBuffer());
}

async function fetched(address: string | URL, file: string): Promise<Response> {
  try {
    return await fetch(address);
  } catch (error) {
    const hint = "check the connection, and repeat it: nothing was changed";
    throw new VaultError("io", `cannot load ${file}`, hint, { cause: error });
  }
}
