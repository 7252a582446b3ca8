/**
 * Something that pops up beside a field: above everything else, where there is room, and never cut off by
 * whatever scrolls around it.
 */

import type { ReactiveController, ReactiveControllerHost } from "lit";

/** What pops up, and beside what. Both stand in the host's template; the first with `popover="manual"`. */
export interface PopupParts {
  readonly popup: () => HTMLElement | null | undefined;
  readonly anchor: () => HTMLElement | null | undefined;
}

/** Between the field and the popup, in CSS pixels. */
const GAP = 4;
/** To the edge of what is seen of the page. */
const MARGIN = 8;
/** Room on one side that is enough in any case. */
const ROOM = 180;
/** A narrow field has a popup that is wider. */
const LEAST_WIDTH = 288;

/** Opens and closes the popup of an element, and keeps it beside its field. */
export class Popup implements ReactiveController {
  readonly #host: ReactiveControllerHost & HTMLElement;
  readonly #parts: PopupParts;
  #isOpen = false;
  #side: "above" | "below" | undefined;
  #frame: number | undefined;

  constructor(host: ReactiveControllerHost & HTMLElement, parts: PopupParts) {
    this.#host = host;
    this.#parts = parts;
    host.addController(this);
  }

  /** Whether it is open. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  set isOpen(isOpen: boolean) {
    if (isOpen === this.#isOpen) return;
    this.#isOpen = isOpen;
    this.#host.requestUpdate();
  }

  hostDisconnected(): void {
    this.isOpen = false;
    this.#stop();
  }

  hostUpdated(): void {
    if (this.#isOpen && this.#host.isConnected) {
      this.#place();
      this.#frame ??= requestAnimationFrame(this.#follow);
    } else {
      const popup = this.#parts.popup();
      if (popup?.matches(":popover-open") === true) popup.hidePopover();
      this.#side = undefined;
      this.#stop();
    }
  }

  /**
   * The field moves for many reasons: something around it scrolls, perhaps in another shadow tree, the page
   * is zoomed, or a keyboard comes up. No event tells them all.
   */
  readonly #follow = (): void => {
    this.#place();
    this.#frame = requestAnimationFrame(this.#follow);
  };

  #stop(): void {
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
  }

  /** Shows it where it belongs. Each time it is asked how tall something is, the page is laid out: seldom. */
  #place(): void {
    const [popup, anchor] = [this.#parts.popup(), this.#parts.anchor()];
    if (popup === null || popup === undefined || anchor === null || anchor === undefined) return;
    const seen = seenOfPage();
    const field = anchor.getBoundingClientRect();
    const width = Math.min(Math.max(field.width, LEAST_WIDTH), seen.right - seen.left - 2 * MARGIN);
    const left = Math.min(Math.max(field.left, seen.left + MARGIN), seen.right - MARGIN - width);
    set(popup, "width", `${width}px`);
    set(popup, "left", `${left}px`);
    if (!popup.matches(":popover-open")) popup.showPopover();

    const room = {
      below: seen.bottom - MARGIN - GAP - field.bottom,
      above: field.top - GAP - MARGIN - seen.top,
    };
    const height = popup.offsetHeight;
    // Once it is open it stays on its side: it would jump about while the user types.
    const wanted = this.#side === undefined ? height : Math.min(height, ROOM);
    this.#side ??= "below";
    const other = this.#side === "above" ? "below" : "above";
    if (room[this.#side] < wanted && room[other] > room[this.#side]) this.#side = other;
    const isAbove = this.#side === "above";
    set(popup, "top", isAbove ? "auto" : `${field.bottom + GAP}px`);
    set(popup, "bottom", isAbove ? `${seen.height - field.top + GAP}px` : "auto");
    set(popup, "--_room", `${Math.max(0, Math.floor(room[this.#side]))}px`);
  }
}

/** What of the page is seen, also while a keyboard covers some of it; in the coordinates of fixed elements. */
interface Seen {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
  /** Of everything that fixed elements are placed in. */
  readonly height: number;
}

function seenOfPage(): Seen {
  const { clientWidth, clientHeight } = document.documentElement;
  const whole = { offsetTop: 0, offsetLeft: 0, width: clientWidth, height: clientHeight };
  const { offsetTop: top, offsetLeft: left, width, height } = visualViewport ?? whole;
  return {
    top,
    bottom: top + height,
    left,
    right: left + Math.min(width, clientWidth),
    height: clientHeight,
  };
}

function set({ style }: HTMLElement, name: string, value: string): void {
  if (style.getPropertyValue(name) !== value) style.setProperty(name, value);
}
