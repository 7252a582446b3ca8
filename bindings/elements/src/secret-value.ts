/**
 * Shows secret values of a component, those of one property at a time: a button that reveals and hides, and
 * the values below it. They are forgotten some time after the user has left the component.
 */

import {
  css,
  html,
  nothing,
  type ReactiveController,
  type ReactiveControllerHost,
  type TemplateResult,
} from "lit";

import { problemOf, problemTemplate, type Problem } from "./problem.js";
import type { PlanTexts } from "./texts.js";

/** How long values stay after the focus has left, in milliseconds. */
const LINGER = 30_000;

/** A value, and what it is called; `undefined` where there is none. */
export interface LabelledValue {
  readonly label: string;
  readonly value: string | undefined;
}

/** What is revealed: by a key that says of what. */
interface Revealed {
  readonly key: string;
  readonly values: readonly LabelledValue[];
  readonly problem: Problem | undefined;
}

/** Keeps what a component has revealed. */
export class Reveal implements ReactiveController {
  readonly #host: ReactiveControllerHost & HTMLElement;
  #revealed: Revealed | undefined;
  /** Stands for what was asked for last: what comes for another is too late. */
  #asked: object | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: ReactiveControllerHost & HTMLElement) {
    this.#host = host;
    host.addController(this);
  }

  /** The button that reveals what `load` brings, and hides it. */
  button(
    texts: PlanTexts,
    name: string,
    key: string,
    load: () => Promise<readonly LabelledValue[]>,
  ): TemplateResult {
    const isShown = this.#revealed?.key === key;
    return html`<button
      type="button"
      class="quiet reveal"
      part="reveal"
      aria-label=${isShown ? texts.hideOf(name) : texts.revealOf(name)}
      @click=${() => (isShown ? this.hide() : void this.#show(key, load))}
    >
      ${isShown ? texts.hide : texts.reveal}
    </button>`;
  }

  /** What is revealed under this key. */
  values(texts: PlanTexts, key: string): TemplateResult | typeof nothing {
    if (this.#revealed?.key !== key) return nothing;
    const { values, problem } = this.#revealed;
    if (problem !== undefined) return problemTemplate(problem);
    return html`<dl class="values" part="values">
      ${values.map(
        ({ label, value }) =>
          html`<dt>${label}</dt>
            <dd tabindex="0">${valueTemplate(texts, value)}</dd>`,
      )}
    </dl>`;
  }

  /** Forgets what is revealed. */
  hide(): void {
    clearTimeout(this.#timer);
    this.#asked = undefined;
    if (this.#revealed === undefined) return;
    this.#revealed = undefined;
    this.#host.requestUpdate();
  }

  hostConnected(): void {
    this.#host.addEventListener("focusout", this.#left);
    this.#host.addEventListener("focusin", this.#entered);
  }

  hostDisconnected(): void {
    this.#host.removeEventListener("focusout", this.#left);
    this.#host.removeEventListener("focusin", this.#entered);
    this.hide();
  }

  async #show(key: string, load: () => Promise<readonly LabelledValue[]>): Promise<void> {
    this.hide();
    const mine = (this.#asked = {});
    let values: readonly LabelledValue[] = [];
    let problem: Problem | undefined;
    try {
      values = await load();
    } catch (error) {
      problem = problemOf(error);
    }
    if (this.#asked !== mine) return;
    this.#revealed = { key, values, problem };
    // Not every browser focuses a button that is clicked.
    if (!this.#host.matches(":focus-within")) this.#left();
    this.#host.requestUpdate();
  }

  readonly #left = (): void => {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.hide(), LINGER);
  };

  readonly #entered = (): void => clearTimeout(this.#timer);
}

function valueTemplate(texts: PlanTexts, value: string | undefined): TemplateResult {
  if (value === undefined) return html`<span class="muted">${texts.absent}</span>`;
  if (value === "") return html`<span class="muted">${texts.emptyValue}</span>`;
  // Whoever translates pages would be sent it.
  return html`<span class="mono value" part="value" translate="no">${value}</span>`;
}

/** The look of what is revealed. */
export const secretValueSheet = css`
  .reveal {
    min-height: 28px;
    padding: 0 var(--_space);
    color: var(--_accent);
    font-size: 0.8125rem;
  }
  .values {
    display: grid;
    grid-template-columns: max-content minmax(0, 1fr);
    align-items: baseline;
    gap: calc(var(--_space) / 2) calc(var(--_space) * 1.5);
    margin: 0;
    padding: var(--_space) calc(var(--_space) * 1.5);
    background: var(--_raised);
    border-radius: var(--_radius);
  }
  .values dt {
    color: var(--_muted);
    font-size: 0.8125rem;
  }
  .values dd {
    margin: 0;
    min-width: 0;
    max-height: 12rem;
    overflow: auto;
  }
  .value {
    white-space: pre-wrap;
    overflow-wrap: anywhere;
  }
`;
