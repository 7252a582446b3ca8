/** Identities: what a service holds instead of a passphrase (docs/format.md section 3.3). */

import type { Identity as CoreIdentity } from "../pkg/vault.js";
import { FUNCTIONS, identities, IDENTITY_CLASS } from "./arguments.js";
import { guard, take } from "./check.js";
import { VaultError } from "./error.js";
import { call, release } from "./wasm.js";
import { utf8 } from "./utf8.js";

/**
 * A secret from which a grant's keys derive. Its owner gives {@link grantKey} away, which is public, and
 * is granted a role. Needs {@link ready}.
 *
 * @example
 * ```ts
 * await ready();
 * const identity = Identity.generate();
 * await vault.grant("rotation", "rotator", { key: identity.grantKey });
 * ```
 */
export class Identity {
  #core: CoreIdentity | undefined;

  private constructor(core: CoreIdentity) {
    this.#core = core;
    identities.add(this);
  }

  /** A new identity from the platform's randomness. */
  static generate(): Identity {
    return new Identity(call((core) => core.Identity.generate()));
  }

  /** Reads `cvault-identity-1...`; the checksum catches what was mistyped. Fails with `invalid_identity`. */
  static parse(text: string): Identity {
    const bytes = utf8(text);
    try {
      return new Identity(call((core) => core.Identity.parse(bytes)));
    } finally {
      bytes.fill(0);
    }
  }

  /** The secret as text: `cvault-identity-1` and 58 characters. */
  toText(): string {
    return call(() => this.#open().toText());
  }

  /** @internal The secret as UTF-8, to be wiped. */
  toBytes(): Uint8Array {
    return call(() => this.#open().toBytes());
  }

  /** The public keys as text, `cvault-grant-1...`: 1,689 characters. */
  get grantKey(): string {
    return call(() => this.#open().grantKey());
  }

  /** The short form of the public keys, which people compare: six groups of four characters. */
  get fingerprint(): string {
    return call(() => this.#open().fingerprint());
  }

  /** Wipes the secret. */
  dispose(): void {
    release(this.#core);
    this.#core = undefined;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** What is logged of it. */
  toJSON(): string {
    return "Identity(..)";
  }

  #open(): CoreIdentity {
    if (this.#core === undefined) throw new VaultError("invalid_argument", "the identity was disposed of");
    return this.#core;
  }
}

guard(Identity, IDENTITY_CLASS);

/**
 * The one text form of public keys, from that text or a file with it. Needs {@link ready}. Fails with
 * `invalid_grant_key`.
 */
export function parseGrantKey(text: string): string {
  const args = take(FUNCTIONS.parseGrantKey, [text]);
  return call((core) => core.parseGrantKey(...args));
}
