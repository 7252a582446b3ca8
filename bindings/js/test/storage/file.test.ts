/** A vault in a file does what every storage has to do. */

import { join } from "node:path";
import { test } from "node:test";

import { FileStorage } from "../../src/node/file-storage.js";
import { sandbox } from "../node/sandbox.js";
import { contract } from "./contract.js";

for (const { name, run } of contract) {
  test(`file: ${name}`, async (t) => {
    const path = join(sandbox(t), "vault");
    await run({ open: () => new FileStorage(path, { heads: null }) });
  });
}
