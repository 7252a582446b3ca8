/** The page of editor.test.ts: one `<update-connector-editor>` in a form, over a vault. */

import { MemoryStorage, Vault, tokensOf, type Outcome, type Ran } from "connector-vault";

import "../src/update-connector-editor.js";

const cost = { memoryKib: 19_456, passes: 1, lanes: 1 };
const vault = await Vault.create(new MemoryStorage(), { label: "ada", passphrase: "correct horse", cost });
await vault.createConnector({
  id: "twitterConnectorId",
  name: "Twitter API",
  type: "Twitter",
  properties: { APIKey: "old_key", Endpoint: "https://api.example" },
});
await vault.createConnector({ id: "mail", name: "Mail", type: "SMTP", properties: { Password: "p" } });

const form = document.createElement("form");
const editor = document.createElement("update-connector-editor");
editor.name = "action";
editor.vault = vault;
editor.tokens = [
  { name: "Secrets:TwitterKey", description: "Key of the Twitter app" },
  { name: "Secrets:TwitterSecret" },
  { name: "Flow:Environment", description: "prod or test" },
];
form.append(editor);
document.querySelector("main")?.append(form);

const events: string[] = [];
for (const type of ["input", "change"]) form.addEventListener(type, () => events.push(type));

const tokens = {
  "Secrets:TwitterKey": "new_key",
  "Secrets:TwitterSecret": "new",
  "Flow:Environment": "prod",
};

/** The one change of an action. */
function changeOf(ran: Ran): Outcome {
  if ("changes" in ran) return ran;
  throw new Error("not one change");
}

const page = {
  editor,
  form,
  vault,
  /** The events of the editor since the last call. */
  events: (): string[] => events.splice(0),
  /** What the form would send. */
  sent: (): string | undefined => new FormData(form).get("action")?.toString(),
  /** The tokens that the core finds in the value. */
  tokensOf: (): string[] => tokensOf(editor.value).map(({ name }) => name),
  /** Runs the value. */
  run: async (): Promise<Outcome> => changeOf(await vault.run(editor.value, { tokens })),
  /** The properties as they are now. */
  read: async (id: string): Promise<Record<string, string>> => (await vault.read(id)).properties,
  /** Shows the dry run at its place. */
  async plan(): Promise<void> {
    const plan = await vault.plan(editor.value, { tokens });
    editor.plan = changeOf(plan.outcome);
    plan.dispose();
    await editor.updateComplete;
  },
  async show(value: string | object): Promise<void> {
    editor.value = value;
    await editor.updateComplete;
    await editor.loaded();
  },
  /** Pastes into the field that has the focus. */
  paste(text: string): void {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    const target = editor.shadowRoot?.activeElement;
    target?.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  },
};

export type EditorPage = typeof page;
Object.assign(globalThis, { page });
