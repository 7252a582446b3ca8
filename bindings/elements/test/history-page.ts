/** The page of history.test.ts: one `<connector-history>` over a vault that another `Vault` changes, too. */

import { MemoryStorage, Vault } from "connector-vault";

import "../src/connector-history.js";
import { setTexts } from "../src/texts.js";

const passphrase = "correct horse";
const cost = { memoryKib: 19_456, passes: 1, lanes: 1 };
const storage = new MemoryStorage();
let now = Date.UTC(2026, 0, 15, 9, 30);
const clock = (): Date => new Date((now += 3_600_000));
const vault = await Vault.create(storage, { label: "ada", passphrase, cost, clock });
const other = await Vault.open(storage, { passphrase, clock });
await vault.createConnector({
  id: "twitter",
  name: "Twitter API",
  type: "Twitter",
  properties: { APIKey: "first-secret", Endpoint: "https://api.example" },
});

const element = document.createElement("connector-history");
element.vault = vault;
element.setAttribute("connector-id", "twitter");
document.querySelector("main")?.append(element);

const events: string[] = [];
let isPrevented = false;
element.addEventListener("restore", (event) => {
  events.push(`restore ${event.connectorId} ${event.version}`);
  if (isPrevented) event.preventDefault();
});
element.addEventListener("restored", ({ version, outcome }) => {
  events.push(`restored ${version} ${outcome.status} ${outcome.versionAfter}`);
});

async function update(vault: Vault, name: string, value: string, note?: string): Promise<void> {
  const Properties = [{ PropertyName: name, PropertyValue: value }];
  await vault.run(
    { ActionType: "Connectors.Update", Parameters: { EntryId: "twitter", Properties } },
    { ...(note !== undefined && { note }) },
  );
}

const page = {
  events,

  /** Versions 2 to 4, by two people. */
  async fill(): Promise<void> {
    await update(vault, "APIKey", "second-secret", "rotation of January");
    await vault.grant("grace", "updater", { passphrase: "grace", cost });
    const grace = await Vault.open(storage, { passphrase: "grace", clock });
    await update(grace, "Timeout", "30s");
    grace.lock();
    await update(vault, "APIKey", "third-secret");
    await element.updateComplete;
  },

  async many(count: number): Promise<void> {
    element.remove();
    for (let number = 0; number < count; number++) await update(vault, "APIKey", `secret ${number}`);
    document.querySelector("main")?.append(element);
    await element.updateComplete;
  },

  /** Somebody else updates. */
  change: (name: string, value: string): Promise<void> => update(other, name, value),
  delete: async (): Promise<void> => void (await other.deleteConnector("twitter")),

  /** Somebody else updates unseen just before the next commit. */
  race(): void {
    const commit = vault.commit.bind(vault);
    vault.commit = async (plan, options) => {
      vault.commit = commit;
      await update(other, "Endpoint", "https://faster.example");
      return await commit(plan, options);
    };
  },

  prevent: (): void => void (isPrevented = true),

  async become(role: "viewer" | "reader"): Promise<void> {
    await vault.grant(role, role, { passphrase: role, cost });
    element.vault = await Vault.open(storage, { passphrase: role });
    await element.updateComplete;
  },

  async show(id: string, lang?: string): Promise<void> {
    element.connectorId = id;
    if (lang !== undefined) document.documentElement.lang = lang;
    await element.updateComplete;
  },

  german: (): void =>
    setTexts({ history: { version: (version) => `Fassung ${version}`, restore: "Wiederherstellen" } }),
  apiKey: async (): Promise<string | undefined> => (await vault.read("twitter")).properties["APIKey"],
  lock: (): void => vault.lock(),
};

export type HistoryPage = typeof page;

(globalThis as unknown as { page: HistoryPage }).page = page;
