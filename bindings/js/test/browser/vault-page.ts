/** What the pages of tests do with a vault; `globalThis.page` is how the tests call it. */

import { IndexedDbStorage, MemoryStorage, Vault, VaultError, type Overview } from "../../src/index.js";

const CHEAP = { memoryKib: 19_456, passes: 1, lanes: 1 };

let vault: Vault | undefined;
let bytes = new MemoryStorage();
/** The versions of the connector `x` that this page was told of by others. */
const seen = new Set<number>();

function open(): Vault {
  if (vault === undefined) throw new Error("no vault is open");
  return vault;
}

function adopt(opened: Vault): void {
  vault = opened;
  vault.addEventListener("change", ({ origin }) => {
    if (origin !== "other") return;
    for (const { version } of opened.history("x")) seen.add(version);
  });
}

const page = {
  async create(name: string, passphrase: string): Promise<void> {
    const created = await Vault.create(new IndexedDbStorage(name), { passphrase, cost: CHEAP });
    await created.createConnector({ id: "x", name: "Name", type: "Type", properties: { APIKey: "0" } });
    adopt(created);
  },

  async open(name: string, passphrase: string): Promise<void> {
    adopt(await Vault.open(new IndexedDbStorage(name), { passphrase }));
  },

  /** Opens bytes that the test has, in base64, and keeps them in memory. */
  async openBytes(base64: string, passphrase: string): Promise<void> {
    bytes = new MemoryStorage(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
    adopt(await Vault.open(bytes, { passphrase }));
  },

  /** The bytes in memory, in base64. */
  bytes: (): string => btoa(Array.from(bytes.bytes ?? [], (byte) => String.fromCharCode(byte)).join("")),

  /** Makes so many updates, each with a note of its own; the versions that they made. */
  async update(who: string, count: number): Promise<number[]> {
    const versions: number[] = [];
    for (let number = 0; number < count; number++) {
      const Properties = [{ PropertyName: `by ${who}`, PropertyValue: number }];
      const action = { ActionType: "Connectors.Update", Parameters: { EntryId: "x", Properties } } as const;
      versions.push((await open().run(action, { note: `${who}-${number}` })).versionAfter);
    }
    return versions;
  },

  async set(name: string, value: string): Promise<number> {
    const Properties = [{ PropertyName: name, PropertyValue: value }];
    const action = { ActionType: "Connectors.Update", Parameters: { EntryId: "x", Properties } } as const;
    return (await open().run(action)).versionAfter;
  },

  history: (): Overview[] => open().history("x"),
  read: async (): Promise<Record<string, string>> => (await open().read("x")).properties,
  seen: (): number[] => [...seen],
  lock: (): void => open().lock(),

  /** The code of what an operation fails with. */
  async codeOfOpening(name: string, passphrase: string): Promise<string> {
    try {
      await page.open(name, passphrase);
      return "none";
    } catch (error) {
      return error instanceof VaultError ? error.code : String(error);
    }
  },
};

export type VaultPage = typeof page;

(globalThis as unknown as { page: VaultPage }).page = page;
