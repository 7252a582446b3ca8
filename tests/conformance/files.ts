/** The files of `tests/vectors`, found by walking it. */

import { readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

import type { Files } from "./suite.js";

const ROOT = fileURLToPath(new URL("../vectors/", import.meta.url));

/** All files below the folder but its README. Whether each of them is a vector, its reader says. */
export async function vectorFiles(): Promise<Files> {
  const entries = await readdir(ROOT, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter((path) => path !== "README.md")
    .sort();
  const texts = paths.map(async (path) => [path, await readFile(join(ROOT, path), "utf8")] as const);
  return Object.fromEntries(await Promise.all(texts));
}
