/** `<connector-picker>` in a real browser, under a strict policy. */

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";

import type { Locator, Page } from "playwright-core";

import { Chromium, Suite, until, type Site } from "../../js/test/browser/chromium.js";
import { assertAccessible, serveElements } from "./elements-site.js";
import type { PickerPage } from "./picker-page.js";

declare const globalThis: { readonly page: PickerPage };

const suite = new Suite();
let site: Site;
let browser: Chromium;

before(async () => {
  site = await serveElements(suite, new URL("./picker-page.ts", import.meta.url), {
    "/page.css": `
      :root { color-scheme: light dark; background: light-dark(#ffffff, #151b23); }
      body { margin: 1rem; color: light-dark(#16202b, #e6ebf1); }
      .box { overflow: hidden auto; height: 8rem; margin-top: 30rem; }
      .box form { margin-top: 2rem; }
    `,
  });
  browser = await Chromium.launch(suite);
});
after(suite.end);
afterEach(async () => {
  await browser.closeTabs();
  browser.assertNoProblems();
});

/** A page whose picker has a vault with a few connectors. */
async function open(properties: Parameters<PickerPage["show"]>[0] = {}, count?: number): Promise<Page> {
  const page = await browser.open(site.origin);
  await page.setViewportSize({ width: 900, height: 700 });
  await page.evaluate(([properties, count]) => globalThis.page.show(properties, count), [
    properties,
    count,
  ] as const);
  return page;
}

const field = (page: Page): Locator => page.getByRole("combobox");
const options = (page: Page): Locator => page.getByRole("option");
const detail = (page: Page): Locator => page.locator("connector-picker [part=detail]");

const ids = (page: Page) => options(page).locator("[part=option-id]").allTextContents();
const value = (page: Page) => page.evaluate(() => globalThis.page.get().value);
const events = (page: Page) => page.evaluate(() => globalThis.page.events());
const validity = (page: Page) => page.evaluate(() => globalThis.page.validity());
/** The option that `aria-activedescendant` refers to. */
const active = (page: Page) =>
  field(page).evaluate((input) => {
    const id = input.getAttribute("aria-activedescendant");
    const root = input.getRootNode() as ShadowRoot;
    if (id === null) return undefined;
    return root.getElementById(id)?.querySelector("[part=option-id]")?.textContent ?? "missing";
  });

describe("search", () => {
  for (const [typed, expected] of [
    ["newsl", ["smtp"]],
    ["STRIPE", ["stripe.live", "stripe.test"]],
    ["postgres", ["db-main"]],
    ["zürich", ["0198c6f2-7d3a-7cc1-9b1e-2f40a7c1d5e8"]],
    ["0198", ["0198c6f2-7d3a-7cc1-9b1e-2f40a7c1d5e8"]],
    ["slack sales", ["slack-sales"]],
    ["payments stripe", ["stripe.live", "stripe.test"]],
  ] as const) {
    test(`typing ${typed} leaves ${expected.join(", ")}`, async () => {
      const page = await open();
      await field(page).click();
      await until(async () => (await ids(page)).length, 8);
      await page.keyboard.type(typed);
      await until(() => ids(page), [...expected]);
    });
  }

  test("what was typed is marked in the options", async () => {
    const page = await open();
    await field(page).click();
    await page.keyboard.type("SLA op");
    await until(() => options(page).locator("mark").allTextContents(), ["Sla", "op", "Sla", "sla", "op"]);
  });

  test("what is found by nobody is said", async () => {
    const page = await open();
    await field(page).click();
    await page.keyboard.type("nonsense");
    await page.getByText("No connector matches “nonsense”.").first().waitFor();
    assert.equal(await options(page).count(), 0);
  });
});

