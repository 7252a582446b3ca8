/** Looks for texts in everything that a page holds: texts, attributes and fields, through all shadow roots. */

import type { Page } from "playwright-core";

/** Which of the texts are somewhere in the page, each with where it is. */
export async function findInDom(page: Page, texts: readonly string[]): Promise<string[]> {
  return await page.evaluate((texts) => {
    const found: string[] = [];
    const look = (text: string, where: string): void => {
      for (const wanted of texts) if (text.includes(wanted)) found.push(`${wanted} in ${where}`);
    };
    const walk = (node: Node): void => {
      if (node instanceof CharacterData) look(node.data, `a text of ${node.parentElement?.localName}`);
      if (node instanceof Element) {
        for (const { name, value } of node.attributes) look(value, `${name} of ${node.localName}`);
        if ("value" in node) look(String(node.value), `the value of ${node.localName}`);
        if (node.shadowRoot !== null) walk(node.shadowRoot);
      }
      for (const child of node.childNodes) walk(child);
    };
    walk(document);
    look(document.title + location.href, "title or address");
    look(JSON.stringify([{ ...localStorage }, { ...sessionStorage }]), "storage");
    return found;
  }, texts);
}
