/** The page of lock.test.ts: components that know secrets, over one vault. */

import { MemoryStorage, Vault, type UpdateAction } from "connector-vault";

import "../src/index.js";

/** No secret is in this text, so that what finds one has not found the script. */
const secret = (number: number): string =>
  `secret-${number}-`.repeat(2) + (123_456_789 * number).toString(36);

const update = (value: string): UpdateAction => ({
  ActionType: "Connectors.Update",
  Parameters: { EntryId: "a", Properties: [{ PropertyName: "Key", PropertyValue: value }] },
});

const page = {
  /** The secrets, the first of them in the vault, the others written or given. */
  secrets: (): string[] => [1, 2, 3, 4].map(secret),

  async start(): Promise<void> {
    const cost = { memoryKib: 19_456, passes: 1, lanes: 1 };
    const vault = await Vault.create(new MemoryStorage(), { passphrase: "correct horse", cost });
    await vault.createConnector({ id: "a", name: "A", type: "T", properties: { Key: secret(1) } });
    await vault.run(update(secret(2)));

    const editor = document.createElement("update-connector-editor");
    const plan = document.createElement("update-plan");
    const history = document.createElement("connector-history");
    document.querySelector("main")?.append(editor, plan, history);
    for (const element of [editor, plan, history]) element.vault = vault;
    history.connectorId = "a";
    editor.value = update(`${secret(3)} [Secrets:Key]`);
    plan.action = editor.value;
    plan.tokenValues = { "Secrets:Key": secret(4) };
    await plan.updateComplete;
    page.lock = () => vault.lock();
  },

  lock: (): void => undefined,
};

export type LockPage = typeof page;

(globalThis as unknown as { page: LockPage }).page = page;
