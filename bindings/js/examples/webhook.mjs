/**
 * Runs the platform's actions from a webhook: `POST /actions` with the action's JSON as the body. The
 * header `Idempotency-Key` makes a delivery that comes twice one update; `?plan` shows what would change
 * and writes nothing. Answers hold names and versions, never a value.
 *
 *     CVAULT_PASSPHRASE=... WEBHOOK_SECRET=... node webhook.mjs team.cvault 8080
 */

import { createHash, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

import { FileStorage, Vault, VaultError } from "connector-vault/node";

const [path, port = "0"] = process.argv.slice(2);
const { CVAULT_PASSPHRASE, WEBHOOK_SECRET } = process.env;
if (!path || !CVAULT_PASSPHRASE || !WEBHOOK_SECRET) {
  console.error("usage: CVAULT_PASSPHRASE=... WEBHOOK_SECRET=... webhook.mjs VAULT [PORT]");
  process.exit(2);
}

const BODY_LEN_MAX = 1024 * 1024;
/** What a caller can do something about; all else is ours. */
const STATUS = {
  connector_not_found: 404,
  conflict: 409,
  request_id_reused: 409,
  not_permitted: 403,
  lock_timeout: 503,
  io: 503,
  internal: 500,
};

const vault = await Vault.open(new FileStorage(path), { passphrase: CVAULT_PASSPHRASE });

const server = createServer(async (request, response) => {
  const [status, body] = await answer(request).catch((error) => {
    if (!(error instanceof VaultError)) return [500, { error: { code: "internal" } }];
    const { code, message, hint } = error;
    return [STATUS[code] ?? 422, { error: { code, message, hint } }];
  });
  response.writeHead(status, { "content-type": "application/json" }).end(`${JSON.stringify(body)}\n`);
});

async function answer(request) {
  const url = new URL(request.url, "http://localhost");
  if (request.method !== "POST" || url.pathname !== "/actions")
    return [404, { error: { code: "not_found" } }];
  if (!isTrusted(request.headers.authorization)) return [401, { error: { code: "unauthorized" } }];
  // As text: so a name that stands twice is found, and large numbers keep their digits.
  const action = await bodyOf(request);
  if (action === undefined) return [413, { error: { code: "action_too_large" } }];
  if (url.searchParams.has("plan")) {
    const plan = await vault.plan(action);
    const { outcome } = plan;
    plan.dispose();
    return [200, outcome];
  }
  const requestId = request.headers["idempotency-key"];
  return [200, await vault.run(action, requestId === undefined ? {} : { requestId })];
}

/** Compares digests, which have one length, in constant time. */
function isTrusted(authorization = "") {
  const digest = (text) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(authorization), digest(`Bearer ${WEBHOOK_SECRET}`));
}

async function bodyOf(request) {
  const parts = [];
  let length = 0;
  for await (const part of request) {
    length += part.length;
    if (length > BODY_LEN_MAX) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

server.listen(Number(port), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}/actions`);
});
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    server.close();
    server.closeAllConnections();
    vault.lock();
  });
}
