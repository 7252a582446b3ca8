/** The roles in words: what the core lets each do (docs/format.md section 7). */

import type { Role } from "connector-vault";

/** A role for people. Each may do what those before it may. */
export interface RoleText {
  readonly role: Role;
  readonly rights: string;
}

/** From the least to the most. */
export const ROLES: readonly RoleText[] = [
  { role: "viewer", rights: "lists connectors and names of properties; holds no key to any value" },
  { role: "reader", rights: "also reads values; changes nothing" },
  { role: "updater", rights: "also updates and restores connectors" },
  { role: "owner", rights: "also creates and deletes connectors, and manages grants" },
];
