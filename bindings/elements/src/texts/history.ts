/** What `<connector-history>` says. */

import type { Op } from "connector-vault";

/** The texts of `<connector-history>`. */
export interface HistoryTexts {
  /** The list's name for screen readers. */
  readonly label: string;
  readonly locked: string;
  readonly version: (version: number) => string;
  /** Marks the newest version. */
  readonly present: string;
  /** How a version came to be, and who made it. */
  readonly made: (op: Op, author: string) => string;
  /** Before the names that a version changed, for screen readers. */
  readonly names: string;
  /** Before a version's note, for screen readers. */
  readonly note: string;

  readonly compare: string;
  readonly values: string;
  readonly restore: string;
  /** For screen readers: one of the three, and the version that it is for. */
  readonly buttonOf: (button: string, version: number) => string;

  // Two versions side by side
  readonly comparedWith: string;
  readonly noDifference: (from: number, to: number) => string;
  readonly difference: (from: number, to: number) => string;

  // A version's values
  readonly noProperties: string;
  readonly value: string;

  // Restoring
  /** What the restored version would be. */
  readonly confirm: (after: number) => string;
  readonly cancel: string;
  readonly restored: (version: number, after: number) => string;

  readonly older: (count: number) => string;
}

/** In English. */
export const HISTORY_TEXTS: HistoryTexts = {
  label: "Versions, newest first",
  locked: "The vault is locked.",
  version: (version) => `Version ${version}`,
  present: "present",
  made: (op, author) => `${MADE[op]} by ${author}`,
  names: "Properties: ",
  note: "Note: ",

  compare: "Compare",
  values: "Values",
  restore: "Restore",
  buttonOf: (button, version) => `${button} version ${version}`,

  comparedWith: "Compare with",
  noDifference: (from, to) => `Versions ${from} and ${to} have the same properties.`,
  difference: (from, to) => `From version ${from} to version ${to}:`,

  noProperties: "This version has no properties.",
  value: "Value",

  confirm: (after) => `Restore as version ${after}`,
  cancel: "Cancel",
  restored: (version, after) => `Version ${version} was restored as version ${after}.`,

  older: (count) => `Show older versions (${count})`,
};

const MADE: Readonly<Record<Op, string>> = {
  create: "created",
  update: "updated",
  patch: "written",
  delete: "deleted",
  restore: "restored",
  describe: "described",
  move: "moved",
  undelete: "undeleted",
};
