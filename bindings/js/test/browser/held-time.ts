/**
 * Time in the pages of tests: what a page does by itself a second or more later, such as hiding a value, happens when a
 * test says so. On the machine's own clock a slow test would find the value gone, and a quick test would have to wait.
 */

import type { Page } from "playwright-core";

/** What tests call in a page. */
export interface HeldTime {
  /** Lets time pass: timers run as they come due, and the clock shows the later time. */
  letPass(milliseconds: number): Promise<void>;
  /** Also holds shorter timers, from this delay on. */
  holdFrom(milliseconds: number): void;
  setClock(time: number): void;
}

/** Runs in each page before its scripts. */
export function holdTime(): void {
  let from = 1_000;
  const { setTimeout, clearTimeout, Date } = globalThis as unknown as {
    setTimeout(work: unknown, delay?: number, ...args: readonly unknown[]): number;
    clearTimeout(id?: number): void;
    readonly Date: DateConstructor;
  };
  /** How much time tests have let pass, in milliseconds; and by how much the clock was set before. */
  let passed = 0;
  let ahead = 0;
  /** The browser's own numbers are positive. */
  let last = 0;
  const held = new Map<number, { readonly due: number; readonly run: () => void }>();

  const hold = (work: unknown, delay = 0, ...args: readonly unknown[]): number => {
    if (typeof work !== "function" || !(delay >= from)) return setTimeout(work, delay, ...args);
    held.set(--last, { due: passed + delay, run: () => void Reflect.apply(work, globalThis, args) });
    return last;
  };
  const release = (id?: number): void => {
    if (id === undefined || !held.delete(id)) clearTimeout(id);
  };
  const letPass = async (milliseconds: number): Promise<void> => {
    const until = passed + milliseconds;
    for (;;) {
      const [id, next] = [...held].sort(([, one], [, other]) => one.due - other.due)[0] ?? [];
      if (id === undefined || next === undefined || next.due > until) break;
      held.delete(id);
      passed = next.due;
      next.run();
      // What it has begun goes on first, as between two timers of the browser.
      await new Promise((done) => setTimeout(done));
    }
    passed = until;
  };
  const now = (): number => Date.now() + ahead + passed;
  const HeldDate = new Proxy(Date, {
    construct: (target, args: [], newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as Date,
    get: (target, name) => (name === "now" ? now : (Reflect.get(target, name) as unknown)),
  });
  const setClock = (time: number): void => void (ahead = time - Date.now());
  const replaced = { setTimeout: hold, clearTimeout: release, Date: HeldDate };
  const heldTime: HeldTime = { letPass, setClock, holdFrom: (milliseconds) => void (from = milliseconds) };
  Object.assign(globalThis, replaced, { heldTime });
}

/** Lets time pass in a page: its timers run as they come due, and its clock shows the later time. */
export async function letPass(page: Page, time: { minutes?: number; seconds?: number }): Promise<void> {
  const { minutes = 0, seconds = 0 } = time;
  await page.evaluate(
    (milliseconds) => (globalThis as unknown as { heldTime: HeldTime }).heldTime.letPass(milliseconds),
    (minutes * 60 + seconds) * 1000,
  );
}

/** Also holds the shorter timers of a page, from this delay on: pauses while somebody writes, say. */
export async function holdFrom(page: Page, milliseconds: number): Promise<void> {
  await page.evaluate(
    (milliseconds) => (globalThis as unknown as { heldTime: HeldTime }).heldTime.holdFrom(milliseconds),
    milliseconds,
  );
}

/** Sets the clock of a page that is yet to be loaded. */
export async function setClock(page: Page, time: Date): Promise<void> {
  await page.addInitScript(
    (time) => (globalThis as unknown as { heldTime: HeldTime }).heldTime.setClock(time),
    time.getTime(),
  );
}
