/**
 * Every vector of `tests/vectors` through the package. The same in Node and in a browser, which differ only in
 * how the files come here.
 */

import { ready } from "connector-vault";

import { ActionVector, checkAction } from "./action.js";
import { checkFormat, FormatVector } from "./format.js";
import { checkKey, KeyVector } from "./keys.js";
import { checkMerge, MergeVector } from "./merge.js";
import { Malformed, type Reader } from "./read.js";
import { checkRepair, RepairVector } from "./repair.js";

/** The texts of files by their paths below `tests/vectors`, such as `action/add.json`. */
export type Files = Readonly<Record<string, string>>;

/** What a run of vectors gave. */
export interface Conformance {
  /** How many were carried out, by folder. */
  readonly ran: Readonly<Record<string, number>>;
  /** Those that are not for this surface, by folder: their paths by what they are given. */
  readonly elsewhere: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  /** What did not hold, with the vector's path. */
  readonly failures: readonly string[];
}

/** A vector that is read, and can be checked. The check returns why it is not for this surface, if it is not. */
type Check = (files: Files) => Promise<string | void>;

const FOLDERS: Readonly<Record<string, (value: unknown, at: string) => Check>> = {
  action: reading(ActionVector, checkAction),
  token: reading(ActionVector, checkAction),
  format: reading(FormatVector, checkFormat),
  keys: reading(KeyVector, checkKey),
  merge: reading(MergeVector, checkMerge),
  repair: reading(RepairVector, (vector, files) => {
    const path = `format/${vector.format}.json`;
    const text = files[path];
    if (text === undefined) throw new Malformed(`there is no ${path}`);
    return checkRepair(vector, FormatVector.read(JSON.parse(text), path));
  }),
};

/** Reads a vector. Fails with {@link Malformed}, naming it, if it is not of its folder's schema. */
export function readVector(path: string, value: unknown): Check {
  const [, folder = ""] = /^([a-z]+)\/[a-z0-9-]+\.json$/.exec(path) ?? [];
  const read = Object.hasOwn(FOLDERS, folder) ? FOLDERS[folder] : undefined;
  if (read === undefined) throw new Malformed(`${path} is no vector of a folder that is known`);
  return read(value, path);
}

/** Carries out all vectors. */
export async function conform(files: Files): Promise<Conformance> {
  await ready();
  const ran = Object.fromEntries(Object.keys(FOLDERS).map((folder) => [folder, 0]));
  const elsewhere: Record<string, Record<string, string[]>> = {};
  const failures: string[] = [];
  for (const [path, text] of Object.entries(files)) {
    const [folder = ""] = path.split("/");
    try {
      const why = await readVector(path, JSON.parse(text))(files);
      if (why === undefined) ran[folder] = (ran[folder] ?? 0) + 1;
      else ((elsewhere[folder] ??= {})[why] ??= []).push(path);
    } catch (error) {
      failures.push(`${path}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { ran, elsewhere, failures };
}

/** One line that says how many vectors ran where. */
export function countsOf(surface: string, { ran, elsewhere }: Conformance): string {
  const counts = Object.entries(ran).map(([folder, count]) => {
    const others = Object.entries(elsewhere[folder] ?? {}).map(
      ([why, paths]) => [why, paths.length] as const,
    );
    if (others.length === 0) return `${count} ${folder}`;
    const all = others.reduce((sum, [, length]) => sum + length, count);
    const whys = others.map(([why, length]) => `${length} ${why}`);
    return `${count} of ${all} ${folder} (not for this surface: ${whys.join(", ")})`;
  });
  return `conformance in ${surface}: ${counts.join(", ")}`;
}

/** How many files a run accounts for. */
export function accountedFor({ ran, elsewhere }: Conformance): number {
  const others = Object.values(elsewhere).flatMap((reasons) => Object.values(reasons).flat());
  return Object.values(ran).reduce((sum, count) => sum + count, others.length);
}

function reading<T>(
  reader: Reader<T>,
  check: (vector: T, files: Files) => Promise<string | void>,
): (value: unknown, at: string) => Check {
  return (value, at) => {
    const vector = reader.read(value, at);
    return (files) => check(vector, files);
  };
}
