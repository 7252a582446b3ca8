/** The core: the WebAssembly modules and the script of their worker, which a build serves as files of their own. */

import { ready } from "connector-vault";
import changes from "connector-vault/changes.wasm?url";
import wasm from "connector-vault/vault.wasm?url";
import worker from "connector-vault/worker?worker&url";

/** What the DOM's declarations lack of Trusted Types. */
interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): TrustedPolicy;
}
interface TrustedPolicy {
  createScriptURL(url: string): string;
}

const { trustedTypes } = globalThis as { readonly trustedTypes?: TrustedTypes };

const policy: TrustedPolicy = trustedTypes?.createPolicy("connector-vault", { createScriptURL: ownUrl }) ?? {
  createScriptURL: ownUrl,
};

/**
 * The address of a script of this site, for `new Worker` and service workers: where the browser knows Trusted Types,
 * they take no other. It is an object there, whatever its type says.
 */
export function scriptUrl(url: string): string {
  return policy.createScriptURL(url);
}

/** Loads the core: once, unless it failed. */
export function core(): Promise<void> {
  return ready({ wasm, changes, worker: () => new Worker(scriptUrl(worker), { type: "module" }) });
}

function ownUrl(url: string): string {
  if (new URL(url, location.href).origin === location.origin) return url;
  throw new TypeError(`the page runs no script of ${url}`);
}
