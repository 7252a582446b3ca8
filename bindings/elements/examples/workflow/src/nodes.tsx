/** How the nodes of a workflow look in the graph. */

import { Handle, Position, type NodeProps } from "@xyflow/react";

import type { ReactNode } from "react";

import type { CallNode, TriggerNode, UpdateNode } from "./workflow.js";

function Card({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="card">
      <strong>{title}</strong>
      <span>{children}</span>
    </div>
  );
}

function Trigger({ data }: NodeProps<TriggerNode>) {
  return (
    <>
      <Card title="Trigger">{data.on === "webhook" ? "When a webhook comes" : "Every night"}</Card>
      <Handle type="source" position={Position.Bottom} />
    </>
  );
}

function Update({ data }: NodeProps<UpdateNode>) {
  return (
    <>
      <Handle type="target" position={Position.Top} />
      <Card title="Update connector">{entryOf(data.action)}</Card>
      <Handle type="source" position={Position.Bottom} />
    </>
  );
}

function Call({ data }: NodeProps<CallNode>) {
  return (
    <>
      <Handle type="target" position={Position.Top} />
      <Card title="Call API">GET {data.path}</Card>
      <Handle type="source" position={Position.Bottom} />
    </>
  );
}

/** The connector that an action names, which is half written at times. */
function entryOf(action: string): string {
  try {
    return String(JSON.parse(action).Parameters.EntryId) || "no connector yet";
  } catch {
    return "no connector yet";
  }
}

export const nodeTypes = { trigger: Trigger, update: Update, call: Call };
