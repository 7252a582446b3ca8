/** What the page of longtask.test.ts does with a large vault; `globalThis.page` is how the test calls it. */

import { MemoryStorage, Vault, ready } from "../../src/index.js";
import { block, watch, type Blocked } from "./blocked.js";

const page = {
  /** Blocks the page on purpose. */
  block: (milliseconds: number): Promise<Blocked> => watch(() => block(milliseconds)),

  /** Opens the vault that the site serves, with the worker's start and everything else that belongs to it. */
  async open(passphrase: string, size: number): Promise<Blocked> {
    const file = new Uint8Array(await (await fetch("/vault")).arrayBuffer());
    await ready();
    return await watch(async () => {
      using vault = await Vault.open(new MemoryStorage(file), { passphrase });
      if (vault.size !== size) throw new Error("connectors are missing");
    });
  },
};

export type LongTaskPage = typeof page;

(globalThis as unknown as { page: LongTaskPage }).page = page;