describe("keyboard", () => {
  test("from Tab to Tab: open, search, choose, leave", async () => {
    const page = await open({ name: "account" });
    await page.keyboard.press("Tab");
    await until(() => field(page).getAttribute("aria-expanded"), "false");
    await page.keyboard.type("slack");
    await until(() => active(page), "slack-ops");
    await page.keyboard.press("ArrowDown");
    await until(() => active(page), "slack-sales");
    await page.keyboard.press("Enter");
    await until(() => field(page).inputValue(), "Slack sales");
    assert.equal(await field(page).getAttribute("aria-expanded"), "false");
    assert.equal(await value(page), "slack-sales");
    assert.deepEqual(await events(page), ["input slack-sales", "change slack-sales"]);
    await page.keyboard.press("Tab");
    assert.deepEqual(await events(page), []);
    assert.equal(
      await page.evaluate(() => document.activeElement?.tagName),
      "BODY",
      "there is one stop only",
    );
  });

  test("arrows, Home, End, PageUp and PageDown move as in other comboboxes", async () => {
    const page = await open();
    await field(page).focus();
    for (const [key, expected] of [
      ["ArrowDown", "smtp"],
      ["ArrowDown", "db-main"],
      ["ArrowUp", "smtp"],
      ["ArrowUp", "0198c6f2-7d3a-7cc1-9b1e-2f40a7c1d5e8"],
      ["ArrowDown", "smtp"],
      ["PageDown", "0198c6f2-7d3a-7cc1-9b1e-2f40a7c1d5e8"],
      ["PageUp", "smtp"],
      ["Home", undefined],
      ["ArrowUp", "0198c6f2-7d3a-7cc1-9b1e-2f40a7c1d5e8"],
      ["End", undefined],
      ["ArrowDown", "smtp"],
      ["ArrowLeft", undefined],
    ] as const) {
      await page.keyboard.press(key);
      await until(() => active(page), expected);
    }
    await page.keyboard.press("Escape");
    await until(() => field(page).getAttribute("aria-expanded"), "false");
    await page.keyboard.press("ArrowUp");
    await until(() => active(page), "0198c6f2-7d3a-7cc1-9b1e-2f40a7c1d5e8");
    await page.keyboard.press("Alt+ArrowUp");
    await until(() => field(page).getAttribute("aria-expanded"), "false");
    await page.keyboard.press("Alt+ArrowDown");
    await until(() => field(page).getAttribute("aria-expanded"), "true");
    assert.equal(await active(page), undefined);
    assert.deepEqual(await events(page), [], "moving chooses nothing");
  });

  test("keys with which a character is written do nothing else", async () => {
    const page = await open();
    await field(page).click();
    await page.keyboard.type("slack");
    await until(() => active(page), "slack-ops");
    for (const composing of [{ isComposing: true }, { keyCode: 229 }]) {
      await field(page).evaluate(
        (input, composing) =>
          input.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", ...composing })),
        composing,
      );
    }
    assert.equal(await field(page).getAttribute("aria-expanded"), "true");
    assert.equal(await value(page), "");
    await page.keyboard.press("Enter");
    assert.equal(await value(page), "slack-ops");
  });

  test("Tab takes the active option", async () => {
    const page = await open();
    await field(page).focus();
    await page.keyboard.type("news");
    await until(() => active(page), "smtp");
    await page.keyboard.press("Tab");
    await until(() => value(page), "smtp");
  });

  test("Escape closes first, then drops what was typed, then is left to the page", async () => {
    const page = await open({ value: "smtp" });
    await page.evaluate(() =>
      document.addEventListener("keydown", ({ key }) => (document.title += ` ${key}`), { capture: false }),
    );
    await field(page).focus();
    await page.keyboard.press("Control+A");
    await page.keyboard.type("x");
    await until(() => field(page).getAttribute("aria-expanded"), "true");
    await page.keyboard.press("Escape");
    await until(() => field(page).getAttribute("aria-expanded"), "false");
    assert.equal(await field(page).inputValue(), "x");
    await page.keyboard.press("Escape");
    await until(() => field(page).inputValue(), "Newsletter");
    assert.doesNotMatch(await page.title(), /Escape/);
    await page.keyboard.press("Escape");
    assert.match(await page.title(), /Escape/);
    assert.deepEqual(await events(page), []);
  });

  test("the list opens at what is chosen, however far down", async () => {
    const page = await open({ value: "connector-800" }, 1000);
    await field(page).focus();
    await page.keyboard.press("ArrowDown");
    await until(() => active(page), "connector-800");
    const option = page.getByRole("option", { selected: true });
    await until(async () => {
      const [one, list] = [await option.boundingBox(), await page.getByRole("listbox").boundingBox()];
      if (one === null || list === null) return false;
      return one.y >= list.y && one.y + one.height <= list.y + list.height;
    }, true);
  });

  test("a name or id that is typed in full is taken when the field is left", async () => {
    for (const [typed, expected] of [
      ["newsletter", "smtp"],
      ["Payments", "stripe.live"],
      [" slack-ops ", "slack-ops"],
    ] as const) {
      const page = await open();
      await field(page).focus();
      await page.keyboard.type(typed);
      await page.keyboard.press("Escape");
      await page.keyboard.press("Tab");
      await until(() => value(page), expected);
    }
  });
});

