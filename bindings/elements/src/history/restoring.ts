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
  /** Counts what was planned: of several at work the last one counts. */
  #turn = 0;

  constructor(host: ReactiveControllerHost, vault: Vault, id: string, version: number) {
    this.#host = host;
    this.#vault = vault;
    this.id = id;
    this.version = version;
    void this.replan();
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
  async replan(): Promise<void> {
    if (this.#isBusy || this.#isEnded) return;
    this.#plan?.dispose();
    this.#plan = undefined;
    this.#problem = undefined;
    const turn = ++this.#turn;
    try {
      const plan = await this.#vault.planRestore(this.id, this.version);
      if (turn === this.#turn && !this.#isEnded) this.#plan = plan;
      else plan.dispose();
    } catch (error) {
      if (turn === this.#turn) this.#problem = problemOf(error);
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
      await this.replan();
      this.#problem = problemOf(error);
      this.#host.requestUpdate();
      return undefined;
    }
  }

  /** Wipes what was planned. */
  end(): void {
    this.#isEnded = true;
    if (!this.#isBusy) this.#plan?.dispose();
  }
}
