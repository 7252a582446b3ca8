/** How long a page is blocked by a large vault: each round in a new page, since the first time is the slowest. */

import { connectors } from "./dataset.mjs";
import { median, quantile } from "./measure.mjs";
import { createVault } from "./stores.mjs";

export const OPEN = "open by passphrase";

export async function blocked(browser, count, rounds) {
  const file = await createVault(connectors(count));
  browser.served.set("/vault", () => file);
  const pages = [];
  for (let round = 0; round < rounds; round++) {
    pages.push(await browser.inPage("/", (count) => globalThis.bench.blocked(count), count));
  }
  return tableOf(`How long a page is blocked, ${count} connectors`, pages);
}

/** A table of steps, from what was observed in each page: rows with `what`, `longTask` and perhaps `lateTimer`. */
export function tableOf(title, pages) {
  const steps = pages[0].map(({ what }, step) => ({ what, of: pages.map((page) => page[step]) }));
  const longTasks = steps.map(({ what, of }) => ({ what, tasks: of.map(({ longTask }) => longTask) }));
  const rows = steps.map(({ what, of }, step) => ({
    step: what,
    "longest task, median": text(median(longTasks[step].tasks)),
    "of all pages": text(quantile(longTasks[step].tasks, 1)),
    ...("lateTimer" in of[0] && {
      "latest timer, median": `${median(of.map(({ lateTimer }) => lateTimer)).toFixed(1)} ms`,
    }),
  }));
  return { title, rows, longTasks, pages };
}

/** What the browser says of a task. */
export function text(longTask) {
  return longTask === 0 ? "none over 50 ms" : `${longTask.toFixed(0)} ms`;
}