describe("pointer", () => {
  test("a click opens, a click chooses, and the focus stays in the field", async () => {
    const page = await open();
    await field(page).click();
    await options(page).filter({ hasText: "db-main" }).click();
    await until(() => value(page), "db-main");
    assert.equal(await options(page).count(), 0, "the list is closed");
    assert.ok(await field(page).evaluate((input: HTMLInputElement) => input.matches(":focus")));
    assert.deepEqual(await events(page), ["input db-main", "change db-main"]);
    await page.keyboard.press("Control+A");
    await page.keyboard.type("news");
    await until(() => ids(page), ["smtp"]);
  });

  test("what is typed after a click replaces what was chosen", async () => {
    const page = await open({ value: "db-main" });
    await field(page).click();
    await until(async () => (await ids(page)).length, 8);
    await page.keyboard.type("news");
    await until(() => ids(page), ["smtp"]);
  });

  test("the buttons clear, open and close", async () => {
    const page = await open({ value: "db-main" });
    const toggle = page.getByRole("button", { name: "Show connectors" });
    await toggle.click();
    await until(() => toggle.getAttribute("aria-expanded"), "true");
    await toggle.click();
    await until(() => toggle.getAttribute("aria-expanded"), "false");
    await page.getByRole("button", { name: "Clear" }).click();
    await until(() => value(page), "");
    assert.equal(await page.getByRole("button", { name: "Clear" }).count(), 0);
    assert.deepEqual(await events(page), ["input ", "change "]);
  });

  test("on a phone a finger scrolls and chooses, and everything is large enough for it", async () => {
    const page = await open({}, 1000);
    await page.setViewportSize({ width: 360, height: 740 });
    const touch = await page.context().newCDPSession(page);
    await touch.send("Emulation.setTouchEmulationEnabled", { enabled: true });
    await touch.send("Emulation.setEmulatedMedia", { features: [{ name: "pointer", value: "coarse" }] });
    const tap = async (locator: Locator) => {
      const box = await locator.boundingBox();
      assert.ok(box !== null);
      assert.ok(Math.min(box.width, box.height) >= 24, "a finger can hit it");
      const touchPoints = [{ x: box.x + box.width / 2, y: box.y + box.height / 2 }];
      await touch.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints });
      await touch.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    };
    await tap(field(page));
    await until(async () => (await ids(page))[0], "connector-0");
    const list = await page.getByRole("listbox").boundingBox();
    assert.ok(list !== null);
    assert.ok(list.x >= 0 && list.x + list.width <= 360, "the list is within the page");
    const [x, from] = [list.x + 100, list.y + list.height - 20];
    // When each happens is said, too: a finger that moved late, as on a busy machine, would throw the list.
    let timestamp = Date.now() / 1000 - 10;
    const slide = async (type: "touchStart" | "touchMove" | "touchEnd", y?: number) => {
      timestamp += 0.02;
      const touchPoints = y === undefined ? [] : [{ x, y }];
      await touch.send("Input.dispatchTouchEvent", { type, touchPoints, timestamp });
    };
    await slide("touchStart", from);
    for (let y = from - 20; y > list.y; y -= 20) await slide("touchMove", y);
    // It rests before it leaves, so that the list does not go on.
    timestamp += 1;
    await slide("touchMove", list.y);
    timestamp += 1;
    await slide("touchEnd");
    await until(() => page.getByRole("listbox").evaluate(({ scrollTop }) => scrollTop > 200), true);
    assert.equal(await value(page), "", "scrolling chooses nothing");
    const far = options(page).filter({ hasText: "connector-10" });
    await tap(far);
    await until(() => value(page), "connector-10");
    await tap(page.getByRole("button", { name: "Clear" }));
    await until(() => value(page), "");
  });
});

