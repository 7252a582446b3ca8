/** A page with one `<connector-picker>`; `globalThis.measurePicker` is how picker.mjs calls it. */

import { MemoryStorage, Vault } from "connector-vault";

import "../../../bindings/elements/src/index.ts";
import { connectors } from "./dataset.mjs";
import { prove, watch } from "./watch.mjs";

const CHEAP = { memoryKib: 19_456, passes: 1, lanes: 1 };

const picker = document.createElement("connector-picker");
document.querySelector("main").append(picker);

/** What people do with a picker, and how long each step blocks the page. */
globalThis.measurePicker = async (count) => {
  await prove();
  const vault = await Vault.create(new MemoryStorage(), { passphrase: "correct horse", cost: CHEAP });
  await vault.import({ connectors: connectors(count) });
  const steps = {
    "load all connectors": async () => {
      picker.vault = vault;
      await frames(10);
    },
    "type a name": () => type("team 42 twit"),
    "type an expression, and leave": async () => {
      picker.expressions = true;
      await type("[Flow:Team]");
      inputOf(picker).blur();
      await frames(2);
    },
    "scroll to the end": async () => {
      Object.assign(picker, { expressions: false, value: "" });
      await type("");
      const listbox = picker.renderRoot.querySelector("[role=listbox]");
      const step = listbox.scrollHeight / 60;
      for (let scrolled = 0; scrolled < 60; scrolled++) {
        listbox.scrollTop += step;
        await frames(1);
      }
    },
  };
  const rows = [];
  for (const [what, work] of Object.entries(steps)) rows.push({ what, ...(await watch(work)) });
  return rows;
};

/** One letter after the other. */
async function type(text) {
  const input = inputOf(picker);
  input.focus();
  for (let length = Math.min(1, text.length); length <= text.length; length++) {
    input.value = text.slice(0, length);
    input.dispatchEvent(new InputEvent("input", { bubbles: true, composed: true }));
    await frames(2);
  }
}

function inputOf({ renderRoot }) {
  return renderRoot.querySelector("input");
}

async function frames(count) {
  for (let frame = 0; frame < count; frame++) await new Promise((done) => requestAnimationFrame(done));
}
