/** Keeps a view in step with its vault. */

import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { Vault } from "connector-vault";

import type { Session } from "../session.js";

/** A view with an open vault. */
export interface SessionHost extends ReactiveControllerHost {
  readonly session?: Session | undefined;
}

/** What a view does beside rendering itself again. */
export interface Watching {
  /** The vault has changed, by this page or by others. */
  changed?(vault: Vault): void;
  /** The vault is locked, or another one is shown: forget what came of it. */
  forget?(): void;
}

/** Renders a view again when its vault changes, and tells it when to forget. */
export class VaultWatch implements ReactiveController {
  readonly #host: SessionHost;
  readonly #watching: Watching;
  #vault: Vault | undefined;

  constructor(host: SessionHost, watching: Watching = {}) {
    this.#host = host;
    this.#watching = watching;
    host.addController(this);
  }

  hostConnected(): void {
    this.#watch(this.#host.session?.vault);
  }

  hostUpdate(): void {
    this.#watch(this.#host.session?.vault);
  }

  hostDisconnected(): void {
    this.#watch(undefined);
  }

  #watch(vault: Vault | undefined): void {
    if (vault === this.#vault) return;
    const before = this.#vault;
    this.#vault = vault;
    if (before !== undefined) {
      before.removeEventListener("change", this.#onChange);
      before.removeEventListener("lock", this.#onLock);
      this.#watching.forget?.();
    }
    vault?.addEventListener("change", this.#onChange);
    vault?.addEventListener("lock", this.#onLock);
  }

  readonly #onChange = (): void => {
    if (this.#vault !== undefined && !this.#vault.isLocked) this.#watching.changed?.(this.#vault);
    this.#host.requestUpdate();
  };

  readonly #onLock = (): void => {
    this.#watching.forget?.();
    this.#host.requestUpdate();
  };
}
