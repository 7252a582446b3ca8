/**
 * Pictures of the documented journey, for people to look at: on a desk and a phone, light and dark. They go below
 * `target/`, or to the folder that `SCREENSHOTS` names. `SCREENSHOTS=docs/images` makes that of the README instead.
 */

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { Chromium, Suite, type Site } from "../../bindings/js/test/browser/chromium.js";
import { setClock } from "../../bindings/js/test/browser/held-time.js";
import { Visitor } from "./journey.js";
import { servePage } from "./site.js";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
const FOLDER = resolve(REPOSITORY, process.env["SCREENSHOTS"] ?? "target/screenshots");

/** The picture of the README, and the folder that is for it alone. */
const README = { folder: resolve(REPOSITORY, "docs/images"), name: "designer.png", bytesMax: 150_000 };

const SIZES = {
  desktop: { width: 1280, height: 800 },
  phone: { width: 390, height: 844 },
} as const;

/** A picture of one colour compresses to next to nothing. */
const BLANK_BYTES = 8_000;

describe("screenshots", () => {
  const suite = new Suite();
  let site: Site;
  let browser: Chromium;

  before(async () => {
    mkdirSync(FOLDER, { recursive: true });
    site = await servePage(suite);
    browser = await Chromium.launch(suite);
  });
  after(suite.end);

  for (const size of ["desktop", "phone"] as const) {
    test(`of the journey, on a ${size}`, async () => {
      const page = await browser.context.newPage();
      await page.setViewportSize(SIZES[size]);
      await setClock(page, new Date("2026-03-09T10:30:00Z"));
      const visitor = new Visitor(page);
      const take = (name: string) => picture(visitor, size, name);

      await page.goto(site.origin);
      await take("open");
      await visitor.tryIt();
      await take("list");
      await visitor.button("Close").click();
      await visitor.show("Twitter API");
      await visitor.reveal("APIKey");
      await take("detail");
      await visitor.goTo("Update");
      await visitor.button("Load the documentation's example").click();
      await visitor.giveToken("Secrets:TwitterKey", "new_api_key_123");
      await visitor.planned("Version 1 becomes 2");
      await page.mouse.move(0, 0);
      await take("update");
      await visitor.run("Twitter API is at version 2");
      await take("outcome");
      await visitor.button("History").click();
      await visitor.heading("History of Twitter API").waitFor();
      await visitor.button("Compare version 2").click();
      await page.getByText("From version 1 to version 2").waitFor();
      await take("history");
      await page.close();
      browser.assertNoProblems();
    });
  }

  async function picture({ page }: Visitor, size: keyof typeof SIZES, name: string): Promise<void> {
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      const png = await page.screenshot({ caret: "hide", animations: "disabled" });
      const full = `${name}-${size}-${colorScheme}.png`;
      if (FOLDER !== README.folder) writeFileSync(resolve(FOLDER, full), png);
      else if (full === "update-desktop-light.png") writeFileSync(resolve(FOLDER, README.name), png);
      const { width, height } = SIZES[size];
      assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [width, height]);
      assert.ok(png.length > BLANK_BYTES, `${full} is blank`);
      assert.ok(png.length < README.bytesMax, `${full} is large for a page that shows it`);
    }
  }
});
