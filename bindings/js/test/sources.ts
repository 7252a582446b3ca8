/** Reads sources for tests of architecture: which modules there are, and what each imports. */

import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";

/** Something that a module imports. */
export interface Import {
  /** A module of the same folder of sources, or what another package is called. */
  readonly path: string;
  readonly isOwn: boolean;
  readonly kind: "type" | "static" | "dynamic";
}

/** The sources of a folder. */
export class Sources {
  readonly #folder: URL;

  constructor(folder: URL) {
    this.#folder = folder;
  }

  /** All modules, by their paths without the ending. */
  get modules(): string[] {
    const entries = readdirSync(this.#folder, { recursive: true, encoding: "utf8" });
    return entries
      .filter((entry) => entry.endsWith(".ts"))
      .map((entry) => entry.replaceAll("\\", "/").replace(/\.ts$/, ""));
  }

  textOf(module: string): string {
    return readFileSync(new URL(`${module}.ts`, this.#folder), "utf8");
  }

  importsOf(module: string): Import[] {
    const found = this.textOf(module).matchAll(
      /^(?:import|export)\s+(type\s)?[^;]*?from "([^"]+)";|(typeof )?import\("([^"]+)"\)|^import "([^"]+)";/gm,
    );
    return [...found].map(([, type, from, typeOf, dynamic, effect]) => {
      const named = from ?? dynamic ?? effect ?? "";
      const isOwn = named.startsWith(".");
      const path = isOwn ? posix.join(posix.dirname(module), named).replace(/\.js$/, "") : named;
      const isType = type !== undefined || typeOf !== undefined;
      return { path, isOwn, kind: isType ? "type" : dynamic === undefined ? "static" : "dynamic" };
    });
  }

  /** Those that do not say first what they are for. */
  get unopened(): string[] {
    return this.modules.filter((module) => !this.textOf(module).startsWith("/**"));
  }
}
