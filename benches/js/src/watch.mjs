/**
 * How long the thread of a page is blocked, observed from inside the page: by long tasks
 * (https://www.w3.org/TR/longtasks-1/) and by timers that come late.
 */

/** In milliseconds. */
export interface Blocked {
  /** The longest task that the browser reports: 0 if none took more than 50 ms. */
  readonly longTask: number;
  /** By how much a timer came late at most. Finer than tasks, and sensitive to whatever else the machine does. */
  readonly lateTimer: number;
}

/** The shortest delay of a timer that follows timers (HTML, "timer nesting level"). */
const TICK_MS = 4;

/** Observes the page while `work` runs. */
export async function watch(work: () => unknown): Promise<Blocked> {
  let [longTask, lateTimer] = [0, 0];
  const take = (entries: readonly PerformanceEntry[]) => {
    for (const { duration } of entries) longTask = Math.max(longTask, duration);
  };
  const observer = new PerformanceObserver((list) => take(list.getEntries()));
  observer.observe({ type: "longtask" });
  let ticked: number | undefined;
  const tick = () => {
    const now = performance.now();
    if (ticked !== undefined) lateTimer = Math.max(lateTimer, now - ticked - TICK_MS);
    ticked = now;
    timer = setTimeout(tick, TICK_MS);
  };
  let timer = setTimeout(tick, TICK_MS);
  await ticks();
  try {
    await work();
  } finally {
    // The task in which the work ended is reported after its end.
    await ticks();
    clearTimeout(timer);
    take(observer.takeRecords());
    observer.disconnect();
  }
  return { longTask, lateTimer };
}

/** Lets some timers and a frame pass. */
async function ticks(): Promise<void> {
  for (let count = 0; count < 8; count++) await new Promise((done) => setTimeout(done, TICK_MS));
  await new Promise((done) => requestAnimationFrame(done));
}

/** Blocks the page, to prove that it would be noticed. */
export function block(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}
