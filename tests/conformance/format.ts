/** `format/`: a file of a vault is opened once, and all that it is and holds is compared (docs/format.md). */

import { MemoryStorage, Vault, VaultError, type KeySlotInfo, type OpenOptions } from "connector-vault";

import { knownOf } from "../../bindings/js/src/heads/entry.js";
import { equal, failure, holds, sameBytes, tellsNone } from "./expect.js";
import {
  base16,
  count,
  document,
  flag,
  ifNamed,
  list,
  map,
  nullable,
  oneOf,
  text,
  word,
  type Read,
} from "./read.js";

const Head = document({ vault_id: text, epoch: count, seq: count, hash: text });

const Connector = document({
  name: text,
  type: text,
  versions: list(count),
  signed_by: list(nullable(text)),
  op: word("create", "update", "patch", "delete", "restore", "describe", "move", "undelete"),
  names: list(text),
  properties: map(text).optional(),
  note: text.optional(),
  request_id: text.optional(),
  meta: map(text).or({}),
  created_at: text,
  rotated_at: text,
});

const KeySlots = list(
  document({
    grant: nullable(text),
    label: nullable(text),
    kind: nullable(word("passphrase", "key")),
    hint: nullable(base16),
    prf_input: nullable(base16),
    broken: flag,
  }),
);

const Failing = document({ error: text, message_contains: text.or(""), key_slots: KeySlots.optional() });

const Opening = document({
  head: Head,
  role: word("viewer", "rotator", "reader", "updater", "editor", "owner"),
  label: text,
  continuity: word("first_seen", "continues", "unverifiable"),
  handover: flag.or(false),
  connectors: map(Connector),
  groups: list(document({ name: nullable(text), connectors: count, grants: list(text) })).optional(),
  read_error: map(text).or({}),
  key_slots: KeySlots.optional(),
  torn: document({ offset: count, len: count }).or(null),
  broken_key_slots: count.or(0),
  damaged: list(document({ connector: nullable(text), code: text })).or([]),
  problems: list(document({ seq: count, code: text })).or([]),
});

export const FormatVector = document({
  rule: text,
  unlock: oneOf({ identity: text, passphrase: text, key: text }),
  hint: base16.optional(),
  vault_id: text.optional(),
  reference: text.optional(),
  known_head: document({ head: Head, vault_key: text, index_commitment: text }).optional(),
  work_kib_max: count.optional(),
  expect: ifNamed("error", Failing, Opening),
  file: base16,
});
export type FormatVector = Read<typeof FormatVector>;

/** How the file of a vector is opened. */
export function openingOf({
  unlock,
  hint,
  vault_id,
  reference,
  known_head,
  work_kib_max,
}: FormatVector): OpenOptions {
  const [by, secret] = unlock;
  return {
    ...(by === "identity"
      ? { identity: secret }
      : by === "passphrase"
        ? { passphrase: secret }
        : { key: base16.read(secret, "unlock/key"), hint }),
    ...(vault_id !== undefined && { vaultId: vault_id }),
    ...(reference !== undefined && { vaultReference: reference }),
    ...(known_head !== undefined && { known: knownOf(known_head) }),
    ...(work_kib_max !== undefined && { workKibMax: work_kib_max }),
  };
}

export async function checkFormat(vector: FormatVector): Promise<void> {
  const { expect, file } = vector;
  const storage = new MemoryStorage(file);
  const identified = identify(file);
  if (expect.key_slots !== undefined) checkKeySlots(expect.key_slots, await Vault.keySlots(storage));
  if ("error" in expect) {
    const error = await failure(() => Vault.open(storage, openingOf(vector)));
    equal(error.code, expect.error, error.message);
    holds(error.message.includes(expect.message_contains), `the message: ${error.message}`);
    tellsNone([vector.unlock[1]], error);
    sameBytes(storage.bytes, file, "reading writes nothing");
    return;
  }
  const vault = await Vault.open(storage, openingOf(vector));
  try {
    equal(identified, vault.head.vaultId, "the id that the file tells");
    await checkVault(expect, vault);
    tellsNone([vector.unlock[1]], [vault.report, await vault.verify(), await vault.log(), vault.grants()]);
    // What a client keeps of it recognizes it.
    const known = JSON.parse(JSON.stringify(vault.knownHead)) as typeof vault.knownHead;
    const again = await Vault.open(storage, { ...openingOf(vector), known });
    equal(again.report.continuity, "continues", "its own known head");
    equal(again.knownHead, known, "the known head again");
    again.lock();
    sameBytes(storage.bytes, file, "reading writes nothing");
  } finally {
    vault.lock();
  }
}

