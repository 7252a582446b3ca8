/** Side by side: every round runs each case once, and a ratio is taken within the round (benches/src/measure.rs). */

/**
 * @typedef {{ name: string, run: (round: number) => number | Promise<number> }} Case
 * Something to measure: given the number of the round, it says how many milliseconds it took.
 * @typedef {{ name: string, first: number, times: number[] }} Measured
 * Milliseconds: of the first turn, and of the rounds that count.
 */

/**
 * Measures the cases in turn. Round 0 warms up and does not count; the order turns by one each round, so
 * that nobody always follows the same neighbour.
 *
 * @param {number} rounds
 * @param {Case[]} cases
 * @returns {Promise<Measured[]>}
 */
export async function sideBySide(rounds, cases) {
  const measured = cases.map(({ name }) => ({ name, first: 0, times: [] }));
  for (let round = 0; round <= rounds; round++) {
    for (let turn = 0; turn < cases.length; turn++) {
      const index = (round + turn) % cases.length;
      // What the others have left to collect is not this one's to pay.
      globalThis.gc?.();
      const time = await cases[index].run(round);
      if (round === 0) measured[index].first = time;
      else measured[index].times.push(time);
    }
  }
  return measured;
}

/** How many milliseconds `work` took, and what it returned. */
export async function timed(work) {
  const start = performance.now();
  const done = await work();
  return [performance.now() - start, done];
}

/** As {@link timed}, for work that returns at once: nothing else gets in between. */
export function timedNow(work) {
  const start = performance.now();
  const done = work();
  return [performance.now() - start, done];
}

/** The nearest of the values at this part of their order; there is at least one. */
export function quantile(values, part) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.round((sorted.length - 1) * part)];
}

export const median = (values) => quantile(values, 0.5);

/** The ratios of `measured` to the yardstick, each within its round. */
export function ratios(measured, yardstick) {
  return measured.times.map((time, round) => time / yardstick.times[round]);
}
