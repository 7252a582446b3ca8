// Lets the real Node-RED write `flows.json` and `flows_cred.json`, and `open_flows_cred.json` without encryption.
//
//   npm install --prefix DIR node-red@4.1.15 --ignore-scripts
//   node make.mjs DIR
//
// Its key is `source key`. All secrets are made up.
import { spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PORT = 18880;
const program = join(process.argv[2], "node_modules/node-red/red.js");
const here = import.meta.dirname ?? new URL(".", import.meta.url).pathname;

const flows = [
  { id: "f6f2187d.f17ca8", type: "tab", label: "Orders", env: [{ name: "SHOP_KEY", type: "cred" }], credentials: { SHOP_KEY: "shop-key-1" } },
  { id: "b0f5aa11.000001", type: "mqtt-broker", name: "Plant broker", broker: "localhost", port: "1883", credentials: { user: "ann", password: "pass ü-1" } },
  { id: "b0f5aa11.000002", type: "http request", z: "f6f2187d.f17ca8", name: "", method: "GET", url: "", wires: [[]], credentials: { user: "bob", password: "pass-2" } },
  { id: "b0f5aa11.000003", type: "global-config", env: [{ name: "GLOBAL_KEY", type: "cred" }], credentials: { map: { GLOBAL_KEY: "global-key-1" } } },
];

async function run(secret, copies) {
  const folder = mkdtempSync(join(tmpdir(), "node-red-"));
  const settings = `module.exports = { flowFile: "flows.json", credentialSecret: ${JSON.stringify(secret)}, disableEditor: true, uiHost: "127.0.0.1", runtimeState: {enabled: false}, telemetry: {enabled: false}, externalModules: { palette: { allowInstall: false } } };`;
  writeFileSync(join(folder, "settings.js"), settings);
  const child = spawn(process.execPath, [program, "-u", folder, "-s", join(folder, "settings.js"), "-p", `${PORT}`], { stdio: "inherit" });
  try {
    const url = `http://127.0.0.1:${PORT}/flows`;
    const headers = { "Content-Type": "application/json", "Node-RED-Deployment-Type": "full" };
    let answer;
    for (let tries = 0; answer === undefined; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(flows) }).catch((error) => {
        if (tries > 200) throw error;
      });
    }
    if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
    for (const [from, to] of copies) copyFileSync(join(folder, from), join(here, to));
  } finally {
    child.kill();
    rmSync(folder, { recursive: true });
  }
}

await run("source key", [["flows.json", "flows.json"], ["flows_cred.json", "flows_cred.json"]]);
await run(false, [["flows_cred.json", "open_flows_cred.json"]]);
