/** A page with one view over a vault in memory: what tests of views drive. */

import { Identity, MemoryStorage, Vault, ready, type Role } from "connector-vault";

import { NavigateEvent } from "../src/navigation.js";
import { NoticeEvent } from "../src/notice.js";
import type { Place, Session } from "../src/session.js";
import "../src/grants/grants-view.js";
import "../src/history/history-view.js";
import "../src/log/log-view.js";
import "../src/merge/merge-view.js";
import "../src/update/update-view.js";

/** A view, as the shell has it. */
type View = HTMLElement & { session?: Session | undefined; connectorId?: string | undefined };

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): string };
}

const COST = { memoryKib: 19_456, passes: 1, lanes: 1 };

const policy = (globalThis as { readonly trustedTypes?: TrustedTypes }).trustedTypes?.createPolicy(
  "connector-vault",
  { createScriptURL: (url) => url },
);

/** What a test does in the page. */
const page = {
  /** What the views have told: notices, and where they want to go. */
  told: [] as string[],
  vault: undefined as Vault | undefined,
  Vault,
  MemoryStorage,
  Identity,
  storage: undefined as MemoryStorage | undefined,

  /** Makes a vault with these many connectors, opened by its owner. */
  async create(count = 2): Promise<void> {
    await ready({
      wasm: "/vault.wasm",
      changes: "/changes.wasm",
      worker: () =>
        new Worker(policy?.createScriptURL("/connector-vault-worker.js") ?? "/connector-vault-worker.js", {
          type: "module",
        }),
    });
    const storage = new MemoryStorage();
    const vault = await Vault.create(storage, { label: "ada", passphrase: "correct horse", cost: COST });
    const connectors = [
      {
        id: "twitterConnectorId",
        name: "Twitter API",
        type: "Twitter",
        properties: { APIKey: "old_key", Endpoint: "https://api.example" },
      },
      {
        id: "oauthConnectorId",
        name: "OAuth",
        type: "OAuth2",
        properties: { AccessToken: "s3cret-a", RefreshToken: "s3cret-r", ClientId: "client" },
      },
    ];
    for (const connector of connectors.slice(0, count)) await vault.createConnector(connector);
    if (count > 2) {
      const more = Array.from({ length: count - 2 }, (_, index) => ({
        id: `connector-${index}`,
        name: `Connector ${index}`,
        type: "Http",
        properties: { Key: `k${index}` },
      }));
      await vault.import({ connectors: more });
    }
    page.vault = vault;
    page.storage = storage;
  },

  async grant(label: string, role: Role, passphrase = "another horse"): Promise<void> {
    await page.vault?.grant(label, role, { passphrase, cost: COST });
  },

  /** Opens what is stored by another grant: what is shown then is as this grant sees it. */
  async openAs(label: string, passphrase = "another horse"): Promise<void> {
    if (page.storage === undefined) throw new Error("create first");
    page.vault = await Vault.open(page.storage, { grant: label, passphrase });
  },

  /** Opens the same bytes with a fault in a commit before the newest one, which does not keep them from being opened. */
  async openDamaged(): Promise<void> {
    const bytes = (await page.storage?.read()) ?? new Uint8Array();
    // Where a record's secrets are is the format's: anywhere before the end.
    for (let at = bytes.length - 80; at > 0; at -= 60) {
      const damaged = bytes.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      page.storage = new MemoryStorage(damaged);
      try {
        page.vault = await Vault.open(page.storage, { passphrase: "correct horse" });
      } catch {
        continue;
      }
      if ((await page.vault.verify()).some(({ problems }) => problems.length > 0)) return;
    }
    throw new Error("nothing is damaged");
  },

  /** The same vault, opened once more as its owner. */
  async rival(): Promise<Vault> {
    if (page.storage === undefined) throw new Error("create first");
    return await Vault.open(page.storage, { passphrase: "correct horse" });
  },

  /** Opens what is stored so that it hears nothing of changes, as with a file on a server. */
  async openUntold(): Promise<void> {
    if (page.storage === undefined) throw new Error("create first");
    const untold = new Proxy(page.storage, {
      get: (storage, name) => {
        if (name === "subscribe") return undefined;
        const member: unknown = Reflect.get(storage, name, storage);
        return typeof member === "function" ? (member.bind(storage) as unknown) : member;
      },
    });
    page.vault = await Vault.open(untold, { passphrase: "correct horse" });
  },

  /** The role by which an identity opens what is stored. */
  async roleOf(identity: string): Promise<Role> {
    if (page.storage === undefined || page.vault === undefined) throw new Error("create first");
    const vault = await Vault.open(page.storage, { identity, vaultId: page.vault.head.vaultId });
    return vault.role;
  },

  /** Updates one property, as an action does. */
  async set(id: string, name: string, value: string, vault?: Vault): Promise<void> {
    await (vault ?? page.vault)?.run({
      ActionType: "Connectors.Update",
      Parameters: { EntryId: id, Properties: [{ PropertyName: name, PropertyValue: value }] },
    });
  },

  /** The element that has the focus, in whichever shadow tree. */
  focused(): Element | null {
    let element = document.activeElement;
    while (element?.shadowRoot?.activeElement != null) element = element.shadowRoot.activeElement;
    return element;
  },

  /** The bytes of a copy of the vault, after somebody has worked on it. */
  async copy(work: (vault: Vault) => Promise<unknown>): Promise<number[]> {
    if (page.storage === undefined) throw new Error("create first");
    const storage = new MemoryStorage(await page.storage.read());
    await work(await Vault.open(storage, { passphrase: "correct horse" }));
    return [...(await storage.read())];
  },

  async show(name: string, connectorId?: string): Promise<void> {
    const view = document.createElement(name) as View;
    if (page.vault === undefined || page.storage === undefined) throw new Error("create first");
    const place: Place = {
      kind: "browser",
      label: "test",
      storage: page.storage,
      afterwards: () => place,
    };
    view.session = { vault: page.vault, place };
    view.connectorId = connectorId;
    const main = document.querySelector("main") ?? document.body.appendChild(document.createElement("main"));
    main.replaceChildren(view);
    await (view as unknown as { readonly updateComplete: Promise<unknown> }).updateComplete;
    view.shadowRoot?.querySelector("h1")?.focus();
  },
};

addEventListener("notice", (event) => {
  if (event instanceof NoticeEvent) page.told.push(event.text);
});
addEventListener("navigate", (event) => {
  if (event instanceof NavigateEvent) page.told.push(JSON.stringify(event.route));
});

declare global {
  // eslint-disable-next-line no-var
  var views: typeof page;
}
globalThis.views = page;
