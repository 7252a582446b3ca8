/** The list of options: which of them are rendered, and which is active. */

import { html, type ReactiveController, type ReactiveControllerHost, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";

import type { PickerTexts } from "../texts.js";
import { VirtualRows, placed, rem } from "../virtual-rows.js";
import { Options, optionId, optionTemplate, type Option } from "./options.js";

/** The height of an option, in the size of text that the user has chosen. */
const OPTION_REM = 3;

/** A listbox in an element's shadow root; the focus stays in the field that it belongs to. */
export class Listbox implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  readonly #rows: VirtualRows;
  #options = new Options();
  #active: number | undefined;

  /** `element`: the listbox itself, which {@link template} renders. */
  constructor(host: ReactiveControllerHost, element: () => Element | null | undefined) {
    this.#host = host;
    this.#rows = new VirtualRows(host, { scroller: element, rowHeight: () => rem(OPTION_REM) });
    host.addController(this);
  }

  hostConnected(): void {
    this.#active = undefined;
  }

  /** How many options there are. */
  get count(): number {
    return this.#options.count;
  }

  /** The option that Enter chooses. */
  get active(): Option | undefined {
    return this.#active === undefined ? undefined : this.#options.at(this.#active);
  }

  /** What `aria-activedescendant` says. */
  get activeId(): string | undefined {
    return this.active === undefined || this.#active === undefined ? undefined : optionId(this.#active);
  }

  /** The option that an event comes from. */
  optionOf(event: Event): Option | undefined {
    const element = event.target instanceof Element ? event.target.closest("[data-index]") : null;
    return element === null ? undefined : this.#options.at(Number(element.getAttribute("data-index")));
  }

  /** Lists these; the option that was active stays so if it is still there. */
  show(options: Options): void {
    const former = this.active?.connector?.id;
    this.#options = options;
    if (former === undefined) {
      if (this.active === undefined) this.#active = undefined;
    } else if (this.active?.connector?.id !== former) {
      this.#active = options.indexOf(former);
    }
  }

  /** Lists nothing. */
  clear(): void {
    this.#options = new Options();
    this.activate(undefined);
  }

  /** Where the connector with an id is. */
  indexOf(id: string): number | undefined {
    return this.#options.indexOf(id);
  }

  /** Makes an option active, or none, and brings it into sight. */
  activate(index: number | undefined, align: "auto" | "center" = "auto"): void {
    this.#active =
      index === undefined || this.count === 0 ? undefined : Math.min(Math.max(index, 0), this.count - 1);
    if (this.#active !== undefined) this.#rows.scrollToIndex(this.#active, align);
    this.#host.requestUpdate();
  }

  /** Brings an option into sight. */
  reveal(index: number): void {
    this.#rows.scrollToIndex(index, "center");
  }

  /** To the next option, or the previous one; around the ends. */
  step(by: 1 | -1): void {
    const { count } = this;
    if (this.#active === undefined) this.activate(by === 1 ? 0 : count - 1);
    else this.activate((this.#active + by + count) % count);
  }

  /** By as many options as are seen; not around the ends. */
  page(by: 1 | -1): void {
    this.activate((this.#active ?? (by === 1 ? -1 : this.count)) + by * this.#rows.perPage);
  }

  /** The element with its options. */
  template(texts: PickerTexts, label: string, selected: string): TemplateResult {
    const { count } = this;
    const rows = this.#rows;
    rows.count = count;
    rows.kept = this.#active;
    return html`<div
      id="listbox"
      class="listbox"
      part="listbox"
      role="listbox"
      tabindex="-1"
      aria-label=${label}
      ?hidden=${count === 0}
    >
      <div class="all" role="presentation" ${placed({ height: rows.height })}>
        ${repeat(
          rows.rows,
          ({ index }) => index,
          (row) => {
            const option = this.#options.at(row.index);
            if (option === undefined) return "";
            const isSelected = option.connector !== undefined && option.connector.id === selected;
            const isActive = row.index === this.#active;
            const words = this.#options.wordsOf(option);
            return optionTemplate(texts, option, { row, count, isActive, isSelected, words });
          },
        )}
      </div>
    </div>`;
  }
}
