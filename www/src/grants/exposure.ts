/** What revocations of this session exposed, kept as long as the vault's object is, so that work on it can go on. */

import type { RevocationReport, Vault } from "connector-vault";

/** A connector that a former holder could read. */
export interface Exposed {
  readonly id: string;
  readonly name: string;
  /** Whether it got a new version since. */
  readonly isUpdated: boolean;
  readonly isDeleted: boolean;
}

/** A revocation, and what is left to do after it. */
export class Exposure {
  /** What was done, as a sentence. */
  readonly text: string;
  readonly report: RevocationReport;
  readonly #vault: Vault;
  readonly #versions: ReadonlyMap<string, number>;

  constructor(text: string, report: RevocationReport, vault: Vault) {
    this.text = text;
    this.report = report;
    this.#vault = vault;
    this.#versions = new Map(report.exposed.map((id) => [id, versionOf(vault, id) ?? 0]));
  }

  /** Those that are still there, in the report's order; at most `count` of them. */
  list(count = Infinity): Exposed[] {
    const list: Exposed[] = [];
    for (const id of this.report.exposed) {
      if (list.length >= count) break;
      try {
        const { name, version } = this.#vault.connector(id);
        const isUpdated = version > (this.#versions.get(id) ?? 0);
        list.push({ id, name, isUpdated, isDeleted: false });
      } catch {
        // It is deleted now; what it held should be rotated all the same.
        list.push({ id, name: id, isUpdated: false, isDeleted: true });
      }
    }
    return list;
  }
}

const exposures = new WeakMap<Vault, Exposure[]>();

/** The revocations of a vault in this session, newest first. */
export function exposuresOf(vault: Vault): readonly Exposure[] {
  return exposures.get(vault) ?? [];
}

/** Whether something is left to do after a revocation, or went with it. */
export function hasToTell({ exposed, falseVersions, damaged, forgotten }: RevocationReport): boolean {
  return [exposed, falseVersions, damaged, forgotten].some(({ length }) => length > 0);
}

/** Keeps one. */
export function keep(vault: Vault, exposure: Exposure): void {
  if (!exposures.has(vault)) vault.addEventListener("lock", () => exposures.delete(vault), { once: true });
  exposures.set(vault, [exposure, ...exposuresOf(vault)]);
}

/** The user is done with one. */
export function dismiss(vault: Vault, exposure: Exposure): void {
  exposures.set(
    vault,
    exposuresOf(vault).filter((other) => other !== exposure),
  );
}

function versionOf(vault: Vault, id: string): number | undefined {
  try {
    return vault.connector(id).version;
  } catch {
    return undefined;
  }
}
