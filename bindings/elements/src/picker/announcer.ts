/** Tells screen readers what came of typing, once the user has paused: they would talk over the keys. */

import { html, type ReactiveController, type ReactiveControllerHost, type TemplateResult } from "lit";

/** How long the user has to pause, in milliseconds. */
const PAUSE_MS = 500;

/** Announces for an element, which renders {@link template} in any case: a region that comes later is not heard. */
export class Announcer implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  readonly #say: () => string | undefined;
  #text = "";
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `say`: what there is to say then; nothing if it is too early for that, too. */
  constructor(host: ReactiveControllerHost, say: () => string | undefined) {
    this.#host = host;
    this.#say = say;
    host.addController(this);
  }

  hostDisconnected(): void {
    this.stop();
  }

  /** Announces after a pause. */
  soon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const text = this.#say();
      if (text === undefined) this.soon();
      else this.#show(text);
    }, PAUSE_MS);
  }

  /** Says nothing any more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#show("");
  }

  /** The region that screen readers listen to. */
  template(): TemplateResult {
    return html`<div class="visually-hidden" role="status">${this.#text}</div>`;
  }

  #show(text: string): void {
    if (text === this.#text) return;
    this.#text = text;
    this.#host.requestUpdate();
  }
}
