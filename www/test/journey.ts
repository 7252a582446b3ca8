/** What people do on the page, as a test says it: everything is found by its role and label, as they find it. */

import assert from "node:assert/strict";

import { MemoryStorage, Vault, type ConnectorsDocument } from "connector-vault";
import type { BrowserContext, Locator, Page } from "playwright-core";

/** The least that Argon2id may cost: vaults that tests make in Node. */
export const COST = { memoryKib: 19_456, passes: 1, lanes: 1 } as const;

/** The passphrase of vaults that tests make. */
export const PASSPHRASE = "correct horse battery staple";

/** The two connectors of docs/action.md. */
export const CONNECTORS: ConnectorsDocument = {
  connectors: [
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
      properties: { AccessToken: "old_access", RefreshToken: "old_refresh", ClientId: "client" },
    },
  ],
};

/** The ways in the header. */
export type Way = "Connectors" | "Update" | "Merge" | "Grants" | "Audit log";

/** What is called differently by its heading. */
const HEADINGS: Partial<Readonly<Record<Way, string>>> = {
  Update: "Update a connector",
  Merge: "Merge a copy",
};

/** A vault in Node, and where its bytes are. */
export interface NodeVault {
  readonly vault: Vault;
  readonly storage: MemoryStorage;
}

/** Makes a vault with these connectors. */
export async function vaultInNode(connectors = CONNECTORS): Promise<NodeVault> {
  const storage = new MemoryStorage();
  const vault = await Vault.create(storage, { label: "ada", passphrase: PASSPHRASE, cost: COST });
  await vault.import(connectors);
  return { vault, storage };
}

/** Opens what the page has saved. */
export async function openInNode(bytes: Uint8Array, passphrase = PASSPHRASE): Promise<NodeVault> {
  const storage = new MemoryStorage(bytes);
  return { vault: await Vault.open(storage, { passphrase }), storage };
}

/** The bytes of a vault, for a site or an upload. */
export function bytesOf({ bytes }: MemoryStorage): Buffer {
  return Buffer.from(bytes ?? assert.fail("there is no vault"));
}

/** A property of a new connector. */
export type Property = readonly [name: string, value: string];

/** Somebody in front of the page. */
export class Visitor {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** Opens the page in a new tab. */
  static async at(context: BrowserContext, url: string): Promise<Visitor> {
    const page = await context.newPage();
    await page.goto(url);
    return new Visitor(page);
  }

  // Before a vault is open

  /** Makes a sample, and returns its passphrase. */
  async tryIt(): Promise<string> {
    await this.button("Try it").click();
    await this.option("Twitter API").waitFor();
    return await this.page.getByRole("region", { name: "Sample vault" }).locator("code").innerText();
  }

  /** Makes a vault in this browser, at the least cost that is offered. */
  async create(name: string, passphrase = PASSPHRASE): Promise<void> {
    await this.page.getByRole("radio", { name: "Create" }).check();
    await this.field("Name of the vault").fill(name);
    await this.field("Passphrase").fill(passphrase);
    await this.field("The same passphrase again").fill(passphrase);
    const cost = this.page.getByRole("combobox", { name: "Memory and time" });
    if ((await cost.count()) === 0) await this.page.getByText("What a guess costs").click();
    await cost.selectOption({ index: 2 });
    await this.button("Create the vault").click();
    await this.heading("There are no connectors yet").waitFor();
  }

  /** Opens a vault of this browser. */
  async open(name: string, passphrase = PASSPHRASE): Promise<void> {
    await this.page.getByRole("radio", { name: "Open" }).check();
    await this.page.getByRole("radio", { name, exact: true }).check();
    await this.unlock(passphrase);
  }

  /** Says where a vault is to be opened. */
  async choosePlace(place: "This browser" | "A file" | "A URL"): Promise<void> {
    await this.page.getByRole("radio", { name: "Open" }).check();
    await this.page.getByRole("radio", { name: place }).check();
  }

  /** Opens the vault at a URL. */
  async openAt(url: string, passphrase = PASSPHRASE): Promise<void> {
    await this.choosePlace("A URL");
    await this.field("URL").fill(url);
    await this.unlock(passphrase);
  }

  /** Hands a file to a browser that writes none in place. */
  async upload(name: string, bytes: Uint8Array): Promise<void> {
    await this.choosePlace("A file");
    await this.page.getByLabel("Vault file").setInputFiles(fileOf(name, bytes));
    await this.page.getByText(name, { exact: true }).waitFor();
  }

