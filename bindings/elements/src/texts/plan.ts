/** What `<update-plan>` says, and what every list of changes says. */

import type { ChangeKind } from "connector-vault";

/** How many properties of each kind; without those that there are none of. */
export type Counts = Partial<Readonly<Record<ChangeKind, number>>>;

/** The texts of `<update-plan>`. */
export interface PlanTexts {
  /** The component's name for screen readers. */
  readonly label: string;
  /** Where there is no action yet. */
  readonly empty: string;
  readonly locked: string;

  // Headlines
  readonly updates: (before: number, after: number, counts: Counts) => string;
  readonly changesNothing: string;
  readonly creates: (counts: Counts) => string;
  readonly deletes: (before: number) => string;
  /** Of another name, type or meta. */
  readonly describes: (before: number, after: number) => string;
  /** Of another group. */
  readonly moves: (before: number, after: number) => string;
  readonly undeletes: (version: number, counts: Counts) => string;
  /** Of a request that was carried out before, by its id. */
  readonly answered: (after: number) => string;
  /** Of several actions that are carried out together. */
  readonly batch: (count: number) => string;
  /** Of an action of a batch that is marked as deleted. */
  readonly skipped: string;
  /** Of a test. */
  readonly works: string;
  readonly doesNotWork: (message: string) => string;

  // What happens to a property
  readonly added: string;
  readonly changed: string;
  readonly removed: string;
  /** It has this value now, written by somebody who cannot read it. */
  readonly written: string;
  readonly unchanged: string;
  /** The value comes from the grid. */
  readonly grid: string;
  /** The value comes from the JSON. */
  readonly json: string;
  readonly overridden: string;

  // A value
  readonly reveal: string;
  readonly hide: string;
  /** For screen readers: contains {@link reveal}. */
  readonly revealOf: (name: string) => string;
  /** For screen readers: contains {@link hide}. */
  readonly hideOf: (name: string) => string;
  readonly before: string;
  readonly after: string;
  /** In place of a value: there is no such property. */
  readonly absent: string;
  /** In place of a value: it is the empty string. */
  readonly emptyValue: string;

  readonly warnings: (count: number) => string;
  readonly tokens: string;
}

/** In English. */
export const PLAN_TEXTS: PlanTexts = {
  label: "What would change",
  empty: "What the action would change is shown here.",
  locked: "The vault is locked.",

  updates: (before, after, counts) => `Version ${before} becomes ${after}: ${list(counts)}`,
  changesNothing: "Nothing would change",
  creates: (counts) => `A connector would be created${after(list(counts))}`,
  deletes: (before) => `The connector would be deleted at version ${before}; its history stays`,
  describes: (before, after) => `Version ${before} becomes ${after}: another name, type or description`,
  moves: (before, after) => `Version ${before} becomes ${after}: in another group`,
  undeletes: (version, counts) =>
    `The deleted connector would be back as version ${version}${after(list(counts))}`,
  answered: (after) => `Carried out before: it made version ${after}`,
  batch: (count) => (count === 1 ? "1 action" : `${count} actions, all or none`),
  skipped: "Skipped: marked as deleted",
  works: "The connector works",
  doesNotWork: (message) =>
    message === "" ? "The connector does not work" : `The connector does not work: ${message}`,

  added: "added",
  changed: "changed",
  removed: "removed",
  written: "written",
  unchanged: "unchanged",
  grid: "Properties",
  json: "Dynamic Properties",
  overridden: "overrides the grid",

  reveal: "Reveal",
  hide: "Hide",
  revealOf: (name) => `Reveal ${name}`,
  hideOf: (name) => `Hide ${name}`,
  before: "Before",
  after: "After",
  absent: "not there",
  emptyValue: "empty",

  warnings: (count) => (count === 1 ? "1 warning" : `${count} warnings`),
  tokens: "Tokens used",
};

function list(counts: Counts): string {
  const kinds = ["changed", "written", "added", "removed", "unchanged"] as const;
  return kinds.flatMap((kind) => (counts[kind] ? [`${counts[kind]} ${kind}`] : [])).join(", ");
}

function after(text: string): string {
  return text === "" ? "" : `: ${text}`;
}
