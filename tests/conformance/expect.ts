/** What the checks expect of the package, in words that are the same in Node and in a browser. */

import { VaultError } from "connector-vault";

/** Fails unless it holds. */
export function holds(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

/** Fails unless both are the same JSON, whatever the order of names. */
export function equal(found: unknown, expected: unknown, what: string): void {
  const [left, right] = [canonical(found), canonical(expected)];
  holds(left === right, `${what}: found ${left}, expected ${right}`);
}

/** Fails unless these are the same bytes, or both none. */
export function sameBytes(
  found: Uint8Array | undefined,
  expected: Uint8Array | undefined,
  what: string,
): void {
  const same =
    found?.length === expected?.length && (found ?? []).every((byte, index) => byte === expected?.[index]);
  holds(same, `${what}: the bytes differ`);
}

/** What `work` fails with: an error of the package, and none that stands for a fault of its own. */
export async function failure(work: () => unknown): Promise<VaultError> {
  let answer: unknown;
  try {
    answer = await work();
  } catch (error) {
    holds(error instanceof VaultError, `not an error of the package: ${String(error)}`);
    holds(error.code !== "internal", `a fault of the package: ${error.message}`);
    return error;
  }
  throw new Error(`it did not fail: ${JSON.stringify(answer)}`);
}

/** Fails if what is told holds a secret: an error with all that belongs to it, or a document. */
export function tellsNone(secrets: readonly string[], told: unknown): void {
  const text =
    told instanceof Error
      ? [told.message, (told as VaultError).hint, told.stack, told.cause, JSON.stringify(told)].join("\n")
      : JSON.stringify(told);
  for (const secret of secrets) holds(!text.includes(secret), `a secret is told: ${text}`);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
