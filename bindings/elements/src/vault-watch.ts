/** Tells a component what happens to its vault: it changed, was locked, or is no longer there. */

import type { Vault } from "connector-vault";
import type { ReactiveController, ReactiveControllerHost } from "lit";

/** A component over a vault. */
export interface VaultHost extends ReactiveControllerHost {
  vault?: Vault | undefined;
  readonly isConnected: boolean;
}

/** What a component does then. */
export interface VaultReactions {
  /** There is a vault now, or it has changed. */
  changed(): void;
  /**
   * It is locked or was taken away, or the component left the page: what came of the vault has to go. Another
   * vault may come next.
   */
  gone(): void;
}

/**
 * Tells that a vault is locked, until the signal. Also something that is not in the page at that time, but that is
 * no reason to keep it.
 */
export function whenLocked<T extends object>(
  vault: Vault,
  told: T,
  locked: (told: T) => void,
  signal: AbortSignal,
): void {
  const ref = new WeakRef(told);
  const tell = (): void => {
    const told = ref.deref();
    if (told !== undefined) locked(told);
  };
  vault.addEventListener("lock", tell, { signal });
}

/** Listens to the vault that its component has now: while that is no part of a page, only whether it is locked. */
export class VaultWatch implements ReactiveController {
  readonly #host: VaultHost;
  readonly #reactions: VaultReactions;
  #vault: Vault | undefined;
  /** While the component is no part of a page. */
  #away: AbortController | undefined;

  constructor(host: VaultHost, reactions: VaultReactions) {
    this.#host = host;
    this.#reactions = reactions;
    host.addController(this);
  }

  hostConnected(): void {
    this.#away?.abort();
    this.#watch(this.#host.vault);
  }

  hostDisconnected(): void {
    this.#watch(undefined);
    const { vault } = this.#host;
    if (vault === undefined) return;
    this.#away = new AbortController();
    whenLocked(vault, this, (watch) => watch.#gone(), this.#away.signal);
  }

  hostUpdate(): void {
    if (this.#host.isConnected) this.#watch(this.#host.vault);
  }

  #watch(vault: Vault | undefined): void {
    if (vault === this.#vault) return;
    const former = this.#vault;
    this.#vault = vault;
    if (former !== undefined) {
      former.removeEventListener("change", this.#changed);
      former.removeEventListener("lock", this.#gone);
      this.#reactions.gone();
    }
    if (vault !== undefined) {
      vault.addEventListener("change", this.#changed);
      vault.addEventListener("lock", this.#gone);
      if (vault.isLocked) this.#reactions.gone();
      else this.#reactions.changed();
    }
  }

  readonly #changed = (): void => this.#reactions.changed();
  readonly #gone = (): void => this.#reactions.gone();
}
