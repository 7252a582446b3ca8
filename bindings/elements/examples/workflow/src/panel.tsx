/** The side panel: what the selected node does. */

import type { Outcome, Vault } from "connector-vault";
import { useMemo, useState } from "react";

import { TOKENS, tokensOf, updateOf, type Delivery } from "./run.js";
import type { CallNode, TriggerNode, UpdateNode, WorkflowNode } from "./workflow.js";

interface PanelProps<Of extends WorkflowNode> {
  readonly vault: Vault;
  readonly node: Of;
  /** What the next run is triggered by, which the plan is made for. */
  readonly delivery: Delivery;
  readonly onChange: (data: Of["data"]) => void;
}

export function Panel(props: PanelProps<WorkflowNode>) {
  const { node, onChange } = props;
  if (node.type === "trigger") return <TriggerPanel node={node} onChange={onChange} />;
  if (node.type === "call") return <CallPanel {...props} node={node} onChange={onChange} />;
  return <UpdatePanel {...props} node={node} onChange={onChange} />;
}

function UpdatePanel({ vault, node, delivery, onChange }: PanelProps<UpdateNode>) {
  const [planned, setPlanned] = useState<{ outcome?: Outcome | undefined; error?: unknown }>({});
  // The same function until there is another delivery: a new one would be a new plan.
  const tokenValues = useMemo(() => tokensOf(vault, delivery), [vault, delivery]);
  const { action } = node.data;
  return (
    <>
      <h2>Update connector</h2>
      <update-connector-editor
        vault={vault}
        value={action}
        tokens={TOKENS}
        plan={planned.outcome}
        error={planned.error}
        onInput={({ currentTarget }) => onChange({ action: currentTarget.value })}
      />
      <h3>What the next run would change</h3>
      <update-plan
        vault={vault}
        action={action}
        tokenValues={tokenValues}
        onplan={({ outcome }) => setPlanned({ outcome: updateOf(outcome) })}
        onplan-error={({ error }) => setPlanned({ error })}
      />
    </>
  );
}

function CallPanel({ vault, node, onChange }: Omit<PanelProps<CallNode>, "delivery">) {
  const { data } = node;
  return (
    <>
      <h2>Call API</h2>
      <connector-picker
        vault={vault}
        label="Signed by"
        value={data.connectorId}
        onChange={({ currentTarget }) => onChange({ ...data, connectorId: currentTarget.value })}
      />
      <label>
        Path
        <input value={data.path} onChange={({ target }) => onChange({ ...data, path: target.value })} />
      </label>
    </>
  );
}

function TriggerPanel({ node, onChange }: Pick<PanelProps<TriggerNode>, "node" | "onChange">) {
  return (
    <>
      <h2>Trigger</h2>
      <label>
        Runs
        <select
          value={node.data.on}
          onChange={({ target }) => onChange({ on: target.value === "webhook" ? "webhook" : "schedule" })}
        >
          <option value="webhook">when a webhook comes</option>
          <option value="schedule">every night</option>
        </select>
      </label>
      <p>
        What it brings is there as <code>[Trigger:Body.key]</code>.
      </p>
    </>
  );
}
