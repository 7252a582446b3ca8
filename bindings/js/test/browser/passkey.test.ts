/** A real browser: a vault that opens by a passkey of a virtual authenticator, and by a key of WebCrypto. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test, type TestContext } from "node:test";

import { bundle, Chromium, pageWith, serve } from "./chromium.js";
import type {} from "./passkey-page.js";

async function openedPage(t: TestContext) {
  const site = await serve(t, {
    "/": pageWith("/page.js"),
    "/page.js": await bundle(new URL("./passkey-page.ts", import.meta.url)),
    "/connector-vault-worker.js": await readFile(
      new URL("../../dist/connector-vault-worker.js", import.meta.url),
    ),
  });
  const browser = await Chromium.launch(t);
  // An address is no domain, and passkeys belong to domains.
  const page = await browser.open(site.origin.replace("127.0.0.1", "localhost"));
  return { browser, page };
}

test("a key of WebCrypto answers to the PRF input of a key slot", async (t) => {
  const { browser, page } = await openedPage(t);
  assert.deepEqual(await page.evaluate(() => passkeyPage.webCrypto()), ["ops", "wrong_key"]);
  browser.assertNoProblems();
});

test("the example: a passkey opens a vault", async (t) => {
  const { browser, page } = await openedPage(t);
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      hasPrf: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  assert.equal(await page.evaluate(() => passkeyPage.passkey()), "ops");
  browser.assertNoProblems();
});