describe("assistive technology", () => {
  test("the field says what it is, what belongs to it and how many there are", async () => {
    const page = await open({ label: "Account", required: true }, 1000);
    const box = page.getByRole("combobox", { name: "Account" });
    assert.equal(await box.getAttribute("aria-autocomplete"), "list");
    assert.equal(await box.getAttribute("aria-haspopup"), "listbox");
    assert.equal(await box.getAttribute("aria-required"), "true");
    await box.focus();
    await page.keyboard.press("ArrowDown");
    await until(() => active(page), "connector-0");
    assert.equal(
      await box.evaluate((input) => {
        const root = input.getRootNode() as ShadowRoot;
        return root.getElementById(input.getAttribute("aria-controls") ?? "")?.role;
      }),
      "listbox",
    );
    const last = options(page).last();
    assert.equal(await options(page).first().getAttribute("aria-posinset"), "1");
    assert.equal(await last.getAttribute("aria-setsize"), "1000");
    assert.ok((await options(page).count()) < 40, "most of them are not in the document");
    await page.keyboard.press("ArrowUp");
    await until(() => active(page), "connector-999");
    await until(() => last.getAttribute("aria-posinset"), "1000");
  });

  test("how many results there are is announced, once the user pauses", async () => {
    const page = await open();
    const status = page.locator("connector-picker .visually-hidden[role=status]");
    assert.equal(await status.textContent(), "");
    await field(page).focus();
    await page.keyboard.type("slack");
    await until(() => status.textContent(), "2 results");
    await page.keyboard.type("xyz");
    await until(() => status.textContent(), "No connector matches “slackxyz”.");
    await page.keyboard.press("Escape");
    await until(() => status.textContent(), "");
  });

  test("a label outside names it", async () => {
    const page = await open();
    await page.evaluate(() => globalThis.page.labelOutside("Send with"));
    await page.getByRole("combobox", { name: "Send with" }).waitFor();
    await page.getByText("Send with").click();
    assert.ok(await field(page).evaluate((input) => input.matches(":focus")));
    assert.equal(await page.getByText("Connector", { exact: true }).count(), 0, "it has one label");
    await assertAccessible(page);
  });

  for (const [what, properties, keys] of [
    ["closed", { value: "smtp" }, []],
    ["open", { value: "smtp" }, ["ArrowDown"]],
    ["with results", {}, ["s", "l", "a", "ArrowDown"]],
    ["without results", {}, ["q", "q"]],
    ["with what is no connector", { required: true }, ["q", "q", "Enter"]],
    ["with an unknown id", { value: "gone" }, []],
    ["with tokens", { expressions: true, tokens: [{ name: "Flow:Connector" }] }, ["[", "ArrowDown"]],
    ["disabled", { value: "smtp", disabled: true }, []],
  ] as const) {
    test(`axe finds nothing wrong: ${what}`, async () => {
      const page = await open(properties);
      if (keys.length > 0) await field(page).focus();
      for (const key of keys) await page.keyboard.press(key);
      await assertAccessible(page);
    });
  }
});

