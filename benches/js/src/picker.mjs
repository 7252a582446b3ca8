/** How long `<connector-picker>` blocks its page with many connectors. */

import { tsImport } from "tsx/esm/api";

import { tableOf } from "./blocked.mjs";

const BROWSER = "../../../bindings/js/test/browser/chromium.ts";
const SITE = "../../../bindings/elements/test/elements-site.ts";

export async function picker(count, rounds) {
  const { Chromium, Suite } = await tsImport(BROWSER, import.meta.url);
  const { serveElements } = await tsImport(SITE, import.meta.url);
  const suite = new Suite();
  try {
    const { origin } = await serveElements(suite, new URL("./picker-page.mjs", import.meta.url));
    const browser = await Chromium.launch(suite);
    const pages = [];
    for (let round = 0; round < rounds; round++) {
      const page = await browser.open(origin);
      pages.push(await page.evaluate((count) => globalThis.measurePicker(count), count));
      await page.close();
    }
    browser.assertNoProblems();
    return tableOf(`How long the picker blocks its page, ${count} connectors`, pages);
  } finally {
    await suite.end();
  }
}
