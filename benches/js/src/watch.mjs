/**
 * How long the thread of a page is blocked, observed from inside the page: by long tasks
 * (https://www.w3.org/TR/longtasks-1/) and by timers that come late.
 */

/**
 * @typedef {{ longTask: number, lateTimer: number }} Blocked
 * Milliseconds: of the longest task that the browser reports, 0 if none took more than 50 ms; and by how much a timer came
 * late at most, which is finer, and sensitive to whatever else the machine does.
 */

/** The shortest delay of a timer that follows timers (HTML, "timer nesting level"). */
const TICK_MS = 4;

/**
 * Observes the page while `work` runs.
 *
 * @param {() => unknown} work
 * @returns {Promise<Blocked>}
 */
export async function watch(work) {
  let [longTask, lateTimer] = [0, 0];
  const take = (entries) => {
    for (const { duration } of entries) longTask = Math.max(longTask, duration);
  };
  // The task in which this is called is not the work's.
  await ticks();
  const observer = new PerformanceObserver((list) => take(list.getEntries()));
  observer.observe({ type: "longtask" });
  let ticked;
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
async function ticks() {
  for (let count = 0; count < 8; count++) await new Promise((done) => setTimeout(done, TICK_MS));
  await new Promise((done) => requestAnimationFrame(done));
}

/** Fails if a page that is blocked on purpose is not noticed: no measurement would mean anything. */
export async function prove() {
  const end = () => performance.now() + 100;
  const { longTask } = await watch(() => {
    for (const until = end(); performance.now() < until;);
  });
  if (longTask < 100) throw new Error("a page that is blocked for 100 ms is not noticed");
}