describe("forms", () => {
  test("the value is sent under the name, and empty is sent too", async () => {
    const page = await open({ name: "account", value: "db-main" });
    await page.evaluate(() => globalThis.page.submit());
    await page.evaluate(() => globalThis.page.set({ value: "" }));
    await page.evaluate(() => globalThis.page.submit());
    assert.deepEqual(await events(page), ["submit db-main", "submit "]);
  });

  test("required: a form without a connector is not sent, and says why", async () => {
    const page = await open({ name: "account", required: true });
    assert.deepEqual((await validity(page)).is, ["valueMissing"]);
    assert.equal(
      await detail(page)
        .textContent()
        .then((text) => text?.trim()),
      "",
    );
    await page.evaluate(() => globalThis.page.submit());
    assert.deepEqual(await events(page), []);
    await until(async () => (await detail(page).textContent())?.trim(), "Choose a connector.");
    assert.equal(await field(page).getAttribute("aria-invalid"), "true");
    assert.ok(
      await field(page).evaluate((input) => input.matches(":focus")),
      "that is where the user is led",
    );
    await page.keyboard.type("news");
    await page.keyboard.press("Enter");
    await until(async () => (await validity(page)).is, ["valid"]);
    assert.equal(await field(page).getAttribute("aria-invalid"), "false");
    await page.evaluate(() => globalThis.page.submit());
    assert.deepEqual((await events(page)).at(-1), "submit smtp");
  });

  test("what is no connector stays to be mended, and is not sent", async () => {
    const page = await open({ name: "account", value: "smtp" });
    await field(page).click();
    await page.keyboard.type("smpt");
    await page.keyboard.press("Tab");
    await until(() => field(page).inputValue(), "smpt");
    assert.equal(await value(page), "");
    assert.deepEqual(await events(page), ["input ", "change "]);
    const { is, message } = await validity(page);
    assert.deepEqual(is, ["badInput"]);
    assert.match(message, /smpt/);
    await page.getByText(message).waitFor();
    await field(page).focus();
    await page.keyboard.press("End");
    await page.keyboard.press("Backspace");
    await page.keyboard.press("Backspace");
    await page.keyboard.type("tp");
    await page.keyboard.press("Enter");
    await until(() => value(page), "smtp");
    assert.deepEqual((await validity(page)).is, ["valid"]);
  });

  test("a reset brings back what the attribute says", async () => {
    const page = await open({ required: true });
    await page.evaluate(() => globalThis.page.setAttribute("value", "smtp"));
    await until(() => field(page).inputValue(), "Newsletter");
    await field(page).click();
    await page.keyboard.type("nonsense");
    await page.keyboard.press("Enter");
    await until(async () => (await validity(page)).is, ["badInput"]);
    await page.evaluate(() => globalThis.page.reset());
    await until(() => field(page).inputValue(), "Newsletter");
    assert.equal(await value(page), "smtp");
    assert.deepEqual((await validity(page)).is, ["valid"]);
    await page.keyboard.press("ArrowDown");
    await until(() => field(page).getAttribute("aria-expanded"), "true");
    await page.evaluate(() => globalThis.page.reset());
    await until(() => field(page).getAttribute("aria-expanded"), "false");
  });

  test("a disabled fieldset disables it, and it is not sent", async () => {
    const page = await open({ name: "account", value: "smtp" });
    await page.evaluate(() => globalThis.page.disableFieldset());
    await until(() => field(page).isDisabled(), true);
    assert.equal((await validity(page)).sent, null);
    await field(page).click({ force: true });
    assert.equal(await field(page).getAttribute("aria-expanded"), "false");
    assert.ok(await page.getByRole("button", { name: "Show connectors" }).isDisabled());
  });
});

describe("the vault", () => {
  test("a viewer can pick", async () => {
    const page = await open();
    assert.equal(await page.evaluate(() => globalThis.page.showToViewer()), "viewer: not_permitted");
    await field(page).focus();
    await page.keyboard.type("orders");
    await page.keyboard.press("Enter");
    await until(() => value(page), "db-main");
    await page.getByText("db-main · PostgreSQL").waitFor();
  });

  test("an id that no connector has is shown as that", async () => {
    const page = await open({ name: "account", value: "gone" });
    assert.equal(await field(page).inputValue(), "gone");
    await page.getByText("No connector has the id “gone”.").waitFor();
    assert.equal(await value(page), "gone");
    const { is, sent } = await validity(page);
    assert.deepEqual(is, ["customError"]);
    assert.equal(sent, "gone");
  });

  test("what another page creates and deletes shows up", async () => {
    const page = await open({ value: "smtp" });
    await field(page).click();
    await until(async () => (await ids(page)).length, 8);
    await page.evaluate(() => globalThis.page.change("new-one", "Made elsewhere"));
    await until(async () => (await ids(page))[0], "new-one");
    await page.evaluate(() => globalThis.page.delete("smtp"));
    await page.getByText("No connector has the id “smtp”.").waitFor();
    await until(async () => (await ids(page)).length, 8);
    assert.equal(await field(page).getAttribute("aria-expanded"), "true", "the list stayed open");
  });

  test("the active option stays active when others come and go", async () => {
    const page = await open();
    await field(page).click();
    for (const _ of "123") await page.keyboard.press("ArrowDown");
    await until(() => active(page), "stripe.live");
    await page.evaluate(() => globalThis.page.delete("smtp"));
    await until(async () => (await ids(page)).length, 7);
    assert.equal(await active(page), "stripe.live");
  });

  test("a lock closes the list and leaves nothing of the vault, save the host's value", async () => {
    const page = await open({ value: "smtp" });
    await field(page).click();
    await page.keyboard.type("slack");
    await until(() => ids(page), ["slack-ops", "slack-sales"]);
    await page.evaluate(() => globalThis.page.lock());
    await page.getByText("The vault is locked.").waitFor();
    assert.equal(await field(page).inputValue(), "smtp");
    assert.equal(await value(page), "smtp");
    const text = await page.locator("connector-picker").evaluate(({ shadowRoot }) => shadowRoot?.innerHTML);
    assert.doesNotMatch(text ?? "", /Newsletter|Slack|slack|SMTP/);
    await field(page).click();
    assert.equal(await options(page).count(), 0);
  });

  test("without a vault the value stays, and the list says so", async () => {
    const page = await open({ value: "smtp" });
    await page.evaluate(() => globalThis.page.hide());
    await until(() => field(page).inputValue(), "smtp");
    assert.deepEqual((await validity(page)).is, ["valid"]);
    await field(page).click();
    await page.getByText("No vault is open.").first().waitFor();
    await page.keyboard.type("other");
    await page.keyboard.press("Tab");
    await until(() => field(page).inputValue(), "smtp");
  });
});

