/** Tells a component what happens to its vault: it changed, or it is no longer there. */

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
   * It was locked or taken away, or the component left the page: what came of the vault has to go. Another
   * vault may come next.
   */
  gone(): void;
}

/** Listens to the vault that its component has now, as long as the component is part of a page. */
export class VaultWatch implements ReactiveController {
  readonly #host: VaultHost;
  readonly #reactions: VaultReactions;
  #vault: Vault | undefined;

  constructor(host: VaultHost, reactions: VaultReactions) {
    this.#host = host;
    this.#reactions = reactions;
    host.addController(this);
  }

  hostConnected(): void {
    this.#watch(this.#host.vault);
  }

  hostDisconnected(): void {
    this.#watch(undefined);
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
      this.#reactions.changed();
    }
  }

  readonly #changed = (): void => this.#reactions.changed();
  readonly #gone = (): void => this.#reactions.gone();
}
