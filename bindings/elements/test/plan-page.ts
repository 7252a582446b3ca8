/** The page of plan.test.ts: one `<update-plan>` over a vault that another `Vault` changes, too. */

import {
  MemoryStorage,
  Vault,
  type ActionInput,
  type ActionOptions,
  type Outcome,
  type Ran,
} from "connector-vault";

import type { HeldTime } from "../../js/test/browser/held-time.js";
import "../src/update-plan.js";

declare const heldTime: HeldTime;

const passphrase = "correct horse";
const cost = { memoryKib: 19_456, passes: 1, lanes: 1 };
const storage = new MemoryStorage();
const vault = await Vault.create(storage, { passphrase, cost });
const other = await Vault.open(storage, { passphrase });
await vault.createConnector({
  id: "twitter",
  name: "Twitter API",
  type: "Twitter",
  properties: {
    APIKey: "old-secret-key",
    Endpoint: "https://api.example",
    Region: "eu-old-secret",
    Timeout: "30s",
    Legacy: "legacy-secret",
  },
});

for (const role of ["viewer", "reader"] as const) await vault.grant(role, role, { passphrase: role, cost });

const element = document.createElement("update-plan");
element.vault = vault;
document.querySelector("main")?.append(element);

/** Names of the events that were fired, with the status or the code that came with them. */
const events: string[] = [];
element.addEventListener("plan", (event) => events.push(`plan ${changeOf(event.outcome).status}`));
element.addEventListener("plan-error", ({ error }) => {
  events.push(`plan-error ${(error as { code?: string }).code}`);
});

/** The one change of an action. */
function changeOf(ran: Ran): Outcome {
  if ("changes" in ran) return ran;
  throw new Error("not one change");
}

/** An update of the connector. */
function update(grid: Readonly<Record<string, string | null>>, json = ""): ActionInput {
  const Properties = Object.entries(grid).map(([PropertyName, PropertyValue]) => ({
    PropertyName,
    PropertyValue,
  }));
  return {
    ActionType: "Connectors.Update",
    Parameters: { EntryId: "twitter", Properties, PropertiesJson: json },
  };
}

const page = {
  events,

  async plan(
    grid: Readonly<Record<string, string | null>>,
    json?: string,
    tokens?: Readonly<Record<string, string>>,
    options?: ActionOptions,
  ): Promise<void> {
    element.action = update(grid, json);
    element.tokenValues = tokens;
    element.options = options;
    await element.updateComplete;
  },

  /**
   * Types a name letter by letter. After the third comes a pause, so that its plan is begun; its token has a
   * value only when all is written and planned. How many plans were begun. The test holds the pauses.
   */
  async type(name: string): Promise<number> {
    let begun = 0;
    let release = (): void => undefined;
    const late = new Promise<void>((done) => (release = done));
    element.tokenValues = async () => {
      if (++begun === 1) await late;
      return "token-secret";
    };
    for (let length = 1; length <= name.length; length++) {
      element.action = update({ [name.slice(0, length)]: "[Secrets:Key]" });
      await turn();
      if (length === 3) await heldTime.letPass(1000);
      while (length === 3 && begun === 0) await turn();
    }
    await heldTime.letPass(1000);
    await element.updateComplete;
    release();
    // The late one has all that it needs to be planned.
    await (await vault.plan(update({}))).dispose();
    await element.updateComplete;
    return begun;
  },

  /** Shows the action as text, or none. */
  async text(action: string | undefined): Promise<void> {
    element.action = action;
    await element.updateComplete;
  },

  async commit(): Promise<number> {
    if (element.current === undefined) throw new Error("there is no plan");
    return changeOf(await vault.commit(element.current)).versionAfter;
  },

  /** What somebody else changes. */
  async change(grid: Readonly<Record<string, string>>): Promise<void> {
    await other.run(update(grid));
  },

  async showPlan(of: "restore" | "delete" | "create" | "describe"): Promise<void> {
    element.action = undefined;
    element.plan =
      of === "restore"
        ? await vault.planRestore("twitter", 1)
        : of === "delete"
          ? await vault.planDelete("twitter")
          : of === "describe"
            ? await vault.planDescribe("twitter", { name: "Other" })
            : await vault.planCreate({ name: "New", type: "Type", properties: { A: "1", B: "2" } });
    await element.updateComplete;
  },

  /** Shows the same as somebody who may do less. */
  async become(role: "viewer" | "reader"): Promise<void> {
    element.vault = await Vault.open(storage, { passphrase: role });
    await element.updateComplete;
  },

  lock: (): void => vault.lock(),
  remove: (): void => element.remove(),
  knowsAction: (): boolean => element.action !== undefined || element.tokenValues !== undefined,
  hasPlan: (): boolean => element.current !== undefined,
  changes: () => (element.outcome === undefined ? undefined : changeOf(element.outcome).changes),
};

/** Lets the page do what is next. */
function turn(): Promise<void> {
  return new Promise((done) => setTimeout(done));
}

export type PlanPage = typeof page;

(globalThis as unknown as { page: PlanPage }).page = page;
