/** Plans: what would change, without a value (docs/action.md section 7). */

import type { ActionOutcome, Op, Plan as CorePlan, Ran } from "../pkg/vault.js";
import { FUNCTIONS, PLAN_METHODS, plans } from "./arguments.js";
import { guard, take } from "./check.js";
import { VaultError } from "./error.js";
import { call, release } from "./wasm.js";

/**
 * What an action would change, and the dry run's report. It holds the new values, none of
 * which is in the report; `vault.commit(plan)` applies exactly this or fails with `conflict`.
 */
export class Plan<R extends Ran = Ran> {
  /** The report: status `planned`, or `unchanged`; of a batch those of its actions. */
  readonly outcome: R;
  /** What committing it does to the connector, of a batch to the first; nothing if it was carried out before. */
  readonly op: Op | undefined;
  /** Whether no property would change. */
  readonly isUnchanged: boolean;
  #core: CorePlan | undefined;

  /** @internal */
  constructor(core: CorePlan) {
    this.#core = core;
    plans.add(this);
    const [first] = JSON.parse(call(() => core.outcomes())) as R[];
    if (first === undefined) throw new VaultError("internal", "a plan has an outcome");
    this.outcome = first;
    this.op = call(() => core.op());
    this.isUnchanged = call(() => core.isUnchanged());
  }

  /** The outcome of each action: of the one, or of those of a batch. */
  get outcomes(): readonly ActionOutcome[] {
    return outcomesOf(this.outcome);
  }

  /**
   * The value that a property would have; nothing if there would be no such property. Of a batch `change` says
   * which of its changes, from 0: tests and what is skipped do not count. For people who look at
   * one value before they commit it: as a string it is the program's, which cannot wipe it.
   */
  reveal(name: string, change = 0): string | undefined {
    const { core } = this;
    return call(() => core.value(change, name));
  }

  /** Wipes the values. A plan that was committed needs it no more. */
  dispose(): void {
    release(this.#core);
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

guard(Plan.prototype, PLAN_METHODS);

/** The outcome of each action: of the one, or of those of a batch. */
export function outcomesOf(ran: Ran): readonly ActionOutcome[] {
  take(FUNCTIONS.outcomesOf, [ran]);
  return "outcomes" in ran ? ran.outcomes : [ran];
}
