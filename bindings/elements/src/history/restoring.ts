/** A former version about to be restored: what that would change, and the way there. */

import type { Outcome, Plan, Vault } from "connector-vault";
import type { ReactiveControllerHost } from "lit";

import { problemOf, type Problem } from "../problem.js";

/** The plan of a restore, until it is carried out or given up. */
export class Restoring {
  readonly id: string;
  readonly version: number;
  readonly #host: ReactiveControllerHost;
  readonly #vault: Vault;
  #plan: Plan<Outcome> | undefined;
  #problem: Problem | undefined;
  #isBusy = false;
  #isEnded = false;

  constructor(host: ReactiveControllerHost, vault: Vault, id: string, version: number) {
    this.#host = host;
    this.#vault = vault;
    this.id = id;
    this.version = version;
    this.replan();
  }

  /** What would change; nothing if it cannot be restored. */
  get plan(): Plan<Outcome> | undefined {
    return this.#plan;
  }

  /** Why it cannot be restored, or was not. */
  get problem(): Problem | undefined {
    return this.#problem;
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** Plans on what the vault is now, unless the plan is being carried out. */
  replan(): void {
    if (this.#isBusy || this.#isEnded) return;
    this.#plan?.dispose();
    this.#plan = undefined;
    this.#problem = undefined;
    try {
      this.#plan = this.#vault.planRestore(this.id, this.version);
    } catch (error) {
      this.#problem = problemOf(error);
    }
    this.#host.requestUpdate();
  }

  /** Carries out what is shown; nothing if that failed. */
  async commit(): Promise<Outcome | undefined> {
    if (this.#plan === undefined || this.#isBusy) return undefined;
    this.#isBusy = true;
    this.#problem = undefined;
    this.#host.requestUpdate();
    try {
      return await this.#vault.commit(this.#plan);
    } catch (error) {
      this.#isBusy = false;
      if (this.#isEnded) this.#plan.dispose();
      // On what there is now: the reason may be that somebody else was faster.
      this.replan();
      this.#problem = problemOf(error);
      return undefined;
    }
  }

  /** Wipes what was planned. */
  end(): void {
    this.#isEnded = true;
    if (!this.#isBusy) this.#plan?.dispose();
  }
}
