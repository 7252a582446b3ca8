/** Why a vault was not opened or created: next to which field it is shown, and what can be done about it. */

import { problemOf, type Problem } from "connector-vault-elements/problem.js";

/** The part of the form that a failure is about. */
export type Field = "place" | "passphrase" | "again" | "identity" | "vaultId" | "label" | "form";

/** What the user may do next. */
export interface Offer {
  readonly text: string;
  /** What it means, in words. */
  readonly explanation: string;
  readonly step: "accept" | "create" | "open";
}

/** What is shown of a failure. */
export interface Failure {
  readonly field: Field;
  readonly problem: Problem;
  readonly offer?: Offer | undefined;
}

const FIELDS: Readonly<Record<string, Field>> = {
  wrong_passphrase: "passphrase",
  invalid_passphrase: "passphrase",
  no_key_slot: "passphrase",
  wrong_identity: "identity",
  invalid_identity: "identity",
  vault_id_required: "vaultId",
  invalid_vault_id: "vaultId",
  wrong_vault: "vaultId",
  file_not_found: "place",
  file_exists: "place",
  io: "place",
  invalid_argument: "label",
  origin_not_permitted: "place",
  not_a_vault: "place",
  unsupported_version: "place",
};

const ACCEPT = "Open it nevertheless";

const OFFERS: Readonly<Record<string, Offer>> = {
  rolled_back: {
    step: "accept",
    text: ACCEPT,
    explanation:
      "This browser has seen a newer state of this vault. Somebody may have put an old copy in its place, to bring back " +
      "credentials or grants that were replaced. If you have restored a backup yourself, open it nevertheless: from then on " +
      "this state counts as the newest.",
  },
  forked: {
    step: "accept",
    text: ACCEPT,
    explanation:
      "This is a copy that went another way than the one this browser has seen: changes that you know may be missing. " +
      "If you opened a copy on purpose, open it nevertheless: from then on it is the one that counts. Under Merge you can " +
      "bring in the other one's changes.",
  },
  other_vault: {
    step: "accept",
    text: ACCEPT,
    explanation:
      "This browser has seen another vault at this place. Somebody may have put one of their own there, to read what you " +
      "write into it. If you have replaced the vault yourself, open it nevertheless: from then on it is the one that counts.",
  },
  untrusted_owner: {
    step: "accept",
    text: ACCEPT,
    explanation:
      "The owners whom this browser knows did not hand this vault over to those who have signed it now. Ask them before " +
      "you open it nevertheless: what you write would be readable to its present owners.",
  },
  file_not_found: {
    step: "create",
    text: "Create a vault there",
    explanation: "If the name is right and you expected a vault, somebody has removed it.",
  },
  file_exists: { step: "open", text: "Open it instead", explanation: "It stays as it is." },
};

/** A failure of where the vault is. */
export function placeFailure(error: unknown): Failure {
  return { field: "place", problem: problemOf(error) };
}

/** What is shown of an error. `by` says with what was unlocked: both fields are not in the form at once. */
export function failureOf(error: unknown, by: "passphrase" | "identity"): Failure {
  const found = problemOf(error);
  const offer = OFFERS[found.code ?? ""];
  // What is offered says more to people than the hint, which may speak of the interface for programs.
  const problem = offer === undefined ? found : { ...found, hint: undefined };
  const field = FIELDS[problem.code ?? ""] ?? "form";
  const isAway = (field === "passphrase" || field === "identity") && field !== by;
  return { field: isAway ? by : field, problem, offer };
}
