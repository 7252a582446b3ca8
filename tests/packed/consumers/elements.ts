/** A strict page with the components, as a bundler takes it. */

import { IndexedDbStorage, Vault } from "connector-vault";
import { setTexts, type ConnectorPicker } from "connector-vault-elements";
import "connector-vault-elements/update-connector-editor.js";
import "connector-vault-elements/update-plan.js";
import "connector-vault-elements/connector-history.js";

setTexts({ picker: { label: "Konnektor" } });
const vault = await Vault.open(new IndexedDbStorage("team"), { passphrase: "correct horse battery staple" });
const editor = document.createElement("update-connector-editor");
const plan = document.createElement("update-plan");
const history = document.createElement("connector-history");
editor.vault = plan.vault = history.vault = vault;
editor.tokens = [{ name: "Secrets:TwitterKey", description: "from the platform" }];
editor.addEventListener("input", () => {
  plan.action = editor.value;
});
history.connectorId = "twitterConnectorId";
if (plan.current) await vault.commit(plan.current);
export const picker: ConnectorPicker = document.createElement("connector-picker");
export const id: string = picker.value;
