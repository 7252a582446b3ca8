/** What the log says of each commit, and which commits somebody looks for. */

import type { Commit, Overview } from "connector-vault";

/** What somebody looks for. Empty texts mean all. */
export interface Sought {
  /** Part of a connector's name or id. */
  readonly connector: string;
  /** The label of an author. */
  readonly author: string;
}

/** The commits that were sought, newest first. */
export function find(commits: readonly Commit[], { connector, author }: Sought): Commit[] {
  const isSought = connectorFilter(connector);
  return commits
    .filter((commit) => author === "" || commit.author === author)
    .filter((commit) => isSought === undefined || commit.records.some(isSought))
    .reverse();
}

/** The records of a commit that are about a connector that was sought. */
export function recordsOf({ records }: Commit, { connector }: Sought): readonly Overview[] {
  const isSought = connectorFilter(connector);
  return isSought === undefined ? records : records.filter(isSought);
}

function connectorFilter(text: string): ((record: Overview) => boolean) | undefined {
  const part = text.trim().toLowerCase();
  if (part === "") return undefined;
  return ({ id, name }) => id.toLowerCase().includes(part) || name.toLowerCase().includes(part);
}

/** Who signed commits, in the order in which they first did. */
export function authorsOf(commits: readonly Commit[]): string[] {
  return [...new Set(commits.map(({ author }) => author))];
}

/**
 * When a commit was made, by its author's clock. A snapshot does not say: its records are as old as the versions
 * that it kept.
 */
export function timeOf({ snapshot, records }: Commit): string | undefined {
  return snapshot ? undefined : records.at(-1)?.at;
}

/** What a record did, as a verb. */
export const VERBS: Readonly<Record<Overview["op"], string>> = {
  create: "created",
  update: "updated",
  patch: "written",
  delete: "deleted",
  restore: "restored",
  describe: "described",
  move: "moved",
  undelete: "undeleted",
};
