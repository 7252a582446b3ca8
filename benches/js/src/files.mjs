/** Files of packages, also those that a package does not export. */

import { fileURLToPath } from "node:url";

const MODULES = new URL("../node_modules/", import.meta.url);

/** The path of `package/path/in/the/package`. */
export function fileOf(specifier) {
  const url = new URL(specifier, MODULES);
  if (!url.href.startsWith(MODULES.href)) throw new Error(`${specifier} is not in a package`);
  return fileURLToPath(url);
}
