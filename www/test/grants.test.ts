/** Grants: given, changed and taken away, by somebody who sees what that means. */

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Page } from "playwright-core";

import { assertAccessible, everythingIn, inTabs } from "./view-site.js";

suite("grants", () => {
  let page: Page;
  inTabs(async (opened) => {
    page = opened;
    await page.evaluate(() => views.create());
  });

  const show = () => page.evaluate(() => views.show("grants-view"));
  const told = () => page.evaluate(() => views.told);
  const row = (label: string) => page.getByRole("row").filter({ hasText: label });

  test("a role for a passphrase: its holder opens the vault", async () => {
    await show();
    await page.getByLabel("Label").fill("grace");
    await page.getByRole("combobox", { name: "Role" }).selectOption("reader");
    const form = page.locator("grant-form");
    await form.getByLabel("New passphrase", { exact: true }).fill("a horse of another colour");
    await form.getByLabel("The same passphrase again", { exact: true }).fill("another");
    await form.getByRole("button", { name: "Grant" }).click();
    await form.getByText("The two passphrases differ").waitFor();
    assert.equal(await row("grace").count(), 0);

    await form.getByLabel("The same passphrase again", { exact: true }).fill("a horse of another colour");
    await page.keyboard.press("Enter");
    await row("grace").waitFor();
    assert.match(await row("grace").innerText(), /reader[^]*passphrase/);
    assert.deepEqual(await told(), ["grace is reader now."]);
    assert.doesNotMatch(await everythingIn(page), /a horse of another colour/);

    await page.evaluate(() => views.openAs("grace", "a horse of another colour"));
    assert.equal(await page.evaluate(() => views.vault?.role), "reader");
  });

  test("a role for a public key, and what the core says to one that is none", async () => {
    await show();
    await page.getByLabel("Label").fill("rotation");
    await page.getByLabel("Public key", { exact: true }).check();
    const key = page.getByRole("textbox", { name: "Public key" });
    await key.fill("cvault-grant-1nonsense");
    await page.getByRole("button", { name: "Grant", exact: true }).click();
    await page.getByRole("alert").waitFor();
    assert.equal(await page.getByLabel("Label").inputValue(), "rotation", "what was typed is still there");

    const made = await page.evaluate(() => {
      const { grantKey, fingerprint } = views.Identity.generate();
      return { grantKey, fingerprint };
    });
    await key.fill(`# fingerprint ${made.fingerprint}\n${made.grantKey}\n`);
    await page.getByRole("button", { name: "Grant", exact: true }).click();
    await row("rotation").waitFor();
    const shown = await row("rotation").innerText();
    assert.ok(shown.includes("identity") && shown.includes(made.fingerprint), shown);
    assert.doesNotMatch(shown, /cvault-grant-1/);
  });

  test("a new identity is shown once, masked, and opens the vault", async () => {
    await show();
    await page.getByLabel("Label").fill("service");
    await page.getByRole("combobox", { name: "Role" }).selectOption("updater");
    await page.getByLabel("New identity").check();
    await page.getByRole("button", { name: "Grant", exact: true }).click();
    await page.getByRole("heading", { name: "The identity of service" }).waitFor();
    assert.doesNotMatch(await everythingIn(page), /cvault-identity-1[a-z0-9]{20}/);
    await assertAccessible(page);

    const downloading = page.waitForEvent("download");
    await page.getByRole("button", { name: "Save as a file" }).click();
    assert.equal((await downloading).suggestedFilename(), "service.cvault-identity");
    await page.getByRole("button", { name: "Reveal" }).click();
    const text = await page.getByText(/^cvault-identity-1/).innerText();
    assert.equal(await page.evaluate((text) => views.roleOf(text), text), "updater");

    await page.getByRole("button", { name: "I have kept it" }).click();
    await page.getByLabel("Label").waitFor();
    assert.ok(!(await everythingIn(page)).includes(text));
  });

  test("locking forgets an identity that is still shown", async () => {
    await show();
    await page.getByLabel("Label").fill("service");
    await page.getByLabel("New identity").check();
    await page.getByRole("button", { name: "Grant", exact: true }).click();
    await page.getByRole("button", { name: "Reveal" }).click();
    await page.evaluate(() => views.vault?.lock());
    await page.getByText("The identity of").waitFor({ state: "detached" });
    assert.doesNotMatch(await everythingIn(page), /cvault-identity-1/);
  });

  test("revoking asks first, and tells what to rotate until it is done", async () => {
    await page.evaluate(() => views.grant("mallory", "reader"));
    await show();
    await page.getByRole("button", { name: "Revoke mallory" }).click();
    const dialog = page.getByRole("dialog");
    assert.match(await dialog.innerText(), /Copies of the vault that mallory has kept still open/);
    await assertAccessible(page);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
    assert.equal(await row("mallory").count(), 1);
    assert.equal(
      await page.evaluate(() => views.focused()?.textContent?.trim().replace(/\s+/g, " ")),
      "Revoke mallory",
    );

    await page.keyboard.press("Enter");
    await dialog.getByRole("button", { name: "Revoke mallory" }).click();
    await page.getByRole("heading", { name: "mallory was revoked" }).waitFor();
    await row("mallory").waitFor({ state: "detached" });
    await assertAccessible(page);

    await page.getByRole("button", { name: "Update Twitter API" }).click();
    assert.deepEqual((await told()).slice(-1), ['{"view":"update","id":"twitterConnectorId"}']);
    // The report is still there when the user comes back.
    await page.evaluate(() => views.set("twitterConnectorId", "APIKey", "rotated"));
    await show();
    const items = page.getByRole("listitem");
    assert.match(await items.filter({ hasText: "Twitter API" }).innerText(), /updated since/);
    assert.doesNotMatch(await items.filter({ hasText: "OAuth" }).innerText(), /updated since/);
    await page.getByRole("button", { name: "Done with this" }).click();
    await page.getByRole("heading", { name: "mallory was revoked" }).waitFor({ state: "detached" });
  });

  test("a role is changed by keyboard alone", async () => {
    await page.evaluate(() => views.grant("grace", "viewer"));
    await show();
    await page.getByRole("button", { name: "Change role of grace" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    for (let role = 0; role < 3; role++) await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    assert.match(await row("grace").innerText(), /updater/);
    assert.deepEqual(await told(), ["grace is updater now."]);
  });

  test("who may not is told so by the core", async () => {
    await page.evaluate(() => views.grant("grace", "viewer"));
    await page.evaluate(() => views.openAs("grace"));
    await show();
    await page.getByRole("button", { name: "Revoke ada" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke ada" }).click();
    await page.getByRole("dialog").getByRole("alert").waitFor();
    assert.match(await page.getByRole("dialog").innerText(), /owner/);
  });

  test("another passphrase of one's own", async () => {
    await show();
    const form = page.locator("passphrase-form");
    await form.getByRole("button", { name: "Suggest a passphrase" }).click();
    const passphrase = await form.getByLabel("New passphrase", { exact: true }).inputValue();
    assert.ok(passphrase.length > 20);
    await form.getByRole("button", { name: "Change passphrase" }).click();
    await page.waitForFunction(() => views.told.length > 0);
    assert.ok(!(await everythingIn(page)).includes(passphrase));
    await page.evaluate((passphrase) => views.openAs("ada", passphrase), passphrase);
    assert.equal(await page.evaluate(() => views.vault?.role), "owner");
  });
});