function checkKeySlots(expected: Read<typeof KeySlots>, slots: readonly KeySlotInfo[]): void {
  const found = slots.map(({ grant, label, kind, hint, prfInput, broken }) => ({
    ...{ grant, label, kind, hint: hint && [...hint] },
    ...{ prf_input: prfInput && [...prfInput], broken: broken !== null },
  }));
  const wanted = expected.map((slot) => ({
    ...slot,
    ...{ hint: slot.hint && [...slot.hint], prf_input: slot.prf_input && [...slot.prf_input] },
  }));
  equal(found, wanted, "key_slots");
}

/** The id, if it is a sound vault; it fails in an orderly way in any case. */
function identify(file: Uint8Array): string | undefined {
  try {
    return Vault.identify(file);
  } catch (error) {
    holds(error instanceof VaultError && error.code !== "internal", `asking for the id: ${String(error)}`);
    return undefined;
  }
}

async function checkVault(expect: Read<typeof Opening>, vault: Vault): Promise<void> {
  const { continuity, handover, torn, brokenKeySlots } = vault.report;
  const { vault_id: vaultId, ...head } = expect.head;
  equal(vault.head, { vaultId, ...head }, "head");
  equal(vault.role, expect.role, "role");
  equal(vault.label, expect.label, "label");
  equal(continuity, expect.continuity, "continuity");
  equal(handover, expect.handover, "handover");
  equal(torn, expect.torn, "torn");
  equal(brokenKeySlots.length, expect.broken_key_slots, "broken_key_slots");
  const { damaged } = vault.list();
  const inOrder = (all: readonly { readonly connector: string | null; readonly code: string }[]) =>
    all.map(({ connector, code }) => `${connector ?? ""} ${code}`).sort();
  equal(inOrder(damaged), inOrder(expect.damaged), "damaged");
  const connectors = new Map<string, unknown>();
  const errors = new Map<string, string>();
  for (const connector of vault.connectors()) {
    const { id, name, type, op, properties: names, note, requestId, meta, createdAt, rotatedAt } = connector;
    const history = vault.history(id);
    const properties = await vault.read(id).then(
      (connector) => connector.properties,
      (error: unknown) => {
        holds(error instanceof VaultError, String(error));
        errors.set(id, error.code);
        return undefined;
      },
    );
    connectors.set(id, {
      name,
      type,
      versions: history.map(({ version }) => version),
      signed_by: history.map(({ signedBy }) => signedBy),
      op,
      names,
      properties,
      note,
      request_id: requestId,
      meta,
      created_at: createdAt,
      rotated_at: rotatedAt,
    });
  }
  // It counts the connectors of all groups, and those that are damaged.
  const mayBeMore = damaged.length > 0 || expect.role !== "owner";
  holds(
    mayBeMore ? vault.size >= connectors.size : vault.size === connectors.size,
    "how many connectors there are",
  );
  equal(Object.fromEntries(connectors), expect.connectors, "connectors");
  equal(Object.fromEntries(errors), expect.read_error, "read_error");
  const groups = vault.groups();
  equal(groups.length > 1 ? groups : undefined, expect.groups, "groups");
  const problems = (await vault.verify()).flatMap(({ seq, problems }) =>
    problems.map(({ code }) => ({ seq, code })),
  );
  equal(problems, expect.problems, "problems");
}
