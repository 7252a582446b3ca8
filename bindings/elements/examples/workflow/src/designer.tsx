/** The designer: the graph, the panel of the selected node, and the run log. */

import { Background, Controls, ReactFlow, addEdge, useEdgesState, useNodesState } from "@xyflow/react";
import type { Vault } from "connector-vault";
import { useState } from "react";

import { nodeTypes } from "./nodes.js";
import { Panel } from "./panel.js";
import { deliver, run, type LogEntry } from "./run.js";
import * as sample from "./workflow.js";
import type { WorkflowNode } from "./workflow.js";

export function Designer({ vault }: { vault: Vault }) {
  const [nodes, setNodes, onNodesChange] = useNodesState<WorkflowNode>(sample.nodes);
  const [edges, setEdges, onEdgesChange] = useEdgesState(sample.edges);
  const [delivery, setDelivery] = useState(deliver);
  const [log, setLog] = useState<readonly LogEntry[]>([]);
  const [isRunning, setRunning] = useState(false);
  const selected = nodes.find((node) => node.selected);

  const add = (node: WorkflowNode) =>
    setNodes((nodes) => [
      ...nodes.map((node) => ({ ...node, selected: false })),
      { ...node, selected: true },
    ]);

  const change = (id: string, data: WorkflowNode["data"]) =>
    setNodes((nodes) => nodes.map((node) => (node.id === id ? ({ ...node, data } as WorkflowNode) : node)));

  const start = async () => {
    setRunning(true);
    setLog([]);
    await run(vault, sample.inOrder(nodes, edges), delivery, (entry) => setLog((log) => [...log, entry]));
    setDelivery(deliver());
    setRunning(false);
  };

  const position = { x: 300, y: 60 + nodes.length * 40 };
  return (
    <>
      <header>
        <h1>Workflow designer</h1>
        <button
          onClick={() => add({ id: crypto.randomUUID(), type: "update", position, data: { action: "" } })}
        >
          Add update
        </button>
        <button
          onClick={() =>
            add({ id: crypto.randomUUID(), type: "call", position, data: { connectorId: "", path: "/" } })
          }
        >
          Add call
        </button>
        <button className="primary" disabled={isRunning} onClick={() => void start()}>
          Run workflow
        </button>
        <button onClick={() => vault.lock()}>Lock</button>
      </header>
      <main>
        <section className="graph" aria-label="Workflow">
          <ReactFlow
            nodes={nodes}
            edges={edges}
            nodeTypes={nodeTypes}
            onNodesChange={onNodesChange}
            onEdgesChange={onEdgesChange}
            onConnect={(connection) => setEdges((edges) => addEdge(connection, edges))}
            colorMode="system"
            fitView
            fitViewOptions={{ maxZoom: 1 }}
          >
            <Background />
            <Controls showInteractive={false} />
          </ReactFlow>
        </section>
        <aside aria-label="Selected node">
          {selected === undefined ? (
            <p>Select a node to see what it does.</p>
          ) : (
            <Panel
              key={selected.id}
              vault={vault}
              node={selected}
              delivery={delivery}
              onChange={(data) => change(selected.id, data)}
            />
          )}
          <details>
            <summary>The workflow as it is saved</summary>
            <pre>
              {JSON.stringify(
                { nodes: nodes.map(({ id, type, data }) => ({ id, type, data })), edges },
                null,
                2,
              )}
            </pre>
          </details>
        </aside>
        <section className="log" aria-label="Run log">
          <h2>Run log</h2>
          <div role="log">
            <ol>
              {log.map(({ node, isDone, text }) => (
                <li key={node} className={isDone ? "done" : "failed"}>
                  <strong>
                    {isDone ? "✓" : "✗"} {nodes.find(({ id }) => id === node)?.type}
                  </strong>{" "}
                  {text}
                </li>
              ))}
            </ol>
          </div>
        </section>
      </main>
    </>
  );
}
