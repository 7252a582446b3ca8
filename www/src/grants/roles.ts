/** The roles in words: what the core lets each do (docs/format.md section 7). */

import type { GrantInfo, Role } from "connector-vault";

/** A role for people. Each may do what those before it may, but a reader does not write. */
export interface RoleText {
  readonly role: Role;
  readonly rights: string;
}

/** From the least to the most. */
export const ROLES: readonly RoleText[] = [
  { role: "viewer", rights: "lists connectors and names of properties; holds no key to any value" },
  { role: "rotator", rights: "lists, and writes new values into connectors; reads none" },
  { role: "reader", rights: "lists, and reads values; changes nothing" },
  { role: "updater", rights: "reads values, updates and restores connectors" },
  { role: "editor", rights: "also creates, describes and deletes connectors" },
  { role: "owner", rights: "also manages grants, and compacts" },
];

/** The rights of a grant in words: `viewer, updater in payments`. */
export function rightsText({ rights }: GrantInfo): string {
  const texts = rights.map(({ role, group }) => {
    if (group === "*") return role;
    return group === null ? `${role} in another group` : `${role} in ${group}`;
  });
  return texts.join(", ");
}

/** The role of a grant that has one right, in all groups. */
export function onlyRole({ rights }: GrantInfo): Role | undefined {
  const [right, ...more] = rights;
  return more.length === 0 && right?.group === "*" ? right.role : undefined;
}
