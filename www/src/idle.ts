/** Locks a vault that nobody uses. Knows no element. */

/** How long before it locks it says so, in milliseconds. */
export const WARNING_MS = 30_000;

/** After how many minutes the user may have it lock; 0 is never. */
export const LOCK_MINUTES: readonly number[] = [1, 5, 15, 60, 0];

const LOCK_MINUTES_DEFAULT = 5;

/** What counts as using the page. */
const ACTIVITY = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart", "input"];

/** What happens while time passes. */
export interface IdleReactions {
  /** It locks at this time, as `Date.now()` has it, unless something is done. */
  warn(locksAt: number): void;
  /** Something was done after the warning. */
  active(): void;
  /** Time is up. */
  lock(): void;
}

/**
 * Watches whether the page is used. A tab that is hidden is not; a machine that slept has let time pass: hence the clock
 * decides and not the timers, which stop then.
 */
export class IdleWatch {
  readonly #reactions: IdleReactions;
  readonly #limitMs: number;
  readonly #ending = new AbortController();
  #usedAt = Date.now();
  #isWarned = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `minutes` of 0: it never locks. */
  constructor(minutes: number, reactions: IdleReactions, page: EventTarget = document) {
    this.#reactions = reactions;
    this.#limitMs = minutes * 60_000;
    if (minutes === 0) return;
    const { signal } = this.#ending;
    for (const type of ACTIVITY) {
      page.addEventListener(type, () => this.#used(), { signal, capture: true, passive: true });
    }
    // Before anything that is done then counts as use.
    page.addEventListener("visibilitychange", () => this.#look(), { signal });
    this.#look();
  }

  /** Ends the watch. */
  stop(): void {
    this.#ending.abort();
    clearTimeout(this.#timer);
  }

  #used(): void {
    // After a sleep the first movement of the mouse is too late.
    this.#look();
    if (this.#ending.signal.aborted) return;
    this.#usedAt = Date.now();
    if (!this.#isWarned) return;
    this.#isWarned = false;
    this.#reactions.active();
    this.#look();
  }

  #look(): void {
    if (this.#ending.signal.aborted) return;
    clearTimeout(this.#timer);
    const locksAt = this.#usedAt + this.#limitMs;
    const left = locksAt - Date.now();
    if (left <= 0) {
      this.stop();
      this.#reactions.lock();
      return;
    }
    if (left <= WARNING_MS && !this.#isWarned) {
      this.#isWarned = true;
      this.#reactions.warn(locksAt);
    }
    this.#timer = setTimeout(() => this.#look(), left > WARNING_MS ? left - WARNING_MS : left);
  }
}

/** The choice is no secret, and is the only thing that the page itself keeps in this browser's storage. */
const KEY = "connector-vault lock-minutes";

/** After how many minutes this user wants it to lock. */
export function lockMinutes(): number {
  try {
    const kept = Number(localStorage.getItem(KEY) ?? LOCK_MINUTES_DEFAULT);
    return LOCK_MINUTES.includes(kept) ? kept : LOCK_MINUTES_DEFAULT;
  } catch {
    // The browser keeps nothing for this site.
    return LOCK_MINUTES_DEFAULT;
  }
}

/** Keeps the choice for the next time. */
export function keepLockMinutes(minutes: number): void {
  try {
    localStorage.setItem(KEY, String(minutes));
  } catch {
    // It holds as long as the page.
  }
}
