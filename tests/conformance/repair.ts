/** `repair/`: what a repair makes of the files of `format/`. */

import { MemoryStorage, Vault } from "connector-vault";

import { equal, failure, sameBytes, tellsNone } from "./expect.js";
import { openingOf, type FormatVector } from "./format.js";
import { count, document, flag, ifNamed, map, text, type Read } from "./read.js";

export const RepairVector = document({
  rule: text,
  format: text,
  elsewhere: flag.or(false),
  older_header: flag.or(false),
  expect: ifNamed(
    "error",
    document({ error: text }),
    document({
      ...{ recovered: count, restored: count, elsewhere: count, lost: count, gaps: count },
      connectors: map(count),
    }),
  ),
});
export type RepairVector = Read<typeof RepairVector>;

/** Repairs the file of the vector in `format/` that is named. */
export async function checkRepair(vector: RepairVector, damaged: FormatVector): Promise<void> {
  const { expect, elsewhere, older_header: olderHeader } = vector;
  const opening = openingOf(damaged);
  const [storage, out] = [new MemoryStorage(damaged.file), new MemoryStorage()];
  const repair = () => Vault.repair(storage, out, { ...opening, elsewhere, olderHeader });
  if ("error" in expect) {
    const error = await failure(repair);
    equal(error.code, expect.error, error.message);
    tellsNone([damaged.unlock[1]], error);
    sameBytes(out.bytes, undefined, "nothing is written where a repair fails");
  } else {
    const { vault, report } = await repair();
    const found = {
      recovered: report.recovered,
      restored: report.restored.length,
      elsewhere: report.elsewhere.length,
      lost: report.lost.length,
      gaps: report.gaps.length,
      connectors: Object.fromEntries(vault.connectors().map(({ id, version }) => [id, version])),
    };
    equal(found, expect, "the repair");
    tellsNone([damaged.unlock[1]], report);
    // What is stored is what is open.
    const reopened = await Vault.open(new MemoryStorage(out.bytes), {
      ...opening,
      vaultId: vault.head.vaultId,
      known: vault.knownHead,
    });
    equal(reopened.head, vault.head, "the head of the stored bytes");
    for (const each of [vault, reopened]) {
      const problems = (await each.verify()).flatMap(({ problems }) => problems);
      equal(problems, [], "a repaired vault is sound");
      each.lock();
    }
  }
  sameBytes(storage.bytes, damaged.file, "the damaged vault stays as it is");
}
