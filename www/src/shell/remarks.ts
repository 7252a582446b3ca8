/** What was noticed when a vault was opened, in words for people. */

import type { Report } from "connector-vault";

/** Sentences, each on its own; none if all is well. */
export function remarksOn({ continuity, handover, torn, brokenKeySlots, compactionDue }: Report): string[] {
  const remarks: string[] = [];
  if (torn !== null) {
    remarks.push(
      "The newest change in the file is not complete, so it was left out: its writer died, or is still at work.",
    );
  }
  if (continuity === "unverifiable") {
    remarks.push(
      "Whether this state continues the one that this browser has seen before cannot be told any more.",
    );
  }
  if (handover) {
    remarks.push(
      "Owners have replaced the vault key since this browser opened the vault. If nobody told you of that, ask an owner.",
    );
  }
  for (const { label, reason } of brokenKeySlots) {
    remarks.push(`The passphrase of ${label ?? "a grant"} cannot be used any more: ${reason}.`);
  }
  if (compactionDue) {
    remarks.push(
      "The file has grown, and only an owner can compact it: the next change by an owner does it.",
    );
  }
  return remarks;
}