  /** Types the passphrase, and waits until the list is there. */
  async unlock(passphrase = PASSPHRASE): Promise<void> {
    await this.tryToUnlock(passphrase);
    await this.heading("Connectors").waitFor();
  }

  async tryToUnlock(passphrase: string): Promise<void> {
    await this.field("Passphrase").fill(passphrase);
    await this.button("Unlock").click();
  }

  async lock(): Promise<void> {
    await this.button("Lock").click();
    await this.page.getByText("Locked.", { exact: true }).waitFor();
  }

  // Connectors

  async goTo(way: Way): Promise<void> {
    await this.page.getByRole("navigation", { name: "Vault" }).getByRole("button", { name: way }).click();
    await this.heading(HEADINGS[way] ?? way).waitFor();
  }

  /** Opens a connector from the list. */
  async show(name: string): Promise<void> {
    await this.goTo("Connectors");
    await this.option(name).click();
    await this.heading(name).waitFor();
  }

  async createConnector(id: string, name: string, type: string, ...properties: Property[]): Promise<void> {
    await this.page
      .getByRole("button", { name: /^(New|Create the first) connector$/ })
      .first()
      .click();
    await this.field("Name").fill(name);
    await this.field("Type").fill(type);
    await this.field("Id").fill(id);
    for (const [index, [property, value]] of properties.entries()) {
      if (index > 0) await this.button("Add a property").click();
      await this.field(`Name of property ${index + 1}`).fill(property);
      await this.field(`Value of ${property}`).fill(value);
    }
    await this.button("Create connector").click();
    await this.told(`${id} is at version 1.`);
  }

  async reveal(property: string): Promise<string> {
    await this.button(`Reveal ${property}`).click();
    return await this.page.getByRole("group", { name: `Value of ${property}` }).innerText();
  }

  // The update designer

  /** The picker of the update designer. */
  get picker(): Locator {
    return this.page.getByRole("combobox", { name: "Connector" });
  }

  /** Chooses a connector by a part of its name. */
  async pick(part: string, name: string): Promise<void> {
    await this.picker.fill(part);
    await this.page.getByRole("option", { name }).click();
  }

  /** Fills a row of the grid. */
  async setRow(row: number, name: string, value: string): Promise<void> {
    await this.page
      .getByRole("textbox", { name: new RegExp(`^(Name ${row}|Add a property)$`) })
      .last()
      .fill(name);
    await this.page.getByRole("textbox", { name: `Value ${row}, ${name}`, exact: true }).fill(value);
  }

  /** Dynamic Properties, once the comfortable editor is there. */
  get json(): Locator {
    return this.page.locator(".cm-content");
  }

  /** The value of a token for this run. */
  async giveToken(token: string, value: string): Promise<void> {
    await this.field(token).fill(value);
  }

  /** Waits until the plan of what was written last says so. */
  async planned(text: string | RegExp): Promise<void> {
    await this.plan.getByText(text).first().waitFor();
  }

  /** The plan, once it is that of what was written last. */
  get plan(): Locator {
    const plan = this.page.getByRole("group", { name: "What would change", exact: true });
    return plan.and(this.page.locator("[aria-busy=false]"));
  }

  async run(outcome: string): Promise<void> {
    await this.button("Run the update").click();
    await this.told(outcome);
  }

  // Everywhere

  /** A button by the whole of its name. */
  button(name: string): Locator {
    return this.page.getByRole("button", { name, exact: true });
  }

  field(name: string): Locator {
    return this.page.getByRole("textbox", { name, exact: true });
  }

  heading(name: string): Locator {
    return this.page.getByRole("heading", { name, exact: true });
  }

  /** A connector in the list. */
  option(name: string): Locator {
    return this.page.getByRole("option", { name: new RegExp(`^${name} `) });
  }

  /** Waits until the page says so. */
  async told(text: string | RegExp): Promise<void> {
    await this.page.getByRole("status").getByText(text).first().waitFor();
  }

  /** What it says is wrong. */
  async alert(): Promise<string> {
    return await this.page.getByRole("alert").first().innerText();
  }
}

/** A file for an input of a page. */
export function fileOf(name: string, bytes: Uint8Array) {
  return { name, mimeType: "application/octet-stream", buffer: Buffer.from(bytes) };
}

/** Takes what a browser can do away, before the page's scripts run: it writes no files in place. */
export async function withoutFileAccess(page: Page): Promise<void> {
  await page.addInitScript(() => {
    for (const name of ["showOpenFilePicker", "showSaveFilePicker"]) Reflect.deleteProperty(globalThis, name);
  });
}
