/** Runs a workflow: its nodes in order, tokens answered by what triggered it and by the vault. */

import type { Outcome, Ran, TokenFunction, Vault } from "connector-vault";
import type { TokenSuggestion } from "connector-vault-elements/update-connector-editor.js";

import type { WorkflowNode } from "./workflow.js";

/** What a trigger brings. */
export interface Delivery {
  readonly id: string;
  readonly body: Readonly<Record<string, string>>;
}

/** What the run log says of a node. */
export interface LogEntry {
  readonly node: string;
  readonly isDone: boolean;
  readonly text: string;
}

/** The tokens that the editor offers. */
export const TOKENS: readonly TokenSuggestion[] = [
  { name: "Trigger:Body.key", description: "the key that the provider sends" },
  { name: "Trigger:Body.timeout", description: "sent only now and then" },
  { name: "Secrets:NewKey", description: "of the connector Secrets of workflows" },
];

/** A provider's message, as a webhook would bring it. */
export function deliver(): Delivery {
  return { id: crypto.randomUUID(), body: { key: `key_${crypto.randomUUID()}` } };
}

/** Answers `[Trigger:Body.name]` and `[Secrets:Name]`; for anything else its default applies. */
export function tokensOf(vault: Vault, delivery: Delivery): TokenFunction {
  return async ({ namespace, name }) => {
    if (namespace === "Trigger") return delivery.body[name.replace("Body.", "")];
    if (namespace === "Secrets") return (await vault.read("secrets")).properties[name];
    return undefined;
  };
}

/** Runs the nodes and tells of each; the first that fails ends the run. */
export async function run(
  vault: Vault,
  nodes: readonly WorkflowNode[],
  delivery: Delivery,
  tell: (entry: LogEntry) => void,
): Promise<void> {
  for (const node of nodes) {
    try {
      tell({ node: node.id, isDone: true, text: await runNode(vault, node, delivery) });
    } catch (error) {
      return tell({
        node: node.id,
        isDone: false,
        text: error instanceof Error ? error.message : String(error),
      });
    }
  }
}

async function runNode(vault: Vault, node: WorkflowNode, delivery: Delivery): Promise<string> {
  if (node.type === "trigger") return `${node.data.on} ${delivery.id}`;
  if (node.type === "update") {
    // A webhook that comes twice changes nothing the second time.
    const requestId = `${delivery.id}/${node.id}`;
    const { action } = node.data;
    return told(await vault.run(action, { tokens: tokensOf(vault, delivery), requestId }));
  }
  // The values are for the request alone: the log names what was used.
  const { name, version, properties } = await vault.read(node.data.connectorId);
  return `GET ${properties["Endpoint"]}${node.data.path}, signed by ${name} at version ${version}`;
}

/** What became of the one connector of an update. The text of an action could be another one's. */
export function updateOf(ran: Ran): Outcome | undefined {
  return "changes" in ran ? ran : undefined;
}

function told(ran: Ran): string {
  const update = updateOf(ran);
  if (update === undefined) return "carried out";
  const { id, status, versionAfter, changes } = update;
  const names = changes.map(({ name, change }) => `${name} ${change}`).join(", ");
  return `${id} ${status}, version ${versionAfter}: ${names}`;
}
