/** A workflow as a graph. All that is saved of it is here: actions name connectors and tokens, never a secret. */

import type { Edge, Node } from "@xyflow/react";

export type TriggerNode = Node<{ on: "webhook" | "schedule" }, "trigger">;
/** `action` is the JSON of `Connectors.Update`, as the editor writes it. */
export type UpdateNode = Node<{ action: string }, "update">;
export type CallNode = Node<{ connectorId: string; path: string }, "call">;
export type WorkflowNode = TriggerNode | UpdateNode | CallNode;

const ROTATE = {
  ActionType: "Connectors.Update",
  Parameters: {
    EntryId: "twitterConnectorId",
    Properties: [
      { PropertyName: "APIKey", PropertyValue: "[Trigger:Body.key]" },
      { PropertyName: "APISecret", PropertyValue: "[Secrets:NewKey]" },
    ],
    PropertiesJson: '{\n  "Timeout": "[Trigger:Body.timeout=30s]"\n}',
  },
};

/** A provider tells the workflow a new key; the connector gets it, and the next call uses it. */
export const nodes: WorkflowNode[] = [
  { id: "trigger", type: "trigger", position: { x: 40, y: 30 }, data: { on: "webhook" } },
  {
    id: "update",
    type: "update",
    position: { x: 40, y: 170 },
    data: { action: JSON.stringify(ROTATE) },
    selected: true,
  },
  {
    id: "call",
    type: "call",
    position: { x: 40, y: 310 },
    data: { connectorId: "twitterConnectorId", path: "/2/tweets" },
  },
];

export const edges: Edge[] = [
  { id: "trigger-update", source: "trigger", target: "update" },
  { id: "update-call", source: "update", target: "call" },
];

/** The nodes that a run comes through, from the triggers along the edges, each once. */
export function inOrder(nodes: readonly WorkflowNode[], edges: readonly Edge[]): WorkflowNode[] {
  const reached = new Set(nodes.filter(({ type }) => type === "trigger"));
  for (const { id } of reached) {
    const targets = edges.filter(({ source }) => source === id).map(({ target }) => target);
    for (const node of nodes) if (targets.includes(node.id)) reached.add(node);
  }
  return [...reached];
}
