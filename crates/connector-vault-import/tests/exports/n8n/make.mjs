// Lets the real n8n encrypt twenty credentials, and export them encrypted and decrypted.
//
//   n8n 2.8.4, installed by `npm install` with "overrides": {"xlsx": "0.18.5"}, since its own xlsx is in no registry
//   node make.mjs DIR
//
// It also writes `gcm.json`: the same by AES-256-GCM, as n8n newer versions do it. That n8n keeps the data's key in its
// database, so the file is made here, after n8n-core 2.41.1, by Node's cryptography.
// The key is `source kéy`. All secrets are made up.
import { spawnSync } from "node:child_process";
import { createCipheriv, createHash, createHmac, hkdfSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const KEY = "source kéy";
const here = import.meta.dirname ?? new URL(".", import.meta.url).pathname;
const types = ["githubApi", "slackApi", "postgres", "httpBasicAuth", "httpHeaderAuth"];

const credentials = [];
for (let number = 1; number <= 20; number += 1) {
  const type = types[number % types.length];
  credentials.push({
    id: `cred${String(number).padStart(12, "0")}`,
    name: `Credential ${number}`,
    type,
    data:
      number === 20
        ? {
            clientId: "client-20",
            oauthTokenData: { access_token: "access-ü-20", expires_in: 3599, scope: "a b", nested: { list: [1, 2.5, null, true] } },
          }
        : { user: `user ${number}`, password: `pass-${number}`, port: 5000 + number, ssl: number % 2 === 0, empty: "" },
  });
}
credentials[19].type = "googleSheetsOAuth2Api";
credentials[18].data = { privateKey: "-----BEGIN KEY-----\nMIIB\n-----END KEY-----\n", unset: null };

const folder = mkdtempSync(join(tmpdir(), "n8n-"));
const env = { ...process.env, N8N_USER_FOLDER: folder, N8N_ENCRYPTION_KEY: KEY, N8N_DIAGNOSTICS_ENABLED: "false" };
const n8n = (...args) => {
  const program = join(process.argv[2], "node_modules/n8n/bin/n8n");
  const { status } = spawnSync(process.execPath, [program, ...args], { env, stdio: "inherit" });
  if (status !== 0) throw new Error(`n8n ${args[0]}: ${status}`);
};
try {
  writeFileSync(join(folder, "in.json"), JSON.stringify(credentials));
  n8n("import:credentials", `--input=${join(folder, "in.json")}`);
  n8n("export:credentials", "--all", "--pretty", "--decrypted", `--output=${join(here, "decrypted.json")}`);
  n8n("export:credentials", "--all", `--output=${join(here, "encrypted.json")}`);
} finally {
  rmSync(folder, { recursive: true });
}

const dataKey = createHash("sha256").update("a data key").digest("hex");
const exported = JSON.parse(readFileSync(join(here, "decrypted.json"), "utf8")).slice(0, 2);
for (const credential of exported) {
  const salt = createHmac("sha256", "salt").update(credential.id).digest();
  const derived = Buffer.from(hkdfSync("sha256", Buffer.from(dataKey, "hex"), salt, "n8n-encryption-v1", 44));
  const cipher = createCipheriv("aes-256-gcm", derived.subarray(0, 32), derived.subarray(32));
  const sealed = Buffer.concat([cipher.update(JSON.stringify(credential.data)), cipher.final()]);
  const data = Buffer.concat([Buffer.from([1]), salt, cipher.getAuthTag(), sealed]);
  credential.data = `key_1:${data.toString("base64")}`;
}
writeFileSync(join(here, "gcm.json"), JSON.stringify(exported));
