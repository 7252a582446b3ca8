/** Builds src/service-worker.ts, and lists for it the files of the build. */

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import type { Plugin } from "vite";

import type { Precached } from "./src/service-worker.js";

/** The name under which the page registers it. */
const SCRIPT = "service-worker.js";

/** A service worker that knows exactly the files that were built with it. */
export function offline(): Plugin {
  let publicDir = "";
  return {
    name: "offline",
    apply: "build",
    configResolved(config) {
      publicDir = config.publicDir;
    },
    buildStart() {
      this.emitFile({ type: "chunk", id: "/src/service-worker.ts", fileName: SCRIPT });
    },
    generateBundle: {
      // When all others have written what they have to.
      order: "post",
      handler(_options, bundle) {
        const script = bundle[SCRIPT];
        if (script?.type !== "chunk") throw new Error(`there is no ${SCRIPT}`);
        // It is registered as a classic script.
        if (script.imports.length > 0) throw new Error(`${SCRIPT} has to be one file`);
        const built = Object.values(bundle)
          .filter((file) => file !== script)
          .map((file) => precached(file.fileName, file.type === "chunk" ? file.code : file.source));
        const files = [...built, ...filesBelow(publicDir)].sort(([a], [b]) => (a < b ? -1 : 1));
        const list = JSON.stringify(files);
        const version = createHash("sha256").update(script.code).update(list).digest("hex").slice(0, 16);
        script.code = `const PRECACHED=${list},VERSION="${version}";\n${script.code}`;
      },
    },
  };
}

function filesBelow(folder: string): Precached[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return precached(relative(folder, path).split(sep).join("/"), readFileSync(path));
    });
}

function precached(path: string, content: string | Uint8Array): Precached {
  return [path, `sha256-${createHash("sha256").update(content).digest("base64")}`];
}
