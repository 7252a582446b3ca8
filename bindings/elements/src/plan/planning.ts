/** Plans again and again while an action is being written: only the newest counts. */

import type { ActionInput, ActionOptions, Plan, Ran, Tokens, Vault } from "connector-vault";

import { problemAbout, type Problem } from "../problem.js";

/** How long nothing more has to be written before it is planned, in milliseconds. */
const PAUSE = 150;

/** What is planned. */
export interface PlanRequest {
  readonly vault: Vault;
  readonly action: ActionInput;
  readonly tokens: Tokens | undefined;
  readonly options: ActionOptions | undefined;
}

/** What came of it. */
export type Planned = { readonly plan: Plan<Ran> } | { readonly error: unknown; readonly problem: Problem };

/** Whoever gets a plan of it disposes of it. */
export class Planning {
  readonly #request: () => PlanRequest | undefined;
  readonly #done: (planned: Planned) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: AbortController | undefined;
  /** The vault has changed while it was planned. */
  #isStale = false;
  #idle: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  /** `request` is asked when it is time to plan. */
  constructor(request: () => PlanRequest | undefined, done: (planned: Planned) => void) {
    this.#request = request;
    this.#done = done;
  }

  /** Whether something newer is to come. */
  get isBusy(): boolean {
    return this.#idle !== undefined;
  }

  /** Until nothing newer is to come. */
  async idle(): Promise<void> {
    while (this.#idle !== undefined) await this.#idle.promise;
  }

  /**
   * Plans what `request` says, after a pause unless it is the first. Is it the same as before, on what the vault
   * is now, then what is at work comes to its end: so there is something to see also of a vault that changes
   * all the time.
   */
  plan({ isOther, isFirst }: { readonly isOther: boolean; readonly isFirst: boolean }): void {
    if (!isOther && this.#running !== undefined) this.#isStale = true;
    else if (isOther || !this.isBusy) this.#start(isFirst ? 0 : PAUSE);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#running?.abort();
    this.#running = undefined;
    this.#settle();
  }

  #start(pause: number): void {
    clearTimeout(this.#timer);
    this.#running?.abort();
    this.#running = undefined;
    this.#isStale = false;
    if (this.#idle === undefined) {
      let resolve = (): void => undefined;
      const promise = new Promise<void>((done) => (resolve = done));
      this.#idle = { promise, resolve };
    }
    this.#timer = setTimeout(() => void this.#run(), pause);
  }

  async #run(): Promise<void> {
    const request = this.#request();
    if (request === undefined) return this.#settle();
    const running = (this.#running = new AbortController());
    const planned = await tried(request, running.signal);
    if (this.#running !== running) {
      if ("plan" in planned) planned.plan.dispose();
      return;
    }
    this.#running = undefined;
    const isStale = this.#isStale;
    this.#settle();
    this.#done(planned);
    if (isStale) this.plan({ isOther: false, isFirst: false });
  }

  #settle(): void {
    this.#idle?.resolve();
    this.#idle = undefined;
  }
}

async function tried({ vault, action, tokens, options }: PlanRequest, signal: AbortSignal): Promise<Planned> {
  try {
    return { plan: await vault.plan(action, { ...options, tokens, signal }) };
  } catch (error) {
    return { error, problem: problemAbout(error, vault) };
  }
}
