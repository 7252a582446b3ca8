/** Starts the example: a passphrase first, then the designer until the vault is locked. */

import "@xyflow/react/dist/style.css";
import type { Vault } from "connector-vault";
import "connector-vault-elements/connector-picker.js";
import "connector-vault-elements/update-connector-editor.js";
import "connector-vault-elements/update-plan.js";
import { useEffect, useState, type FormEvent } from "react";
import { createRoot } from "react-dom/client";

import { Designer } from "./designer.js";
import "./page.css";
import { demo, open } from "./vault.js";

function App() {
  const [vault, setVault] = useState<Vault>();
  useEffect(() => {
    const locked = () => setVault(undefined);
    vault?.addEventListener("lock", locked);
    return () => vault?.removeEventListener("lock", locked);
  }, [vault]);
  return vault === undefined ? <Unlock onOpen={setVault} /> : <Designer vault={vault} />;
}

function Unlock({ onOpen }: { onOpen: (vault: Vault) => void }) {
  const [status, setStatus] = useState("");
  const unlock = (opening: Promise<Vault>) => {
    setStatus("opening ...");
    opening.then(onOpen, (error: Error) => setStatus(error.message));
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const passphrase = new FormData(form).get("passphrase");
    form.reset();
    unlock(open(String(passphrase)));
  };
  return (
    <form className="unlock" onSubmit={submit}>
      <h1>Workflow designer</h1>
      <p>Workflows name connectors and tokens; what these stand for is in a vault of this browser.</p>
      <label>
        Passphrase
        <input type="password" name="passphrase" autoComplete="off" required />
      </label>
      <button className="primary">Open or create</button>
      <button type="button" onClick={() => unlock(demo())}>
        Try it without
      </button>
      <p role="status">{status}</p>
    </form>
  );
}

const root = document.getElementById("root");
if (root !== null) createRoot(root).render(<App />);
