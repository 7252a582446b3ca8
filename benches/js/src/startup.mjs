/** From the first import to `ready()`: each time in a new process, or in a new page. */

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { sideBySide } from "./measure.mjs";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SODIUM = "libsodium-wrappers-sumo, import and ready";

export async function inNode(rounds) {
  const started = (name, specifier, call) => ({
    name,
    run: async () => {
      const { stdout } = await run(
        process.execPath,
        ["--eval", `${code(specifier, call)}.then(console.log)`],
        {
          cwd: ROOT,
        },
      );
      return Number(stdout);
    },
  });
  return {
    title: "Start-up in a new process",
    cases: await sideBySide(rounds, [
      started("connector-vault, import and ready()", "connector-vault", "loaded.ready()"),
      started("connector-vault, import alone", "connector-vault", ""),
      started(SODIUM, "libsodium-wrappers-sumo", "loaded.default.ready"),
    ]),
  };
}

export async function inChromium(browser, rounds) {
  const started = (name, specifier, call) => ({
    name,
    run: () => browser.inPage("/empty", code(specifier, call)),
  });
  const wasm = "/files/connector-vault/dist/vault.wasm";
  return {
    title: "Start-up in a new page",
    cases: await sideBySide(rounds, [
      started("connector-vault, import and ready()", "connector-vault", "loaded.ready()"),
      started("connector-vault, import alone", "connector-vault", ""),
      started(
        "connector-vault/slim, import and ready({ wasm })",
        "connector-vault/slim",
        `loaded.ready({ wasm: "${wasm}" })`,
      ),
      started(SODIUM, "/sodium.js", "loaded.ready()"),
    ]),
  };
}

/** A text that is evaluated there. */
function code(specifier, call) {
  return `(async () => {
    const start = performance.now();
    const loaded = await import("${specifier}");
    await (${call || "undefined"});
    return performance.now() - start;
  })()`;
}
