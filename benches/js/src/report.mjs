/** Tables as Markdown, and what was asked for beside what was measured. */

import { OPEN, text as taskText } from "./blocked.mjs";
import { median, quantile, ratios } from "./measure.mjs";
import { OPENING } from "./size.mjs";

/** A table of times, sizes, or of how long a page was blocked. */
export function markdown({ title, cases, rows }) {
  return [`#### ${title}`, "", ...(cases ? timesOf(cases) : rowsOf(rows)), ""].join("\n");
}

function timesOf(cases) {
  return [
    "| contender | median | ratio | middle half of the ratios | first turn |",
    "|---|---:|---:|---:|---:|",
    ...cases.map((measured) => {
      const of = ratios(measured, cases[0]);
      const [half, low, high] = [0.5, 0.25, 0.75].map((part) => quantile(of, part).toFixed(2));
      return `| ${measured.name} | ${ms(median(measured.times))} | ${half} | ${low} to ${high} | ${ms(measured.first)} |`;
    }),
  ];
}

function rowsOf(rows) {
  const columns = Object.keys(rows[0]);
  const cell = (value) => (typeof value === "number" ? value.toLocaleString("en") : value);
  return [
    `| ${columns.join(" | ")} |`,
    `|---|${"---:|".repeat(columns.length - 1)}`,
    ...rows.map((row) => `| ${columns.map((column) => cell(row[column])).join(" | ")} |`),
  ];
}

function ms(time) {
  return `${time.toFixed(time < 10 ? 3 : 1)} ms`;
}

/** What must be reached, beside what the tables of one place say; what was not measured is left out. */
export function goals(tables) {
  const find = (title) => tables.find((table) => table.title.startsWith(title));
  const ratio = (table, name, of) => {
    const [one, other] = [name, of].map((name) => table?.cases.find((one) => one.name.startsWith(name)));
    return one && median(ratios(one, other));
  };
  /** The longest task of the worst of these steps, in the page that stands in the middle. */
  const longest = (table, step) => {
    const steps = table?.longTasks.filter(({ what }) => step === undefined || what === step);
    return steps && Math.max(...steps.map(({ tasks }) => median(tasks)));
  };
  const [argon2id, open, blocked] = [find("Argon2id"), find("Open, 10000"), find("How long a page")];
  const size = find("Size")?.rows.find(({ what }) => what === OPENING);
  const ours = "connector-vault, the module";
  const times = (ratio) => `${Number(ratio.toFixed(2))}x`;
  const kilobytes = (bytes) => `${(bytes / 1000).toFixed(0)} kB`;
  const most = (limit) => ({ words: "at most", limit, isReached: (measured) => measured <= limit });
  const least = (limit) => ({ words: "at least", limit, isReached: (measured) => measured >= limit });
  const rows = [
    ["Argon2id, relative to hash-wasm", most(0.75), ratio(argon2id, ours, "hash-wasm"), times],
    ["Argon2id, relative to libsodium", most(1), ratio(argon2id, ours, "libsodium"), times],
    ["KeePass opens 10,000, relative to the vault", least(15), ratio(open, "KeePass", ours), times],
    ["longest task of a page that opens the vault", most(50), longest(blocked, OPEN), taskText],
    ["longest task of a page with the picker", most(50), longest(find("How long the picker")), taskText],
    ["longest task of the designer", most(50), longest(find("How long the designer")), taskText],
    [`${OPENING}, Brotli`, most(200_000), size?.brotli, kilobytes],
  ]
    .filter(([, , measured]) => measured !== undefined)
    .map(([what, { words, limit, isReached }, measured, text]) => ({
      what,
      "asked for": `${words} ${text(limit)}`,
      measured: text(measured),
      "": isReached(measured) ? "reached" : "**missed**",
    }));
  return { title: "What was asked for", rows };
}
