/** The pages as each bundler, or none, brings them to a browser. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import * as esbuild from "esbuild";
import * as vite from "vite";
import webpack from "webpack";

import type { Lifetime, Served } from "../../bindings/js/test/browser/chromium.js";
import type { Project } from "./project.js";

/** A strict policy: scripts, workers and styles of the site itself, and WebAssembly. */
export const STRICT =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'; style-src 'self'";

export type Files = Readonly<Record<string, Served>>;

/** What `vite build` makes of the HTML page in a folder of the project. */
export async function viteBuild(project: Project, folder = ""): Promise<Files> {
  const outDir = project.at("vite", folder);
  // Warns of a large chunk: the module is inside.
  await vite.build({
    root: project.at(folder),
    configFile: false,
    logLevel: "error",
    build: { outDir, emptyOutDir: true },
  });
  return filesOf(project, outDir);
}

/** Starts Vite's development server on the page of the project; returns its address. */
export async function viteDev(lifetime: Lifetime, project: Project): Promise<string> {
  const server = await vite.createServer({
    root: project.dir,
    configFile: false,
    logLevel: "error",
    server: { host: "127.0.0.1", port: 0, headers: { "content-security-policy": STRICT } },
  });
  lifetime.after(() => server.close());
  await server.listen();
  return server.resolvedUrls?.local[0] ?? assert.fail("the server has no address");
}

/** What webpack makes of the page's script without a word of configuration. */
export async function webpackBuild(project: Project): Promise<Files> {
  const path = project.at("webpack");
  const stats = await new Promise<webpack.Stats | undefined>((resolve, reject) => {
    const compiler = webpack({
      mode: "production",
      context: project.dir,
      entry: { page: "./page.js" },
      output: { path },
      // Warns of a large file: the module is inside.
      performance: false,
    });
    compiler.run((error, stats) => compiler.close(() => (error ? reject(error) : resolve(stats))));
  });
  assert.equal(stats?.toString({ all: false, errors: true, warnings: true }), "");
  return { "/": project.read("classic.html"), ...filesOf(project, path) };
}

/** What esbuild makes of the page's script. */
export async function esbuildBuild(project: Project, options: esbuild.BuildOptions = {}): Promise<Files> {
  const outdir = project.at("esbuild");
  const { outputFiles, warnings } = await esbuild.build({
    absWorkingDir: project.dir,
    entryPoints: { page: "page.js" },
    bundle: true,
    format: "esm",
    minify: true,
    outdir,
    logLevel: "silent",
    ...options,
    write: false,
  });
  assert.deepEqual(warnings, []);
  const made = outputFiles.map(({ path, contents }) => [path.slice(outdir.length), contents] as const);
  return { "/": project.read("module.html"), ...checked(project, Object.fromEntries(made)) };
}

/** The page as it is, with the package's modules as they are, and the policy that its import map needs. */
export function plain(project: Project, html: string, files: Files): { files: Files; policy: string } {
  const dist = filesOf(project, project.at("node_modules/connector-vault/dist"), "/connector-vault/");
  const map = JSON.stringify({ imports: { "connector-vault": "/connector-vault/index.js" } });
  const hash = createHash("sha256").update(map).digest("base64");
  const tag = `<script type="importmap">${map}</script>`;
  return {
    files: { ...dist, ...files, "/": html.replace(/(?=<script)/, tag) },
    policy: STRICT.replace("script-src 'self'", `script-src 'self' 'sha256-${hash}'`),
  };
}

/** All files of a folder by their paths on a site; a page `index.html` is that of its folder. */
function filesOf(project: Project, folder: string, at = "/"): Files {
  const files = readdirSync(folder, { withFileTypes: true }).flatMap((entry): [string, Served][] => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return Object.entries(filesOf(project, path, `${at}${entry.name}/`));
    return [[entry.name === "index.html" ? at : `${at}${entry.name}`, readFileSync(path)]];
  });
  return checked(project, Object.fromEntries(files));
}

/** Nothing that a bundler makes may tell where it was made. */
function checked<T extends Readonly<Record<string, Uint8Array | Served>>>(project: Project, files: T): T {
  for (const [path, content] of Object.entries(files)) {
    assert(content instanceof Uint8Array);
    assert(!Buffer.from(content).includes(project.dir), `${path} holds ${project.dir}`);
  }
  return files;
}
