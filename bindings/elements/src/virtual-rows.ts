/** Long lists of rows of one height, of which only those in sight are in the document. */

import { noChange, type ReactiveController, type ReactiveControllerHost } from "lit";
import { Directive, PartType, directive, type ElementPart, type PartInfo } from "lit/directive.js";

/** How a list looks. */
export interface VirtualRowsOptions {
  /** The element that scrolls, as soon as the host has rendered it: `() => this.renderRoot?.querySelector(...)`. */
  readonly scroller: () => Element | null | undefined;
  /** The height of each row in CSS pixels; see {@link rem} for one that follows the size of text. */
  readonly rowHeight: () => number;
  /** How many rows are rendered beyond what is seen, on each side. By default 6. */
  readonly overscan?: number | undefined;
}

/** Where something stands in the list, in CSS pixels. */
export interface Place {
  readonly top?: number;
  readonly height?: number;
}

/** A row to render. */
export interface Row extends Required<Place> {
  /** Of what is listed. */
  readonly index: number;
}

/**
 * Says which rows an element renders, and renders it again when others come into sight.
 *
 * The scroller holds one element as tall as all rows; the rows stand in it, absolutely positioned.
 *
 * @example
 * ```ts
 * class MyList extends LitElement {
 *   static override styles = css`
 *     .scroller { overflow-y: auto; height: 20rem; }
 *     ul { position: relative; }
 *     li { position: absolute; inset-inline: 0; }
 *   `;
 *   readonly #rows = new VirtualRows(this, {
 *     scroller: () => this.renderRoot?.querySelector(".scroller"),
 *     rowHeight: () => rem(2.5),
 *   });
 *
 *   override render() {
 *     this.#rows.count = this.items.length;
 *     return html`<div class="scroller" tabindex="0">
 *       <ul ${placed({ height: this.#rows.height })}>
 *         ${repeat(
 *           this.#rows.rows,
 *           ({ index }) => index,
 *           (row) => html`<li ${placed(row)}>${this.items[row.index]}</li>`,
 *         )}
 *       </ul>
 *     </div>`;
 *   }
 * }
 * ```
 */
export class VirtualRows implements ReactiveController {
  /**
   * A row that stays in the document though it is out of sight: because it has the focus, or is what
   * `aria-activedescendant` refers to. Set it before the rows are asked for.
   */
  kept: number | undefined;
  readonly #host: ReactiveControllerHost;
  readonly #options: VirtualRowsOptions;
  /** Tells the height of the scroller without asking for layout. */
  #resized: ResizeObserver | undefined;
  #scroller: Element | undefined;
  #scrollTop = 0;
  #clientHeight = 0;
  #count = 0;
  #rowHeight: number;
  /** The rows that were rendered: from one to before another. */
  #shown: readonly [number, number] = [0, 0];

  constructor(host: ReactiveControllerHost, options: VirtualRowsOptions) {
    this.#host = host;
    this.#options = options;
    this.#rowHeight = options.rowHeight();
    host.addController(this);
  }

  /** How many rows there are. Set it when rendering. */
  get count(): number {
    return this.#count;
  }

  set count(count: number) {
    this.#count = count;
    this.#rowHeight = this.#options.rowHeight();
  }

  /** The rows to render. */
  get rows(): readonly Row[] {
    const [from, to] = (this.#shown = this.#range());
    const indexes = Array.from({ length: to - from }, (_, offset) => from + offset);
    const height = this.#rowHeight;
    return this.#withKept(indexes).map((index) => ({ index, top: index * height, height }));
  }

  /** The height of all rows together. */
  get height(): number {
    return this.#count * this.#rowHeight;
  }

  /** How many rows the scroller shows at once, at least 1: what PageUp and PageDown pass. */
  get perPage(): number {
    const height = this.#options.scroller()?.clientHeight ?? 0;
    return Math.max(1, Math.floor(height / this.#rowHeight));
  }

  /** Scrolls until the row is in sight, by default as little as possible; as soon as the host is rendered. */
  scrollToIndex(index: number, align: "auto" | "start" | "center" | "end" = "auto"): void {
    void this.#host.updateComplete.then(() => {
      const scroller = this.#options.scroller();
      if (scroller === null || scroller === undefined) return;
      const { clientHeight, scrollTop } = scroller;
      const start = index * this.#rowHeight;
      const end = start + this.#rowHeight - clientHeight;
      const auto = Math.max(Math.min(scrollTop, start), end);
      scroller.scrollTop = { start, end, auto, center: (start + end) / 2 }[align];
    });
  }

  hostConnected(): void {
    this.#resized = new ResizeObserver(([entry]) => {
      this.#clientHeight = entry?.contentRect.height ?? 0;
      this.#look();
    });
    // What was rendered before stays in the host.
    this.#watch(this.#options.scroller() ?? undefined);
  }

  hostUpdated(): void {
    this.#watch(this.#options.scroller() ?? undefined);
  }

  hostDisconnected(): void {
    this.#watch(undefined);
  }

  #watch(scroller: Element | undefined): void {
    if (scroller === this.#scroller) return;
    this.#scroller?.removeEventListener("scroll", this.#scrolled);
    this.#resized?.disconnect();
    this.#scroller = scroller;
    this.#scrollTop = 0;
    if (scroller === undefined) return;
    scroller.addEventListener("scroll", this.#scrolled, { passive: true });
    this.#resized?.observe(scroller);
  }

  readonly #scrolled = (): void => {
    this.#scrollTop = this.#scroller?.scrollTop ?? 0;
    this.#look();
  };

  #look(): void {
    const [from, to] = this.#range();
    if (from !== this.#shown[0] || to !== this.#shown[1]) this.#host.requestUpdate();
  }

  #range(): readonly [number, number] {
    // Not laid out, or hidden.
    if (this.#clientHeight === 0) return [0, 0];
    const overscan = this.#options.overscan ?? 6;
    const seen = Math.ceil(this.#clientHeight / this.#rowHeight) + 1;
    // Of a list that got shorter the browser shows the end.
    const first = Math.min(Math.floor(this.#scrollTop / this.#rowHeight), Math.max(0, this.#count - seen));
    return [Math.max(0, first - overscan), Math.min(this.#count, first + seen + overscan)];
  }

  #withKept(indexes: readonly number[]): readonly number[] {
    const { kept } = this;
    if (kept === undefined || kept < 0 || kept >= this.#count || indexes.includes(kept)) return indexes;
    return [...indexes, kept].sort((one, other) => one - other);
  }
}

/** So many times the size of text that the user has chosen, in CSS pixels. */
export function rem(count: number): number {
  return count * parseFloat(getComputedStyle(document.documentElement).fontSize);
}

class PlacedDirective extends Directive {
  constructor(part: PartInfo) {
    super(part);
    if (part.type !== PartType.ELEMENT) throw new Error("placed() stands in the tag of an element");
  }

  override render(_place: Place): unknown {
    return noChange;
  }

  override update(part: ElementPart, [{ top, height }]: [Place]): unknown {
    const { style } = part.element as HTMLElement;
    for (const [name, value] of [
      ["top", top],
      ["height", height],
    ] as const) {
      const text = value === undefined ? "" : `${value}px`;
      if (style.getPropertyValue(name) !== text) style.setProperty(name, text);
    }
    return noChange;
  }
}

/**
 * Places an element: `<li ${placed(row)}>`. By the object model: a strict Content Security Policy refuses
 * style attributes.
 */
export const placed = directive(PlacedDirective);
