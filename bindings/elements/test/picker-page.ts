/** What the page of picker.test.ts shows and does; `globalThis.page` is how the test calls it. */

import { MemoryStorage, Vault, type Overview } from "connector-vault";

import { setTexts, type ConnectorPicker, type Texts } from "../src/index.js";

/** What a test sets. */
type Properties = Partial<
  Pick<ConnectorPicker, "name" | "label" | "value" | "required" | "disabled" | "expressions" | "tokens">
>;

const PASSPHRASE = "correct horse battery staple";
const CHEAP = { memoryKib: 19_456, passes: 1, lanes: 1 };

const CONNECTORS = [
  ["twitterConnectorId", "Twitter API", "Twitter"],
  ["slack-ops", "Slack operations", "Slack"],
  ["slack-sales", "Slack sales", "Slack"],
  ["stripe.live", "Payments", "Stripe"],
  ["stripe.test", "Payments (test)", "Stripe"],
  ["db-main", "Orders database", "PostgreSQL"],
  ["smtp", "Newsletter", "SMTP"],
  ["0198c6f2-7d3a-7cc1-9b1e-2f40a7c1d5e8", "Zürich warehouse", "HTTP"],
].map(([id = "", name = "", type = ""]) => ({ id, name, type, properties: { APIKey: `secret of ${id}` } }));

const form = document.createElement("form");
const picker = document.createElement("connector-picker");
form.append(picker);
document.querySelector("main")?.append(form);

/** What happened at the host, in order: `input slack-ops`. */
const events: string[] = [];
for (const type of ["input", "change"]) {
  form.addEventListener(type, (event) => {
    if (event.target === picker) events.push(`${type} ${picker.value}`);
  });
}
form.addEventListener("submit", (event) => {
  event.preventDefault();
  events.push(`submit ${String(new FormData(form).get(picker.name))}`);
});

let storage = new MemoryStorage();

const page = {
  /** Gives the picker a new vault with some connectors, or with many. */
  async show(properties: Properties = {}, count?: number): Promise<void> {
    storage = new MemoryStorage();
    const vault = await Vault.create(storage, { passphrase: PASSPHRASE, cost: CHEAP });
    await vault.import({ connectors: count === undefined ? CONNECTORS : many(count) });
    Object.assign(picker, { vault, ...properties });
    await picker.updateComplete;
  },

  /** Takes the vault away. */
  hide(): void {
    picker.vault = undefined;
  },

  /** Gives the picker the same vault as somebody who may not read values. */
  async showToViewer(): Promise<string> {
    const passphrase = "may look at names alone";
    await vaultOf(picker).grant("viewer", "viewer", { passphrase, cost: CHEAP });
    picker.vault = await Vault.open(storage, { passphrase });
    const refused = await picker.vault.read("smtp").catch((error: { readonly code?: string }) => error);
    return `${picker.vault.role}: ${"code" in refused ? refused.code : "may read"}`;
  },

  set(properties: Properties): void {
    Object.assign(picker, properties);
  },

  get: (): { readonly value: string; readonly connector: Overview | undefined } => {
    return { value: picker.value, connector: picker.connector };
  },

  validity(): { readonly is: string[]; readonly message: string; readonly sent: unknown } {
    const is: string[] = [];
    for (const flag in picker.validity) if (picker.validity[flag as keyof ValidityState]) is.push(flag);
    return { is, message: picker.validationMessage, sent: new FormData(form).get(picker.name) };
  },

  submit: (): void => form.requestSubmit(),
  reset: (): void => form.reset(),
  setAttribute: (name: string, value: string): void => picker.setAttribute(name, value),

  /** Puts the form's fields into a `<fieldset>`, and disables that. */
  disableFieldset(): void {
    const fieldset = document.createElement("fieldset");
    fieldset.disabled = true;
    form.append(fieldset);
    fieldset.append(picker);
  },

  /** Names the field by a label outside it. */
  labelOutside(text: string): void {
    picker.id = "outside";
    const label = document.createElement("label");
    label.htmlFor = picker.id;
    label.textContent = text;
    form.prepend(label);
    picker.requestUpdate();
  },

  /** Puts the picker at the end of a box that scrolls and cuts off. */
  scrollWithin(className: string): void {
    const box = document.createElement("div");
    box.className = className;
    form.replaceWith(box);
    box.append(form);
  },

  /** The events since the last call. */
  events: (): string[] => events.splice(0),

  /** What another page does to the vault. */
  async change(id: string, name: string): Promise<void> {
    const other = await Vault.open(storage, { passphrase: PASSPHRASE });
    await other.createConnector({ id, name, type: "Other" });
    other.lock();
    await vaultOf(picker).refresh();
  },

  async delete(id: string): Promise<void> {
    const other = await Vault.open(storage, { passphrase: PASSPHRASE });
    await other.deleteConnector(id);
    other.lock();
    await vaultOf(picker).refresh();
  },

  lock: (): void => vaultOf(picker).lock(),
  setTexts: (texts: { readonly [Part in keyof Texts]?: Partial<Texts[Part]> }): void => setTexts(texts),

  /** Types as fast as a program, and leaves the field, while a vault's connectors are being loaded. */
  async typeWhileLoading(text: string): Promise<void> {
    const { vault } = picker;
    picker.vault = undefined;
    await picker.updateComplete;
    picker.vault = vault;
    await picker.updateComplete;
    const input = inputOf(picker);
    input.focus();
    input.value = text;
    input.dispatchEvent(new InputEvent("input", { bubbles: true, composed: true }));
    input.blur();
  },
};

function many(count: number): typeof CONNECTORS {
  return Array.from({ length: count }, (_, index) => ({
    id: `connector-${index}`,
    name: `Team ${`${index}`.padStart(4, "0")} in ${["Oslo", "Lima", "Kyoto"][index % 3]}`,
    type: ["Slack", "Stripe", "HTTP", "SMTP"][index % 4] ?? "",
    properties: { APIKey: "" },
  }));
}

function vaultOf({ vault }: ConnectorPicker): Vault {
  if (vault === undefined) throw new Error("there is no vault");
  return vault;
}

function inputOf({ renderRoot }: ConnectorPicker): HTMLInputElement {
  const input = renderRoot.querySelector("input");
  if (input === null) throw new Error("there is no input");
  return input;
}

export type PickerPage = typeof page;

(globalThis as unknown as { page: PickerPage }).page = page;
