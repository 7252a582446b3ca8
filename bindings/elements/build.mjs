// Makes `dist` of `src`: one module for each source, for the host's bundler to take what is used.

import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

process.chdir(import.meta.dirname);
const manifest = createRequire(import.meta.url).resolve("typescript/package.json");
const { tsc } = JSON.parse(readFileSync(manifest, "utf8")).bin;

// Beside it first: whoever is serving `dist` meanwhile finds either the old one or the new.
const made = `dist-${process.pid}`;
try {
  const args = [join(dirname(manifest), tsc), "--project", "tsconfig.build.json", "--outDir", made];
  execFileSync(process.execPath, args, { stdio: "inherit" });
  rmSync("dist", { recursive: true, force: true });
  renameSync(made, "dist");
} finally {
  rmSync(made, { recursive: true, force: true });
}
for (const licence of ["LICENSE-MIT", "LICENSE-APACHE"]) cpSync(`../../${licence}`, licence);
