/** What http.test.ts does in a page, with the `fetch` of a real browser. */

import { VaultError } from "../../src/error.js";
import { HttpStorage } from "../../src/storage/http.js";
import { contract, Log } from "../storage/contract.js";

class HttpPage {
  async runCase(name: string, url: string): Promise<void> {
    const found = contract.find((one) => one.name === name);
    if (found === undefined) throw new Error(`there is no case ${name}`);
    await found.run({ open: () => new HttpStorage(url) });
  }

  /** Reads, then appends; how that ends. */
  async append(url: string): Promise<string> {
    const storage = new HttpStorage(url);
    try {
      const file = await storage.read();
      const marks = [{ offset: 0, bytes: file.slice(1) }];
      const known = { start: file.slice(0, 1), marks, end: file.length - 1, torn: 0 };
      await storage.append(Log.random().file(), known);
      return "done";
    } catch (error) {
      if (error instanceof VaultError) return `${error.code}: ${error.message}`;
      throw error;
    }
  }

  hasHeads(url: string): boolean {
    return new HttpStorage(url).heads !== undefined;
  }

  places(url: string): readonly string[] {
    return new HttpStorage(url).places;
  }
}

declare global {
  var httpPage: HttpPage;
}

globalThis.httpPage = new HttpPage();
