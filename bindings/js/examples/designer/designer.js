/**
 * A designer's view of a vault in the browser: pick a connector, see at each keystroke what the update
 * would change (names, never values), run it. Another tab's changes are shown at once.
 */

import { IndexedDbStorage, Vault, VaultError } from "connector-vault";

const [unlock, form, list, status] = ["unlock", "action", "plan", "status"].map((id) =>
  document.getElementById(id),
);
const storage = new IndexedDbStorage("designer");
let vault;
/** Only the newest plan is shown. */
let planning = 0;

unlock.addEventListener("submit", (event) => {
  event.preventDefault();
  const { passphrase } = unlock.elements;
  tell("opening ...");
  const opened = openOrCreate(passphrase.value);
  passphrase.value = "";
  opened.then(show).catch(fail);
});

form.addEventListener("input", () => preview().catch(fail));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  run().catch(fail);
});
document.getElementById("lock").addEventListener("click", () => vault.lock());

/** The vault of this browser; a first one with the documentation's connector. */
async function openOrCreate(passphrase) {
  try {
    return await Vault.open(storage, { passphrase });
  } catch (error) {
    if (!(error instanceof VaultError) || error.code !== "file_not_found") throw error;
  }
  const created = await Vault.create(storage, { label: "me", passphrase });
  await created.createConnector({
    id: "twitterConnectorId",
    name: "Twitter API",
    type: "Twitter",
    properties: { APIKey: "old_key", Endpoint: "https://api.example" },
  });
  return created;
}

function show(opened) {
  vault = opened;
  vault.addEventListener("change", ({ origin }) => {
    listConnectors();
    if (origin === "other") tell("changed in another tab");
  });
  vault.addEventListener("lock", () => {
    form.reset();
    form.hidden = true;
    form.elements.id.replaceChildren();
    unlock.hidden = false;
    list.replaceChildren();
    tell("locked");
  });
  unlock.hidden = true;
  form.hidden = false;
  listConnectors();
  tell(`open as ${vault.label}`);
  preview().catch(fail);
}

function listConnectors() {
  const { id } = form.elements;
  const chosen = id.value;
  const options = vault.connectors().map((connector) => {
    const text = `${connector.name} (${connector.id}), version ${connector.version}`;
    return new Option(text, connector.id, false, connector.id === chosen);
  });
  id.replaceChildren(...options);
}

function action() {
  const { id, name, value } = form.elements;
  return {
    ActionType: "Connectors.Update",
    Parameters: {
      EntryId: id.value,
      Properties: [{ PropertyName: name.value, PropertyValue: value.value }],
    },
  };
}

function tokens({ key }) {
  return key === "Secrets:NewKey" ? form.elements.token.value || undefined : undefined;
}

async function preview() {
  const mine = ++planning;
  const plan = await vault.plan(action(), { tokens });
  const { changes, warnings } = plan.outcome;
  plan.dispose();
  if (mine !== planning) return;
  const lines = [
    ...changes.map(({ name, change }) => `${name}: ${change}`),
    ...warnings.map(({ message }) => `note: ${message}`),
  ];
  list.replaceChildren(...lines.map(item));
  tell("");
}

async function run() {
  const outcome = await vault.run(action(), { tokens });
  form.elements.token.value = "";
  list.replaceChildren();
  tell(`${outcome.status}: ${outcome.id} is at version ${outcome.versionAfter}`);
}

function item(text) {
  const element = document.createElement("li");
  element.textContent = text;
  return element;
}

function tell(text) {
  status.textContent = text;
}

function fail(error) {
  list.replaceChildren();
  tell(
    error instanceof VaultError ? `${error.message}${error.hint ? `; ${error.hint}` : ""}` : String(error),
  );
}