describe("expressions", () => {
  const tokens = [
    { name: "Flow:Connector", description: "What the trigger was for" },
    { name: "Secrets:TwitterKey" },
  ];

  test("what is typed is the value, as it is typed", async () => {
    const page = await open({ expressions: true });
    await field(page).focus();
    await page.keyboard.type("[Flow:Connector]");
    assert.equal(await value(page), "[Flow:Connector]");
    await page.getByText("An expression: resolved when the action runs.").waitFor();
    await page.keyboard.press("Tab");
    await until(() => field(page).inputValue(), "[Flow:Connector]");
    const seen = await events(page);
    assert.equal(seen.length, "[Flow:Connector]".length + 1);
    assert.deepEqual(seen.slice(-2), ["input [Flow:Connector]", "change [Flow:Connector]"]);
    assert.deepEqual((await validity(page)).is, ["valid"]);
  });

  test("Enter takes what is typed; a connector is chosen by the arrows", async () => {
    const page = await open({ expressions: true });
    await field(page).focus();
    await page.keyboard.type("slack");
    await until(() => ids(page), ["slack-ops", "slack-sales"]);
    assert.equal(await active(page), undefined);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await until(() => value(page), "slack-ops");
    await until(() => field(page).inputValue(), "Slack operations");
    await field(page).fill("slack");
    await page.keyboard.press("Enter");
    await until(() => value(page), "slack");
    await page.getByText("No connector has the id “slack”.").waitFor();
    assert.deepEqual((await validity(page)).is, ["valid"]);
  });

  test("a connector whose name is typed is chosen", async () => {
    const page = await open({ expressions: true });
    await field(page).focus();
    await page.keyboard.type("newsletter");
    await page.keyboard.press("Tab");
    await until(() => value(page), "smtp");
  });

  test("tokens are suggested below the connectors, and where one is being written", async () => {
    const page = await open({ expressions: true, tokens });
    await field(page).click();
    const names = () => options(page).locator("[part=option-name]").allTextContents();
    await until(async () => (await names()).slice(-2), ["[Flow:Connector]", "[Secrets:TwitterKey]"]);
    await page.keyboard.type("twitter");
    await until(names, ["Twitter API", "[Secrets:TwitterKey]"]);
    await field(page).fill("");
    await page.keyboard.type("team-[flo");
    await until(names, ["[Flow:Connector]"]);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await until(() => value(page), "team-[Flow:Connector]");
  });

  test("Escape brings back the value from before", async () => {
    const page = await open({ expressions: true, value: "smtp" });
    await field(page).fill("[Flow");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await until(() => value(page), "smtp");
    assert.deepEqual(await events(page), ["input [Flow", "input smtp"]);
  });

  test("without a vault it is a field for text", async () => {
    const page = await open({ expressions: true });
    await page.evaluate(() => globalThis.page.hide());
    await field(page).fill("[Flow:Connector]");
    await page.keyboard.press("Tab");
    await until(() => value(page), "[Flow:Connector]");
  });
});

