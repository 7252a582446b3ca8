/** One piece of work of a view at a time: what it is, and how it failed. */

import {
  css,
  html,
  nothing,
  type ReactiveController,
  type ReactiveControllerHost,
  type TemplateResult,
} from "lit";
import { problemOf, problemTemplate, type Problem } from "connector-vault-elements/problem.js";

/** For the view that shows the work: what says nothing takes no room. */
export const workSheet = css`
  .busy {
    color: var(--_muted);
  }
  .busy:empty {
    position: absolute;
  }
  progress {
    width: 100%;
    height: 6px;
    accent-color: var(--_accent);
  }
`;

/** Runs what takes a while, shows that it runs, and what went wrong. */
export class Work implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  #abort: AbortController | undefined;
  /** What is being done, in words; `undefined` if nothing is. */
  busy: string | undefined;
  /** How the last work failed. */
  problem: Problem | undefined;

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  hostDisconnected(): void {
    this.stop();
  }

  /**
   * Does `work`; what it throws becomes {@link problem}, and `undefined` is returned. A second piece of work
   * is refused while one runs.
   */
  async run<T>(text: string, work: (signal: AbortSignal) => T | Promise<T>): Promise<T | undefined> {
    if (this.#abort !== undefined) return undefined;
    const abort = new AbortController();
    this.#abort = abort;
    this.busy = text;
    this.problem = undefined;
    this.#host.requestUpdate();
    // What is computed in this thread would stop the page before the text is seen.
    await painted();
    if (abort.signal.aborted) return undefined;
    try {
      return await work(abort.signal);
    } catch (error) {
      if (!abort.signal.aborted) this.problem = problemOf(error);
      return undefined;
    } finally {
      if (this.#abort === abort) this.#abort = this.busy = undefined;
      this.#host.requestUpdate();
    }
  }

  /** Shows that work goes on that does not stop the page, and lets the user give it up. */
  progressTemplate(): TemplateResult | typeof nothing {
    if (this.busy === undefined) return nothing;
    return html`<progress aria-label="At work"></progress>
      <div class="row"><button type="button" @click=${() => this.stop()}>Cancel</button></div>`;
  }

  /** Gives up what runs, and forgets how the last work failed. */
  stop(): void {
    this.#abort?.abort();
    this.#abort = this.busy = this.problem = undefined;
    this.#host.requestUpdate();
  }

  /** For the attribute `aria-disabled` of what begins work: a button that is disabled would lose the focus. */
  get ariaDisabled(): "true" | "false" {
    return this.busy === undefined ? "false" : "true";
  }

  /** What is being done and how it failed; always in the page, so that it is announced. */
  template(): TemplateResult {
    return html`<p class="busy" role="status">${this.busy}</p>
      ${this.problem === undefined ? nothing : problemTemplate(this.problem)}`;
  }
}

/** Lets the page do what waits, between the parts of long work. */
export function rest(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

/** After the next frame, or soon where a hidden page has none. */
function painted(): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, 100);
    requestAnimationFrame(() => {
      clearTimeout(timer);
      setTimeout(resolve);
    });
  });
}
