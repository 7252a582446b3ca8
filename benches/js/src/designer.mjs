/** How long the designer's page is blocked with many connectors: by each step of somebody who works there. */

import { tsImport } from "tsx/esm/api";

import { tableOf } from "./blocked.mjs";

const TESTS = "../../../www/test";

export async function designer(count, rounds) {
  const { Chromium, Suite } = await tsImport(
    "../../../bindings/js/test/browser/chromium.ts",
    import.meta.url,
  );
  const { servePage } = await tsImport(`${TESTS}/site.ts`, import.meta.url);
  const people = await tsImport(`${TESTS}/journey.ts`, import.meta.url);
  const suite = new Suite();
  try {
    const site = await servePage(suite);
    const browser = await Chromium.launch(suite);
    const { storage } = await people.vaultInNode({ connectors: named(count) });
    const pages = [];
    for (let round = 0; round < rounds; round++) {
      const page = await browser.context.newPage();
      const file = { name: `${round}.cvault`, bytes: people.bytesOf(storage) };
      pages.push(await work(people, page, site.origin, file, count));
      await page.close();
    }
    browser.assertNoProblems();
    return tableOf(`How long the designer is blocked, ${count} connectors`, pages);
  } finally {
    await suite.end();
  }
}

function named(count) {
  return Array.from({ length: count }, (_, index) => ({
    id: `connector-${index}`,
    name: `Connector number ${index}`,
    type: ["Twitter", "OAuth2", "PostgreSQL"][index % 3],
    properties: { APIKey: `key ${index}`, Endpoint: "https://api.example" },
  }));
}

/** Goes through the page, and tells the longest task of each step. */
async function work({ Visitor, withoutFileAccess }, page, origin, file, count) {
  await page.addInitScript(observeTasks);
  await withoutFileAccess(page);
  const visitor = new Visitor(page);
  const rows = [];
  const step = async (what, go) => {
    await go();
    rows.push({ what, longTask: Math.max(0, ...(await tasksOf(page))) });
  };
  const all = `${count.toLocaleString("en")} connectors`;
  const last = `Connector number ${count - 1}`;

  await page.goto(origin);
  await visitor.button("Try it").waitFor();
  await page.waitForLoadState("networkidle");
  await tasksOf(page);
  await page.evaluate(blockOnce);
  if (Math.max(0, ...(await tasksOf(page))) < 100) {
    throw new Error("a page that is blocked for 100 ms is not noticed");
  }
  await visitor.upload(file.name, file.bytes);
  await tasksOf(page);
  await step("open the vault", async () => {
    await visitor.unlock();
    await visitor.told(all);
  });
  await step("scroll through the list", async () => {
    await page.getByRole("listbox").focus();
    for (let pages = 0; pages < 20; pages++) await page.keyboard.press("PageDown");
    await page.keyboard.press("End");
    await visitor.option(last).waitFor();
    await page.mouse.move(600, 500);
    for (let turns = 0; turns < 40; turns++) await page.mouse.wheel(0, -1.5 * count);
    await visitor.option("Connector number 0").waitFor();
  });
  await step("type a filter", async () => {
    await page.getByRole("searchbox").focus();
    for (const key of "number 99") await page.keyboard.press(key);
    await visitor.told(/^\d+ of /);
  });
  await step("open a connector", async () => {
    await page.keyboard.press("Enter");
    await visitor.heading("Connector number 99").waitFor();
    await visitor.reveal("APIKey");
  });
  await step("go back to the list", async () => {
    await page.goBack();
    await visitor.option("Connector number 99").waitFor();
    await page.getByRole("searchbox").fill("");
    await visitor.told(all);
  });
  await step("open the update designer", async () => {
    await visitor.goTo("Update");
    await visitor.json.waitFor();
  });
  await step("pick a connector", async () => {
    await visitor.picker.focus();
    for (const key of "number 77") await page.keyboard.press(key);
    await page.getByRole("option", { name: /Connector number 77\b/ }).click();
  });
  await step("plan and run an update", async () => {
    await visitor.setRow(1, "APIKey", "new");
    await visitor.planned("Version 1 becomes 2");
    await visitor.run("Connector number 77 is at version 2.");
  });
  await step("read its history", async () => {
    await visitor.button("History").click();
    await visitor.button("Compare version 2").click();
    await page.getByText("From version 1 to version 2:").waitFor();
  });
  return rows;
}

/** Runs in the page: blocks it for one task. */
async function blockOnce() {
  await new Promise((done) => setTimeout(done));
  for (const until = performance.now() + 100; performance.now() < until;);
}

/** Runs in the page: notes its long tasks. */
function observeTasks() {
  const tasks = [];
  const note = (entries) => tasks.push(...entries.map(({ duration }) => duration));
  const observer = new PerformanceObserver((list) => void note(list.getEntries()));
  observer.observe({ type: "longtask" });
  globalThis.takeTasks = () => {
    note(observer.takeRecords());
    return tasks.splice(0);
  };
}

/** The durations of the long tasks since the last call. */
async function tasksOf(page) {
  return await page.evaluate(async () => {
    // The task that has just ended is told after the next frame.
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    return globalThis.takeTasks();
  });
}
