/** Offers tokens in a cell of the grid as soon as a bracket opens: a listbox beside the text field. */

import {
  html,
  nothing,
  type ReactiveController,
  type ReactiveControllerHost,
  type TemplateResult,
} from "lit";

import { Popup } from "../picker/popup.js";
import type { EditorTexts } from "../texts.js";
import { matchingTokens, tokenAt, tokenText, type TokenBeginning, type TokenSuggestion } from "../tokens.js";

/** The cell in which a token is being written, and what it may become. */
interface Offer {
  readonly field: HTMLTextAreaElement;
  readonly beginning: TokenBeginning;
  readonly matches: readonly TokenSuggestion[];
  readonly active: number;
}

const LISTBOX_ID = "cell-tokens";
/** More than these nobody looks through. */
const OFFERED_MAX = 50;

/** The one listbox of the grid. */
export class CellCompletion implements ReactiveController {
  /** What can be offered. */
  tokens: readonly TokenSuggestion[] = [];
  readonly #host: ReactiveControllerHost & HTMLElement;
  readonly #popup: Popup;
  #offer: Offer | undefined;

  constructor(host: ReactiveControllerHost & HTMLElement) {
    this.#host = host;
    this.#popup = new Popup(host, {
      popup: () => host.shadowRoot?.querySelector<HTMLElement>(`#${LISTBOX_ID}`),
      anchor: () => this.#offer?.field,
    });
    host.addController(this);
  }

  /** How many tokens are offered. */
  get count(): number {
    return this.#offer?.matches.length ?? 0;
  }

  hostDisconnected(): void {
    this.close();
  }

  /** The option that is active in this field, for `aria-activedescendant`. */
  activeIn(id: string): string | undefined {
    return this.#offer?.field.id === id ? optionId(this.#offer.active) : undefined;
  }

  /** The text or the caret has changed by typing. */
  typed(field: HTMLTextAreaElement): void {
    const beginning = this.tokens.length === 0 ? undefined : tokenAt(field.value, field.selectionStart);
    const matches =
      beginning === undefined ? [] : matchingTokens(this.tokens, beginning.typed).slice(0, OFFERED_MAX);
    const isDone = matches.length === 1 && matches[0]?.name === beginning?.typed;
    this.#show(
      beginning === undefined || matches.length === 0 || isDone
        ? undefined
        : { field, beginning, matches, active: 0 },
    );
  }

  /** Takes a key if the listbox is open and knows it. */
  keydown(event: KeyboardEvent): boolean {
    const offer = this.#offer;
    if (offer === undefined || event.altKey || event.ctrlKey || event.metaKey) return false;
    const count = offer.matches.length;
    switch (event.key) {
      case "ArrowDown":
        this.#show({ ...offer, active: (offer.active + 1) % count });
        return true;
      case "ArrowUp":
        this.#show({ ...offer, active: (offer.active + count - 1) % count });
        return true;
      case "Enter":
        this.#choose(offer.active);
        return true;
      case "Escape":
        this.close();
        // Nothing around it, such as a dialog, closes too.
        event.stopPropagation();
        return true;
      case "ArrowLeft":
      case "ArrowRight":
      case "Home":
      case "End":
        this.close();
        return false;
      default:
        return false;
    }
  }

  /** Offers nothing more. */
  close(): void {
    this.#show(undefined);
  }

  /** The listbox, once for all cells. */
  template(texts: EditorTexts): TemplateResult {
    const { matches = [], active = 0 } = this.#offer ?? {};
    return html`<div
      id=${LISTBOX_ID}
      class="tokens"
      part="tokens"
      popover="manual"
      role="listbox"
      aria-label=${texts.tokens}
      @pointerdown=${(event: Event) => event.preventDefault()}
    >
      ${matches.map(
        ({ name, description }, index) =>
          html`<div
            id=${optionId(index)}
            class=${index === active ? "token active" : "token"}
            part=${index === active ? "token-option active-option" : "token-option"}
            role="option"
            aria-selected=${index === active}
            @click=${() => this.#choose(index)}
          >
            <span class="mono">[${name}]</span>
            ${description === undefined ? nothing : html`<span class="muted">${description}</span>`}
          </div>`,
      )}
    </div>`;
  }

  #choose(index: number): void {
    const offer = this.#offer;
    const token = offer?.matches[index];
    if (offer === undefined || token === undefined) return;
    const { field, beginning } = offer;
    this.close();
    field.setRangeText(tokenText(token, beginning), beginning.from, beginning.to, "end");
    field.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertReplacementText" }));
    this.close();
  }

  #show(offer: Offer | undefined): void {
    if (offer === undefined && this.#offer === undefined) return;
    this.#offer = offer;
    this.#popup.isOpen = offer !== undefined;
    this.#host.requestUpdate();
    if (offer !== undefined) void this.#host.updateComplete.then(() => this.#scroll());
  }

  #scroll(): void {
    this.#host.shadowRoot?.querySelector(`#${LISTBOX_ID} .active`)?.scrollIntoView({ block: "nearest" });
  }
}

/** What `aria-controls` refers to. */
export { LISTBOX_ID as TOKENS_ID };

function optionId(index: number): string {
  return `cell-token-${index}`;
}
