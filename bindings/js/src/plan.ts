/** Plans: what would change, without a value (docs/action.md section 7). */

import type { Op, Outcome, Plan as CorePlan } from "../pkg/vault.js";
import { VaultError } from "./error.js";
import { call } from "./wasm.js";

/**
 * What an action would change, and the dry run's report. It holds the new values, none of
 * which is in the report; `vault.commit(plan)` applies exactly this or fails with `conflict`.
 */
export class Plan {
  /** The report: status `planned`, or `unchanged`. */
  readonly outcome: Outcome;
  /** What committing it does to the connector; nothing if the request was carried out before. */
  readonly op: Op | undefined;
  #core: CorePlan | undefined;

  /** @internal */
  constructor(core: CorePlan) {
    this.#core = core;
    const [first] = JSON.parse(call(() => core.outcomes())) as Outcome[];
    if (first === undefined) throw new VaultError("internal", "a plan has an outcome");
    this.outcome = first;
    this.op = call(() => core.op());
  }

  /** Whether no property would change. */
  get isUnchanged(): boolean {
    return this.outcome.status === "unchanged";
  }

  /**
   * The value that a property would have; nothing if there would be no such property. For people who look at
   * one value before they commit it: as a string it is the program's, which cannot wipe it.
   */
  reveal(name: string): string | undefined {
    const { core } = this;
    return call(() => core.value(name));
  }

  /** Wipes the values. A plan that was committed needs it no more. */
  dispose(): void {
    this.#core?.free();
    this.#core = undefined;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** @internal */
  get core(): CorePlan {
    if (this.#core === undefined) {
      throw new VaultError("invalid_argument", "the plan was committed or disposed of", "plan again");
    }
    return this.#core;
  }
}
