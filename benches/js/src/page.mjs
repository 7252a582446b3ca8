/** What runs in a page; `globalThis.bench` is how chromium.mjs calls it. */

import { IndexedDbStorage, MemoryStorage, Vault, ready } from "connector-vault";

import { OPEN } from "./blocked.mjs";
import { PASSPHRASE, updateOf } from "./stores.mjs";
import { RANGE, suites } from "./suites.mjs";
import { prove, watch } from "./watch.mjs";

const host = {
  bytes: (file) => fetched(`/files/${file}`),
  durable: {
    async IndexedDbStorage(file) {
      const storage = new IndexedDbStorage(crypto.randomUUID());
      await storage.create(file.slice());
      return storage;
    },
  },
  async builds() {
    const names = JSON.parse(new TextDecoder().decode(await fetched("/builds.json")));
    const load = async (name, index) => {
      const glue = await import(`/builds/${index}/vault.js`);
      const first = await glue.default({ module_or_path: await fetched(`/builds/${index}/vault.wasm`) });
      // Builds from before the module was split have no second part.
      const changes = await fetched(`/builds/${index}/changes.wasm`).catch(() => undefined);
      if (changes !== undefined) await WebAssembly.instantiate(changes, { first });
      return { name, glue };
    };
    return await Promise.all(names.map(load));
  },
};

async function fetched(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** What a page does with a large vault, and how long each step blocks it. Once in a page: the first time counts. */
async function blocked(count) {
  await prove();
  const storage = new MemoryStorage(await fetched("/vault"));
  let vault;
  const steps = {
    "load the module": () => ready(),
    [OPEN]: async () => {
      vault = await Vault.open(storage, { passphrase: PASSPHRASE });
      if (vault.size !== count) throw new Error("connectors are missing");
    },
    "all overviews at once": () => vault.connectors(),
    [`${RANGE} overviews at a time`]: async () => {
      for (let from = 0; from < count; from += RANGE) {
        vault.connectors({ from, count: RANGE });
        await new Promise((done) => setTimeout(done));
      }
    },
    "update one property": () => vault.run(updateOf(vault.connectors({ count: 1 })[0].id, "rotated")),
  };
  const rows = [];
  for (const [what, work] of Object.entries(steps)) rows.push({ what, ...(await watch(work)) });
  return rows;
}

globalThis.bench = { run: (suite, options) => suites[suite](host, options), blocked };