describe("the popup", () => {
  test("is cut off by nothing, and opens above where there is no room below", async () => {
    const page = await open();
    await page.evaluate(() => globalThis.page.scrollWithin("box"));
    await field(page).scrollIntoViewIfNeeded();
    await field(page).click();
    await until(async () => (await ids(page)).length, 8);
    const [popup, input] = [
      await page.locator("[part=popup]").boundingBox(),
      await field(page).boundingBox(),
    ];
    assert.ok(popup !== null && input !== null);
    assert.ok(popup.y >= 0, "it is in the page");
    assert.ok(popup.height > 200, "it is as tall as it wants");
    assert.ok(popup.y + popup.height <= input.y, "it is above");
    const top = await page.evaluate(([x, y]) => document.elementFromPoint(x, y)?.tagName, [
      popup.x + 20,
      popup.y + 20,
    ] as const);
    assert.equal(top, "CONNECTOR-PICKER", "nothing is in front of it");
  });

  test("follows its field when the page scrolls", async () => {
    const page = await open();
    await page.evaluate(() => globalThis.page.scrollWithin("box"));
    await page.setViewportSize({ width: 900, height: 2000 });
    await field(page).click();
    const distance = async () => {
      const popup = await page.locator("[part=popup]").boundingBox();
      const input = await page.locator("[part=field]").boundingBox();
      return popup === null || input === null ? NaN : Math.round(popup.y - input.y - input.height);
    };
    const before = await distance();
    assert.ok(before >= 0 && before < 10);
    await page.locator(".box").evaluate((box) => (box.scrollTop = 20));
    await until(distance, before);
  });

  test("begins at its top each time it opens", async () => {
    const page = await open({}, 1000);
    await field(page).click();
    for (let time = 0; time < 2; time++) {
      await until(async () => (await ids(page))[0], "connector-0");
      await page.getByRole("listbox").evaluate((list) => (list.scrollTop = 20_000));
      await until(async () => (await ids(page)).includes("connector-420"), true);
      await page.keyboard.press("Escape");
      await until(() => options(page).count(), 0);
      await page.keyboard.press("Alt+ArrowDown");
    }
    await until(async () => (await ids(page))[0], "connector-0");
    assert.ok(await options(page).first().isVisible());
  });

  test("closes when the field is left or goes away", async () => {
    const page = await open();
    await field(page).click();
    await until(async () => (await ids(page)).length, 8);
    await page.getByRole("heading").click();
    await until(() => options(page).count(), 0);
    await field(page).click();
    await until(async () => (await ids(page)).length, 8);
    await page.locator("connector-picker").evaluate((picker) => {
      const { parentNode } = picker;
      picker.remove();
      parentNode?.append(picker);
    });
    await until(() => field(page).getAttribute("aria-expanded"), "false");
    assert.equal(await options(page).count(), 0);
  });
});

test("texts are replaced, also while it is shown", async () => {
  const page = await open({ required: true });
  await field(page).click();
  await page.evaluate(() =>
    globalThis.page.setTexts({
      picker: {
        label: "Konnektor",
        counts: (found, size) => `${found} von ${size}`,
        missing: "Bitte wählen.",
      },
    }),
  );
  await page.getByRole("combobox", { name: "Konnektor" }).waitFor();
  await page.getByText("8 von 8").waitFor();
  assert.equal((await validity(page)).message, "Bitte wählen.");
  assert.equal(await field(page).getAttribute("placeholder"), "Name, id or type", "the rest is English");
});

test("among 10,000 connectors one is found", async () => {
  const page = await open({}, 10_000);
  await field(page).fill("connector-4242");
  await until(() => ids(page), ["connector-4242"]);
});

test("what is typed before all connectors are loaded is taken when they are", async () => {
  const page = await open({}, 10_000);
  await page.evaluate(() => globalThis.page.typeWhileLoading("CONNECTOR-9999"));
  assert.equal((await validity(page)).message, "", "it may be one");
  await until(() => value(page), "connector-9999");
  assert.deepEqual(await events(page), ["input connector-9999", "change connector-9999"]);
  await page.evaluate(() => globalThis.page.typeWhileLoading("CONNECTOR-10000"));
  await until(async () => (await validity(page)).is, ["badInput"]);
});
