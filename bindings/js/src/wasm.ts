/** The WebAssembly module: loaded once, asked through {@link call}, which makes errors of what it throws. */

import { base64 } from "../pkg/argon2id-inline.js";
import init, * as glue from "../pkg/vault.js";
import { inflate } from "#inflate";
import { FUNCTIONS } from "./arguments.js";
import { take } from "./check.js";
import { VaultError } from "./error.js";
import { run } from "#worker";
import { wipe, type Job, type WorkerSource } from "./worker/job.js";

/** The bytes of `vault.wasm`, compiled or not, or where to fetch them. */
export type WasmSource = WebAssembly.Module | BufferSource | Response | URL | string;

/** Where what the package needs is found, if it does not find it by itself. */
export interface ReadyOptions {
  /** The module `connector-vault/vault.wasm`: needed once with `connector-vault/slim`. */
  readonly wasm?: WasmSource | PromiseLike<WasmSource> | undefined;
  /**
   * The script `connector-vault/worker`, or a function that starts a worker with it. Needed where a
   * bundler neither copies nor splits it (README, "Bundlers").
   */
  readonly worker?: WorkerSource | undefined;
}

let brought: (() => Promise<BufferSource>) | undefined;
let loading: Promise<void> | undefined;
let compilingArgon2id: Promise<WebAssembly.Module> | undefined;
/** The module's memory, once it is loaded. */
let memory: WebAssembly.Memory | undefined;
let stopped = false;
let workerSource: WorkerSource | undefined;

/** Says how an entry point brings the module along. */
export function bring(bytes: () => Promise<BufferSource>): void {
  brought = bytes;
}

/**
 * Loads the WebAssembly module. Call it as often as you like: it loads once. The asynchronous functions of
 * this package call it themselves; before the others, such as `Identity.generate()`, await it.
 */
export async function ready(options: ReadyOptions = {}): Promise<void> {
  [options = {}] = take(FUNCTIONS.ready, [options]);
  workerSource = options.worker ?? workerSource;
  loading ??= load(options.wasm).catch((error: unknown) => {
    // Perhaps the network was down: the next call tries again.
    loading = undefined;
    throw error;
  });
  await loading;
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

async function load(source: ReadyOptions["wasm"]): Promise<void> {
  const [{ wasm } = {}] = take(FUNCTIONS.ready, [{ wasm: await source }]);
  ({ memory } = await init({ module_or_path: await compile(wasm as WasmSource | undefined) }));
}

async function compile(source: WasmSource | undefined): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source;
  if (source === undefined) {
    if (brought !== undefined) return WebAssembly.compile(await brought());
    const hint = 'connector-vault/slim needs it once: await ready({ wasm: "/vault.wasm" })';
    throw new VaultError("not_ready", "nobody has said where the WebAssembly module is", hint);
  }
  const found = typeof source === "string" || source instanceof URL ? await fetch(source) : source;
  if (!(typeof Response === "function" && found instanceof Response)) {
    return WebAssembly.compile(found as BufferSource);
  }
  if (!found.ok) throw new VaultError("io", `cannot load the WebAssembly module: HTTP ${found.status}`);
  // Not `compileStreaming`: servers that send another media type are many.
  return WebAssembly.compile(await found.arrayBuffer());
}
