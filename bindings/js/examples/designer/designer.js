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
/** Counts what was begun: only what comes of the newest is shown. */
let begun = 0;

unlock.addEventListener("submit", (event) => {
  event.preventDefault();
  const passphrase = unlock.elements.passphrase.value;
  unlock.reset();
  tell("opening ...");
  show(() => open(passphrase));
});
form.addEventListener("input", () => show(preview));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  show(run);
});
document.getElementById("lock").addEventListener("click", () => vault.lock());

/** Opens the vault of this browser, and shows the form. */
async function open(passphrase) {
  vault = await openOrCreate(passphrase);
  vault.addEventListener("change", ({ origin }) => {
    listConnectors();
    if (origin === "other") tell("changed in another tab");
  });
  vault.addEventListener("lock", () => {
    begun++;
    form.reset();
    form.elements.id.replaceChildren();
    form.hidden = true;
    unlock.hidden = false;
    tell("locked");
  });
  unlock.hidden = true;
  form.hidden = false;
  listConnectors();
  return preview();
}

/** The first vault has the connector of the documentation. */
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
  const plan = await vault.plan(action(), { tokens });
  const { changes, warnings } = plan.outcome;
  plan.dispose();
  const lines = [
    ...changes.map(({ name, change }) => `${name}: ${change}`),
    ...warnings.map(({ message }) => `note: ${message}`),
  ];
  return { lines };
}

async function run() {
  const outcome = await vault.run(action(), { tokens });
  form.elements.token.value = "";
  return { text: `${outcome.status}: ${outcome.id} is at version ${outcome.versionAfter}` };
}

/** Shows what comes of `work`, unless something else was begun meanwhile. */
async function show(work) {
  const mine = ++begun;
  const { text, lines } = await work().catch((error) => ({ text: describe(error) }));
  if (mine === begun) tell(text, lines);
}

function tell(text = "", lines = []) {
  status.textContent = text;
  list.replaceChildren(
    ...lines.map((line) => Object.assign(document.createElement("li"), { textContent: line })),
  );
}

function describe(error) {
  if (!(error instanceof VaultError)) return String(error);
  return error.hint ? `${error.message}; ${error.hint}` : error.message;
}
