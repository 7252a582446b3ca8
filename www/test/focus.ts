/** Where the keyboard is: what has the focus, and whether people can see that. */

import assert from "node:assert/strict";

import type { CDPSession, Page } from "playwright-core";

import { PATIENCE_MS } from "../../bindings/js/test/browser/chromium.js";

/** What has the focus, as a screen reader says it. */
export interface Focused {
  readonly role: string;
  readonly name: string;
}

/** Somebody who has a keyboard and nothing else. */
export class Keyboard {
  readonly page: Page;
  readonly #session: CDPSession;

  private constructor(page: Page, session: CDPSession) {
    this.page = page;
    this.#session = session;
  }

  static async of(page: Page): Promise<Keyboard> {
    return new Keyboard(page, await page.context().newCDPSession(page));
  }

  /** Presses keys, one after the other. The focus is somewhere after each, and to be seen. */
  async press(...keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      await this.page.keyboard.press(key);
      await this.assertFocus(`after ${key}`);
    }
  }

  /** Types a text. */
  async type(text: string): Promise<void> {
    await this.page.keyboard.type(text);
    await this.assertFocus("after typing");
  }

  /**
   * Goes on by a key until the focus is on something of this role and name. Fails after a round through the page, or
   * through the dialog that is open.
   */
  async goTo(role: string, name: string | RegExp, key: "Tab" | "Shift+Tab" = "Tab"): Promise<void> {
    const passed: string[] = [];
    for (let steps = 0; steps < 50; steps++) {
      const focused = await this.focused();
      if (focused.role === role && (name instanceof RegExp ? name.test(focused.name) : focused.name === name))
        return;
      const at = `${focused.role} "${focused.name}"`;
      passed.push(at);
      await this.page.keyboard.press(key);
      // Between the last and the first, the keyboard is at the browser itself, once in a round.
      const isOutside = (await this.focused()).role === "none";
      assert.ok(!isOutside || !passed.includes('none ""'), `the focus is lost after ${at}`);
      if (!isOutside) await this.assertFocus(`after ${key} from ${at}`);
    }
    assert.fail(`there is no ${role} "${String(name)}" on the way: ${passed.join(", ")}`);
  }

  /** Waits until the focus is there by itself. */
  async isAt(role: string, name: string): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    let focused = await this.focused();
    while (focused.role !== role || focused.name !== name) {
      assert.ok(
        Date.now() < deadline,
        `the focus is on ${focused.role} "${focused.name}", not ${role} "${name}"`,
      );
      await this.page.evaluate(() => new Promise(requestAnimationFrame));
      focused = await this.focused();
    }
    await this.assertFocus(`at ${role} "${name}"`);
  }

  /** What has the focus; `none` if nothing has. */
  async focused(): Promise<Focused> {
    const { result } = await this.#session.send("Runtime.evaluate", { expression: `(${deepest})()` });
    if (result.objectId === undefined) return { role: "none", name: "" };
    const { nodes } = await this.#session.send("Accessibility.getPartialAXTree", {
      objectId: result.objectId,
      fetchRelatives: false,
    });
    await this.#session.send("Runtime.releaseObject", { objectId: result.objectId });
    const [node] = nodes;
    return { role: String(node?.role?.value ?? "none"), name: String(node?.name?.value ?? "") };
  }

  /** Fails if the focus is lost and does not come back, or cannot be seen. */
  async assertFocus(when: string): Promise<void> {
    // What moves the focus may do so later: when a vault has answered, a dialog is closed, a frame is drawn.
    for (const deadline = Date.now() + PATIENCE_MS; ;) {
      const wrong: unknown = await this.page.evaluate(`(${whatIsWrong})(${deepest})`);
      if (wrong === "") return;
      assert.ok(Date.now() < deadline, `${when}: ${String(wrong)}`);
    }
  }
}

/** Runs in the page: the element with the focus, in whatever tree. */
const deepest = String(function deepest(): Element | null {
  let focused = document.activeElement;
  while (focused?.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement;
  return focused === document.body ? null : focused;
});

/** Runs in the page: what keeps people from seeing the focus. */
const whatIsWrong = String(async function whatIsWrong(deepest: () => Element | null): Promise<string> {
  await new Promise(requestAnimationFrame);
  const focused = deepest();
  if (focused === null) return "the focus is lost";
  const parentOf = (node: Node): Node | null => (node instanceof ShadowRoot ? node.host : node.parentNode);
  // A ring around the field, its frame, or what looks like it.
  const around: Element[] = [];
  for (let node: Node | null = focused; node !== null && around.length < 5; node = parentOf(node)) {
    if (node instanceof Element) around.push(node);
  }
  if (focused.nextElementSibling !== null) around.push(focused.nextElementSibling);
  const tree = focused.getRootNode() as Document | ShadowRoot;
  const active = tree.getElementById(focused.getAttribute("aria-activedescendant") ?? "");
  if (active !== null) around.push(active);
  const ringed = around.find((element) => {
    // What is hidden from the eye has a ring that is, too.
    if (element.clientWidth < 8) return false;
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
    return (outlineStyle !== "none" && parseFloat(outlineWidth) >= 1) || boxShadow.includes("0px 0px 0px");
  });
  const { localName } = focused;
  if (ringed === undefined && !/^h\d$/.test(localName)) return `${localName} has the focus, and no ring`;
  const target = ringed ?? focused;
  const { left, top, width, height } = target.getBoundingClientRect();
  const parts = [0.1, 0.5, 0.9];
  const points = parts.flatMap((across) =>
    parts.map((down) => [left + width * across, top + height * down] as const),
  );
  const isSeen = points.some(([x, y]) => {
    if (x < 0 || y < 0 || x >= innerWidth || y >= innerHeight) return false;
    let hit = document.elementFromPoint(x, y);
    while (hit?.shadowRoot) {
      const inner: Element | null = hit.shadowRoot.elementFromPoint(x, y);
      if (inner === null || inner === hit) break;
      hit = inner;
    }
    // Of a choice, the invisible button is above what has the ring.
    for (let node: Node | null = hit; node !== null; node = parentOf(node)) {
      if (node === target || node === focused) return true;
    }
    return false;
  });
  return isSeen
    ? ""
    : `${localName} has the focus, and is out of sight at ${[left, top, width, height].join()}`;
});
