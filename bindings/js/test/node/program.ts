/** The Rust program `cvault`, for tests that work on the same files. Without it they fail: they would prove nothing. */

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const BUILT = fileURLToPath(new URL("../../../../target/debug/cvault", import.meta.url));

/** `CVAULT`, else what `cargo build -p connector-vault-cli` has built. */
export const CVAULT: string = process.env["CVAULT"] || BUILT;

if (!existsSync(CVAULT)) {
  throw new Error(`there is no cvault at ${CVAULT}: build it with cargo build -p connector-vault-cli`);
}

/** What the program prints as JSON. It sees these variables and no others. */
export async function cvault(env: Readonly<Record<string, string>>, ...args: string[]): Promise<unknown> {
  const { stdout } = await promisify(execFile)(CVAULT, ["--json", ...args], { env, maxBuffer: 1 << 26 });
  return stdout === "" ? undefined : (JSON.parse(stdout) as unknown);
}
