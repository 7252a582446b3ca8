/** `<update-connector-editor>` in a real page: what users do, and what comes of it. */

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";

import type { Locator, Page } from "playwright-core";

import { Chromium, Suite, type Site } from "../../js/test/browser/chromium.js";
import { findInDom } from "./dom-search.js";
import type { EditorPage } from "./editor-page.js";
import { assertAccessible, serveElements } from "./elements-site.js";
import { findInHeap } from "./heap-search.js";

declare const page: EditorPage;

/** The parameters of the action. */
interface Parameters {
  readonly EntryId: string;
  readonly Properties?: readonly { readonly PropertyName: string; readonly PropertyValue: string | null }[];
  readonly PropertiesJson?: string;
}

describe("the editor", () => {
  const suite = new Suite();
  let site: Site;
  let browser: Chromium;

  before(async () => {
    site = await serveElements(suite, new URL("./editor-page.ts", import.meta.url));
    browser = await Chromium.launch(suite);
  });
  afterEach(async () => {
    await browser.closeTabs();
    browser.assertNoProblems();
  });
  after(suite.end);

  async function open(value?: string | Parameters): Promise<Editor> {
    const tab = await browser.open(site.origin);
    await tab.waitForFunction(() => "page" in globalThis);
    const action =
      typeof value === "object" ? { ActionType: "Connectors.Update", Parameters: value } : (value ?? "");
    await tab.evaluate((action) => page.show(action), action);
    return new Editor(tab);
  }

  const rows = (...pairs: readonly (readonly [string, string])[]) =>
    pairs.map(([PropertyName, PropertyValue]) => ({ PropertyName, PropertyValue }));

  test("is filled by the keyboard alone, and its value runs", async () => {
    const editor = await open();
    const { keyboard } = editor.tab;
    await keyboard.press("Tab");
    await keyboard.type("twit");
    await keyboard.press("ArrowDown");
    await keyboard.press("Enter");
    await keyboard.press("Tab");
    await keyboard.type("APIKey");
    await keyboard.press("Tab");
    await keyboard.type("[tw");
    await editor.option("[Secrets:TwitterKey]").waitFor();
    await keyboard.press("Enter");
    await keyboard.press("Tab");
    assert.equal(await editor.focused(), "Remove APIKey");
    await keyboard.press("Tab");
    await keyboard.type("Timeout");
    await keyboard.press("Tab");
    await keyboard.type("10s");
    // Out of the row, and behind the empty one.
    for (let stops = 0; stops < 4; stops++) await keyboard.press("Tab");
    assert.equal(await editor.focused(), "Dynamic Properties");
    await keyboard.type('{ "Timeout": "30s", "Env": "[Flow');
    await editor.option(/Flow:Environment/).waitFor();
    await keyboard.press("Enter");
    await keyboard.press("End");
    await keyboard.press("Tab");
    assert.notEqual(await editor.focused(), "Dynamic Properties", "Tab leads out");

    assert.deepEqual(await editor.parameters(), {
      EntryId: "twitterConnectorId",
      Properties: rows(["APIKey", "[Secrets:TwitterKey]"], ["Timeout", "10s"]),
      PropertiesJson: '{ "Timeout": "30s", "Env": "[Flow:Environment]"}',
    });
    assert.deepEqual(await editor.tab.evaluate(() => page.tokensOf()), [
      "Secrets:TwitterKey",
      "Flow:Environment",
    ]);
    const outcome = await editor.tab.evaluate(() => page.run());
    assert.equal(outcome.status, "updated");
    assert.deepEqual(await editor.tab.evaluate(() => page.read("twitterConnectorId")), {
      APIKey: "new_key",
      Endpoint: "https://api.example",
      Timeout: "30s",
      Env: "prod",
    });
  });

  test("tells of each edit, and of those that are done", async () => {
    const editor = await open({ EntryId: "mail" });
    const events = () => editor.tab.evaluate(() => page.events());
    await events();
    await editor.name(1).fill("A");
    assert.deepEqual(await events(), ["input"]);
    await editor.value(1, "A").focus();
    assert.deepEqual(await events(), ["change"]);
    await editor.name(1).focus();
    assert.deepEqual(await events(), [], "nothing was edited");
    await editor.remove("A").click();
    assert.deepEqual(await events(), ["input", "change"]);
    await editor.json.pressSequentially("{");
    await editor.name(1).focus();
    assert.deepEqual(await events(), ["input", "change"]);
  });

  describe("as a field of a form", () => {
    test("sends the action, and nothing while it is empty", async () => {
      const editor = await open();
      assert.equal(await editor.tab.evaluate(() => page.sent()), undefined);
      assert.equal(await editor.tab.evaluate(() => page.editor.checkValidity()), true);
      await editor.name(1).fill("A");
      assert.deepEqual(await editor.tab.evaluate(() => page.sent()), await editor.text());
    });

    test("is valid if the core takes the action", async () => {
      const editor = await open();
      const validity = () => editor.tab.evaluate(() => page.form.checkValidity());
      await editor.tab.evaluate(() => void (page.editor.required = true));
      await editor.tab.evaluate(() => page.editor.updateComplete);
      assert.equal(await validity(), false);
      await editor.set({ EntryId: "mail" });
      assert.equal(await validity(), true);
      await editor.json.fill("{ 1 }");
      await editor.name(1).focus();
      assert.equal(await validity(), false);
      const message = await editor.tab.evaluate(() => page.editor.validationMessage);
      assert.match(message, /line 1 column 3/);
      await editor.tab.evaluate(() => page.editor.reportValidity());
      assert.equal(await editor.focused(), "Dynamic Properties", "where it is wrong");
    });

    test("says where it is wrong when the form is to be sent, also of what the host has set", async () => {
      const editor = await open({ EntryId: "mail", Properties: rows(["A", "1"], ["", "2"]) });
      const send = () => editor.tab.evaluate(() => page.form.requestSubmit());
      await send();
      assert.equal(await editor.focused(), "Name 2");
      await editor.set({ EntryId: "mail", PropertiesJson: "{" });
      await send();
      assert.equal(await editor.focused(), "Dynamic Properties");
      await editor.set({ EntryId: "", Properties: rows(["A", "1"]) });
      await send();
      await editor.tab
        .getByRole("combobox", { name: "Connector" })
        .and(editor.tab.locator(":focus"))
        .waitFor();
    });

    test("is reset and disabled with the form", async () => {
      const editor = await open({ EntryId: "mail", Properties: rows(["A", "1"]), PropertiesJson: "{}" });
      await editor.tab.evaluate(() => page.form.reset());
      assert.deepEqual(await editor.parameters(), { EntryId: "" });
      assert.equal(await editor.json.textContent(), '{ "Timeout": "30s" }', "the placeholder");
      await editor.tab.evaluate(() => {
        const action = { ActionType: "Connectors.Update", Parameters: { EntryId: "mail" } };
        page.editor.setAttribute("value", JSON.stringify(action));
        page.form.reset();
      });
      assert.deepEqual(await editor.parameters(), { EntryId: "mail" });
      await editor.tab.evaluate(() => {
        const fieldset = document.createElement("fieldset");
        fieldset.disabled = true;
        page.form.append(fieldset);
        fieldset.append(page.editor);
      });
      await editor.tab.waitForFunction(() => page.editor.shadowRoot?.querySelectorAll("tr.row").length === 0);
      await editor.tab.waitForFunction(
        () =>
          page.editor.shadowRoot?.querySelector(".cm-content")?.getAttribute("contenteditable") === "false",
      );
      assert.equal(await editor.tab.evaluate(() => page.sent()), undefined);
    });

    test("keeps an action that it cannot show", async () => {
      const text = '{"ActionType":"CredStore.DeleteEntry","Parameters":{"EntryId":"mail"}}';
      const editor = await open(text);
      assert.equal(await editor.text(), text);
      await editor.tab.getByText("this form is for Connectors.Update").waitFor();
      assert.equal(await editor.tab.evaluate(() => page.form.checkValidity()), false);
      await assertAccessible(editor.tab);
      await editor.tab.getByRole("button", { name: "Start with an empty form" }).click();
      assert.deepEqual(await editor.parameters(), { EntryId: "" });
      await editor.name(1).waitFor();
    });
  });

  describe("shows what is wrong", () => {
    test("in the JSON at its position", async () => {
      const editor = await open({ EntryId: "mail" });
      await editor.json.fill('{\n  "😀": 1,\n  "b" 2\n}');
      await editor.message(/line 3 column 7/).waitFor();
      const marked = editor.tab.locator(".cm-lintRange-error");
      assert.equal(await marked.textContent(), "2");
      assert.equal(await editor.json.getAttribute("aria-invalid"), "true");
      await marked.hover();
      await editor.tab.locator(".cm-tooltip-lint").waitFor();
      await assertAccessible(editor.tab);
      await editor.json.fill('{\n  "😀": 1\n}');
      await editor.message(/line 3/).waitFor({ state: "detached" });
      assert.equal(await marked.count(), 0);
      await editor.json.fill('{\n  "😀": {');
      await editor.message(/line 2 column 9/).waitFor();
      assert.equal(await marked.textContent(), "{", "the last character, since there is none at the end");
    });

    test("in a row once it is left, and not before", async () => {
      const editor = await open({ EntryId: "mail" });
      await editor.value(1).fill("[a|b]");
      await editor.name(1).fill("A");
      await editor.json.fill('{ "a" }');
      await editor.message(/line 1 column 7/).waitFor();
      // The check has run, and the row was left by then.
      await editor.tab
        .locator("tr.row")
        .first()
        .getByText(/format/)
        .waitFor();
      assert.equal(await editor.value(1, "A").getAttribute("aria-invalid"), "true");

      await editor.value(2).fill("nameless");
      await editor.json.focus();
      await editor.message(/Row 2 of Properties has no PropertyName/).waitFor();
      assert.equal(await editor.name(2).getAttribute("aria-invalid"), "true");
      assert.equal(await editor.value(2).getAttribute("aria-invalid"), "false");
      const described = await editor.name(2).getAttribute("aria-describedby");
      assert.match((await editor.tab.locator(`#${described}`).textContent()) ?? "", /no PropertyName/);
      await editor.remove("row 2").click();
      await editor.message(/Row 2/).waitFor({ state: "detached" });
    });

    test("at the place that an error of the host has", async () => {
      const editor = await open({ EntryId: "none", Properties: rows(["A", "***"]) });
      const error = await editor.tab.evaluate(async () => {
        try {
          await page.plan();
          return "";
        } catch (error) {
          page.editor.error = error;
          return String(error);
        }
      });
      assert.match(error, /none/);
      await editor.message(/none/).waitFor();
      await editor.tab.evaluate(() => {
        page.editor.error = Object.assign(new Error("a value is wrong"), {
          place: { parameter: "Properties", row: 1 },
        });
      });
      await editor.tab.locator("tr.row").first().getByText("A value is wrong.").waitFor();
    });

    test("and nothing before the user has done something", async () => {
      const editor = await open({ EntryId: "", Properties: rows(["", "1"]), PropertiesJson: "{" });
      assert.equal(await editor.tab.locator("[part=error]").count(), 0);
      await editor.tab.evaluate(() => page.form.reportValidity());
      assert.equal(await editor.tab.locator("[part=error]").count(), 2);
    });
  });

  test("marks what the dry run says of rows", async () => {
    const editor = await open({
      EntryId: "mail",
      Properties: rows(["Host", "a"], ["Port", "1"], ["Host", "b"], ["Port", "2"]),
      PropertiesJson: '{ "Port": 25 }',
    });
    await editor.tab.evaluate(() => page.plan());
    const marks = await editor.tab
      .locator("tr.row")
      .evaluateAll((rows) => rows.map((row) => row.querySelector("p.mark")?.textContent ?? ""));
    const overridden = "overridden by Dynamic Properties";
    assert.deepEqual(marks, ["repeated: the last row of this name counts", overridden, "", overridden, ""]);
    await assertAccessible(editor.tab);
  });

  describe("offers tokens", () => {
    test("in cells, where a bracket opens", async () => {
      const editor = await open({ EntryId: "mail" });
      const { keyboard } = editor.tab;
      await editor.value(1).pressSequentially("Bearer [");
      assert.equal(await editor.tab.getByRole("option").count(), 3);
      assert.equal(await editor.active(), "[Secrets:TwitterKey]");
      await keyboard.press("ArrowUp");
      assert.match((await editor.active()) ?? "", /Flow:Environment/);
      await assertAccessible(editor.tab);
      await keyboard.press("Escape");
      assert.equal(await editor.tab.getByRole("option").count(), 0);
      await keyboard.type("pro");
      await editor.option(/Flow:Environment/).click();
      assert.equal(await editor.value(1).inputValue(), "Bearer [Flow:Environment]");
      assert.equal(await editor.focused(), "Value 1");
      assert.equal(await editor.tab.locator(".backdrop mark").textContent(), "[Flow:Environment]");
      assert.equal(await editor.tab.locator(".backdrop").textContent(), "Bearer [Flow:Environment]\u200b");
      await editor.name(2).pressSequentially("[S");
      await keyboard.press("Enter");
      assert.equal(await editor.name(2).inputValue(), "[Secrets:TwitterKey]");
      await editor.name(3).pressSequentially("[S");
      await editor.tab.evaluate(() => {
        page.editor.readonly = true;
        return page.editor.updateComplete;
      });
      assert.equal(await editor.tab.getByRole("option").count(), 0, "nothing can be written");
    });

    test("and marks them also at the end of a value that scrolls", async () => {
      const lines = Array.from({ length: 40 }, (_, index) => `line ${index}`).join("\n");
      const editor = await open({ EntryId: "mail", Properties: rows(["Key", lines]) });
      await editor.value(1, "Key").press("Control+End");
      await editor.value(1, "Key").pressSequentially(" [Secrets:Key] b");
      const [mark, cell] = await Promise.all(
        [".backdrop mark", ".backdrop"].map((selector) => editor.tab.locator(selector).boundingBox()),
      );
      assert.ok(mark && cell && mark.y + mark.height <= cell.y + cell.height, "it is in sight");
    });

    test("in the JSON, but lets arrays be", async () => {
      const editor = await open({ EntryId: "mail" });
      const { keyboard } = editor.tab;
      await editor.json.pressSequentially('{ "a": [');
      await editor.option(/Flow:Environment/).waitFor();
      await assertAccessible(editor.tab);
      await keyboard.press("Enter");
      await keyboard.type("true");
      assert.match((await editor.parameters()).PropertiesJson ?? "", /\[\n +true\n *\]/);
      await editor.json.fill('{ "a": , "b": [true], "c": "[true]" }');
      assert.deepEqual(await editor.tab.locator(".cm-token").allTextContents(), ["[true]"]);
      await keyboard.press("Home");
      for (let right = 0; right < 7; right++) await keyboard.press("ArrowRight");
      await keyboard.type("[twitters");
      await editor.option(/TwitterSecret/).waitFor();
      await keyboard.press("Enter");
      assert.equal(
        (await editor.parameters()).PropertiesJson,
        '{ "a": [Secrets:TwitterSecret], "b": [true], "c": "[true]" }',
      );
    });
  });

  test("input methods write in cells, and over what is selected in the JSON", async () => {
    const editor = await open({ EntryId: "mail", PropertiesJson: '{ "Key": 1 }' });
    const session = await editor.tab.context().newCDPSession(editor.tab);
    const write = async (...steps: string[]) => {
      for (const text of steps) {
        const end = text.length;
        await session.send("Input.imeSetComposition", { text, selectionStart: end, selectionEnd: end });
      }
      await session.send("Input.insertText", { text: steps.at(-1) ?? "" });
    };
    await editor.name(1).focus();
    await write("k", "か", "かぎ", "鍵");
    await editor.value(1, "鍵").focus();
    await write("あ", "値");
    await editor.json.press("Control+Home");
    for (const key of ["ArrowRight", "ArrowRight", "ArrowRight"]) await editor.json.press(key);
    for (const key of ["ArrowRight", "ArrowRight", "ArrowRight"]) await editor.json.press(`Shift+${key}`);
    await write("か", "鍵");
    assert.deepEqual(await editor.parameters(), {
      EntryId: "mail",
      Properties: rows(["鍵", "値"]),
      PropertiesJson: '{ "鍵": 1 }',
    });
  });

  describe("takes what is pasted", () => {
    const paste = (editor: Editor, text: string) => editor.tab.evaluate((text) => page.paste(text), text);

    test("from a spreadsheet, and takes it back", async () => {
      const editor = await open({ EntryId: "mail", Properties: rows(["A", "1"], ["Z", "26"]) });
      await editor.name(1).focus();
      await paste(editor, 'Name\tValue\nB\t2\nKey\t"line 1\nline 2"\n');
      await editor.tab.getByText("2 properties pasted from a spreadsheet.").waitFor();
      const pasted = rows(["A", "1"], ["B", "2"], ["Key", "line 1\nline 2"], ["Z", "26"]);
      assert.deepEqual((await editor.parameters()).Properties, pasted);
      assert.equal(await editor.value(3, "Key").inputValue(), "line 1\nline 2");
      assert.deepEqual((await editor.tab.evaluate(() => page.events())).slice(-2), ["input", "change"]);
      await editor.tab.getByRole("button", { name: "Undo" }).click();
      assert.deepEqual((await editor.parameters()).Properties, rows(["A", "1"], ["Z", "26"]));
      assert.equal(await editor.focused(), "Name 3", "the focus is in the grid");
      await editor.tab.keyboard.press("Control+Shift+z");
      assert.deepEqual((await editor.parameters()).Properties, pasted);
      await editor.tab.keyboard.press("Control+z");
      assert.deepEqual((await editor.parameters()).Properties, rows(["A", "1"], ["Z", "26"]));
    });

    test("from a .env file into the empty row", async () => {
      const editor = await open({ EntryId: "mail" });
      await editor.value(1).focus();
      await paste(editor, '# keys\nexport API_KEY="a b"\nHOST=mail.example\nPORT=25 # smtp\n');
      await editor.tab.getByText("3 properties pasted from a .env file.").waitFor();
      assert.deepEqual(
        (await editor.parameters()).Properties,
        rows(["API_KEY", "a b"], ["HOST", "mail.example"], ["PORT", "25"]),
      );
      assert.equal(await editor.focused(), "Value 1, API_KEY");
    });

    test("as a value of several lines, if it is one", async () => {
      const editor = await open({ EntryId: "mail", Properties: rows(["Key", "<>"]) });
      await editor.value(1, "Key").focus();
      await editor.tab.keyboard.press("Home");
      await editor.tab.keyboard.press("ArrowRight");
      await paste(editor, "-----BEGIN KEY-----\n\tMIIE\n-----END KEY-----");
      await editor.tab.waitForFunction(() => page.editor.value.includes("MIIE"));
      assert.deepEqual(
        (await editor.parameters()).Properties,
        rows(["Key", "<-----BEGIN KEY-----\n\tMIIE\n-----END KEY----->"]),
      );
    });

    test("of one cell, without the end of its line", async () => {
      const editor = await open({ EntryId: "mail", Properties: rows(["Key", ""]) });
      await editor.value(1, "Key").focus();
      await paste(editor, "k1\r\n");
      await editor.tab.waitForFunction(() => page.editor.value.includes("k1"));
      assert.deepEqual((await editor.parameters()).Properties, rows(["Key", "k1"]));
    });

    test("but nothing of a header row alone, and nothing else is taken back then", async () => {
      const editor = await open({ EntryId: "mail", Properties: rows(["A", "1"]) });
      await editor.name(1).fill("B");
      await paste(editor, "Name\tValue\n");
      await editor.tab.getByText("0 properties pasted").waitFor();
      assert.equal(await editor.tab.getByRole("button", { name: "Undo" }).count(), 0);
    });

    test("but no table whose columns nobody knows", async () => {
      const editor = await open({ EntryId: "mail" });
      await editor.name(1).focus();
      await paste(editor, "A\t1\tada\nB\t2\tbob\n");
      await editor.tab.getByText("the table has 3 columns").waitFor();
      assert.deepEqual(await editor.parameters(), { EntryId: "mail" });
    });
  });

  describe("moves rows", () => {
    const names = async (editor: Editor): Promise<string> =>
      ((await editor.parameters()).Properties ?? []).map(({ PropertyName }) => PropertyName).join(" ");
    const three = { EntryId: "mail", Properties: rows(["A", "1"], ["B", "2"], ["C", "3"]) };

    test("by keys, and the focus moves with them", async () => {
      const editor = await open(three);
      const { keyboard } = editor.tab;
      await editor.value(1, "A").focus();
      await keyboard.press("Alt+ArrowDown");
      assert.equal(await names(editor), "B A C");
      assert.equal(await editor.focused(), "Value 2, A");
      await editor.tab.getByText("A is row 2 of 3 now.").waitFor();
      await keyboard.press("Alt+ArrowDown");
      await keyboard.press("Alt+ArrowDown");
      assert.equal(await names(editor), "B C A");
      await keyboard.press("Alt+ArrowUp");
      assert.equal(await names(editor), "B A C");
      await keyboard.press("Enter");
      assert.equal(await editor.focused(), "Value 3, C");
      await keyboard.press("Enter");
      assert.equal(await editor.focused(), "Value 4");
      await editor.name(1).focus();
      await keyboard.press("Alt+ArrowUp");
      await keyboard.press("Tab");
      assert.equal(await editor.focused(), "Value 1, B", "what cannot be moved holds nobody back");
    });

    test("by buttons", async () => {
      const editor = await open(three);
      await editor.tab.getByRole("button", { name: "Move C up" }).click();
      assert.equal(await names(editor), "A C B");
      assert.ok(await editor.tab.getByRole("button", { name: "Move A up" }).isDisabled());
      for (const [way, order] of [
        ["down", "C A B"],
        ["down", "C B A"],
        ["down", "C B A"],
        ["up", "C A B"],
      ] as const) {
        await editor.tab.getByRole("button", { name: `Move A ${way}` }).focus();
        await editor.tab.keyboard.press("Enter");
        assert.equal(await names(editor), order);
        assert.equal(await editor.focused(), `Move A ${way}`);
      }
      await editor.tab.getByRole("button", { name: "Move A down" }).click();
      assert.equal(await names(editor), "C B A");
    });

    test("by dragging their handles", async () => {
      const editor = await open(three);
      const { mouse } = editor.tab;
      const handle = async (row: number) => {
        const box = await editor.tab.locator(".handle").nth(row).boundingBox();
        assert.ok(box !== null);
        return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
      };
      const drag = async (from: number, to: number) => {
        const [start, end] = [await handle(from), await handle(to)];
        await mouse.move(start.x, start.y);
        await mouse.down();
        await mouse.move(end.x, end.y + (to > from ? 8 : -8), { steps: 5 });
      };
      await drag(0, 2);
      await mouse.up();
      assert.equal(await names(editor), "B C A");
      await drag(2, 1);
      await mouse.up();
      assert.equal(await names(editor), "B A C");
      await drag(0, 2);
      await editor.tab.keyboard.press("Escape");
      await mouse.up();
      assert.equal(await names(editor), "B A C", "given up");
    });

    test("by dragging with a finger", async () => {
      const editor = await open(three);
      const session = await editor.tab.context().newCDPSession(editor.tab);
      const boxes = await Promise.all(
        [0, 1].map((row) => editor.tab.locator(".handle").nth(row).boundingBox()),
      );
      const [first, second] = boxes;
      assert.ok(first && second);
      const touch = (type: "touchStart" | "touchMove" | "touchEnd", y?: number) =>
        session.send("Input.dispatchTouchEvent", {
          type,
          touchPoints: y === undefined ? [] : [{ x: first.x + 10, y }],
        });
      await touch("touchStart", first.y + 10);
      await touch("touchMove", first.y + 20);
      await touch("touchMove", second.y + 30);
      await touch("touchEnd");
      await editor.tab.waitForFunction(
        () => page.editor.value.indexOf('"B"') < page.editor.value.indexOf('"A"'),
      );
      assert.equal(await names(editor), "B A C");
    });
  });

  test("the focus stays in the grid when a row is removed", async () => {
    const editor = await open({ EntryId: "mail", Properties: rows(["A", "1"], ["B", "2"]) });
    await editor.remove("A").press("Enter");
    assert.equal(await editor.focused(), "Remove B");
    await editor.tab.keyboard.press("Enter");
    assert.equal(await editor.focused(), "Name 1", "of the row that is always there");
    await editor.tab.keyboard.press("Control+z");
    await editor.tab.keyboard.press("Control+z");
    assert.deepEqual((await editor.parameters()).Properties, rows(["A", "1"], ["B", "2"]));
  });

  test("can be read only", async () => {
    const editor = await open({ EntryId: "mail", Properties: rows(["A", "1"]), PropertiesJson: "{}" });
    await editor.tab.evaluate(async () => {
      page.editor.readonly = true;
      await page.editor.updateComplete;
    });
    assert.equal(await editor.tab.locator("tr.row").count(), 1);
    assert.ok(!(await editor.name(1).isEditable()));
    await editor.json.press("x");
    assert.equal((await editor.parameters()).PropertiesJson, "{}");
    await assertAccessible(editor.tab);
  });

  test("a row says its name and value below each other where there is little room", async () => {
    const editor = await open({ EntryId: "mail", Properties: rows(["A", "1"]) });
    await editor.tab.setViewportSize({ width: 360, height: 740 });
    const [name, value] = [await editor.name(1).boundingBox(), await editor.value(1, "A").boundingBox()];
    assert.ok(name && value && value.y >= name.y + name.height && value.width > 250);
    const overflow = await editor.tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, `${overflow} px too wide`);
    await assertAccessible(editor.tab);
  });

  test("of a thousand rows those out of sight are not laid out", async () => {
    const names = Array.from({ length: 1000 }, (_, index) => `P${index}`);
    const editor = await open({
      EntryId: "mail",
      Properties: rows(...names.map((name) => [name, "v"] as const)),
    });
    const isLaidOut = (row: number) =>
      editor.name(row).evaluate((field) => field.checkVisibility({ contentVisibilityAuto: true }));
    assert.deepEqual([await isLaidOut(1), await isLaidOut(1000)], [true, false]);
    await editor.name(1000).fill("Last");
    assert.deepEqual([await isLaidOut(500), await isLaidOut(1000)], [false, true]);
    assert.equal((await editor.parameters()).Properties?.at(-1)?.PropertyName, "Last");
  });

  test("names and JSON keep their direction in a page from right to left", async () => {
    const editor = await open({
      EntryId: "mail",
      Properties: rows(["Key", "https://a.example/?b"]),
      PropertiesJson: '{ "a": 1 }',
    });
    await editor.tab.evaluate(() => void (document.documentElement.dir = "rtl"));
    assert.equal(await editor.json.evaluate((json) => getComputedStyle(json).direction), "ltr");
    const style = await editor.value(1, "Key").evaluate((field) => {
      const { unicodeBidi, textAlign } = getComputedStyle(field);
      return [unicodeBidi, textAlign];
    });
    assert.deepEqual(style, ["plaintext", "right"]);
    await assertAccessible(editor.tab);
  });

  test("the active token is seen where colours are forced", async () => {
    const editor = await open({ EntryId: "mail" });
    await editor.tab.emulateMedia({ forcedColors: "active" });
    const outline = (selector: string) =>
      editor.tab.locator(selector).evaluate((option) => {
        const { outlineStyle, outlineColor } = getComputedStyle(option);
        return `${outlineStyle} ${outlineColor}`;
      });
    await editor.value(1).pressSequentially("[s");
    assert.match(await outline(".token.active"), /^solid rgb\(/);
    await editor.tab.keyboard.press("Escape");
    await editor.json.pressSequentially('{ "a": "[s');
    await editor.option(/TwitterKey/).waitFor();
    assert.match(await outline("[role=option][aria-selected=true]"), /^solid rgb\(/);
  });

  test("nothing is left when the vault is locked", async () => {
    const editor = await open({ EntryId: "mail" });
    const { keyboard } = editor.tab;
    // Written by nobody here, so that what finds one has not found the test itself.
    const [cell, table, env, json] = ["c", "t", "e", "j"].map((name) => `${name}-${Math.random()}`);
    const secrets = [cell, table, env, json].map(String);
    await editor.name(1).fill("Known");
    await editor.value(1, "Known").pressSequentially(`${cell} [Secrets:TwitterKey]`);
    for (const text of [`Table\t"${table}\n"\nRow\t1`, `ENV="${env}"\nROW=1\n`]) {
      await editor.name(1).focus();
      await editor.tab.evaluate((text) => page.paste(text), text);
      await editor.tab.getByText("2 properties pasted").waitFor();
    }
    await editor.json.pressSequentially(`{ "Key": "${json}" x`);
    // Without a selection, too: the line would be remembered.
    await keyboard.press("Control+c");
    await editor.message(/line 1/).waitFor();
    assert.deepEqual(await findInHeap(editor.tab, secrets), secrets, "the search finds them");
    assert.equal(new Set((await findInDom(editor.tab, secrets)).map((found) => found.slice(0, 3))).size, 4);
    await editor.remove("ENV").click();

    await editor.tab.evaluate(async () => {
      page.vault.lock();
      await page.editor.updateComplete;
    });
    assert.deepEqual(await findInDom(editor.tab, secrets), []);
    assert.deepEqual(await findInHeap(editor.tab, secrets), []);
    assert.deepEqual(await editor.parameters(), { EntryId: "" });
    for (const field of [editor.name(1), editor.json]) {
      await field.focus();
      await keyboard.press("Control+z");
    }
    assert.deepEqual(await editor.parameters(), { EntryId: "" });
    assert.equal(await editor.tab.evaluate(() => page.sent()), undefined);
  });

  test("what was written stays when the editor moves in the page", async () => {
    const editor = await open({ EntryId: "mail" });
    await editor.json.fill('{ "a": 1 }');
    await editor.tab.evaluate(async () => {
      const { editor, form } = page;
      editor.remove();
      form.append(editor);
      await editor.updateComplete;
    });
    await editor.tab.locator(".cm-line", { hasText: '{ "a": 1 }' }).waitFor();
    assert.equal((await editor.parameters()).PropertiesJson, '{ "a": 1 }');
  });
});

/** The editor as users find it. */
class Editor {
  readonly tab: Page;

  constructor(tab: Page) {
    this.tab = tab;
  }

  get json(): Locator {
    return this.tab.getByRole("textbox", { name: "Dynamic Properties" });
  }

  name(row: number): Locator {
    return this.tab.getByRole("textbox", { name: `Name ${row}`, exact: true });
  }

  value(row: number, name?: string): Locator {
    const label = name === undefined ? `Value ${row}` : `Value ${row}, ${name}`;
    return this.tab.getByRole("textbox", { name: label, exact: true });
  }

  remove(name: string): Locator {
    return this.tab.getByRole("button", { name: `Remove ${name}`, exact: true });
  }

  option(name: string | RegExp): Locator {
    return this.tab.getByRole("option", { name }).first();
  }

  message(text: RegExp): Locator {
    return this.tab.locator("[part=error]", { hasText: text });
  }

  async set(parameters: Parameters): Promise<void> {
    await this.tab.evaluate((action) => page.show(action), {
      ActionType: "Connectors.Update",
      Parameters: parameters,
    });
  }

  async text(): Promise<string> {
    return await this.tab.evaluate(() => page.editor.value);
  }

  async parameters(): Promise<Parameters> {
    const { Parameters } = JSON.parse(await this.text()) as { readonly Parameters: Parameters };
    return Parameters;
  }

  /** What has the focus, by its label. */
  async focused(): Promise<string | undefined> {
    return await this.tab.evaluate(async () => {
      await page.editor.updateComplete;
      const root = page.editor.shadowRoot;
      const element = root?.activeElement;
      const labelledBy = element?.getAttribute("aria-labelledby");
      if (labelledBy) return root?.getElementById(labelledBy)?.textContent?.trim();
      return element?.getAttribute("aria-label") ?? element?.textContent?.trim();
    });
  }

  /** The option that Enter chooses, for the field that has the focus. */
  async active(): Promise<string | undefined> {
    return await this.tab.evaluate(async () => {
      await page.editor.updateComplete;
      const root = page.editor.shadowRoot;
      const id = root?.activeElement?.getAttribute("aria-activedescendant") ?? "";
      return root?.getElementById(id)?.querySelector(".mono")?.textContent?.trim();
    });
  }
}
