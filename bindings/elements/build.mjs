// Makes `dist` of `src`: one module for each source, for the host's bundler to take what is used.

import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

process.chdir(import.meta.dirname);
const manifest = createRequire(import.meta.url).resolve("typescript/package.json");
const { tsc } = JSON.parse(readFileSync(manifest, "utf8")).bin;

rmSync("dist", { recursive: true, force: true });
execFileSync(process.execPath, [join(dirname(manifest), tsc), "--project", "tsconfig.build.json"], {
  stdio: "inherit",
});
for (const licence of ["LICENSE-MIT", "LICENSE-APACHE"]) cpSync(`../../${licence}`, licence);
