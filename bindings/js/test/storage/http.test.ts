/** A vault at a URL, on servers that follow the rules and on servers that do not. */

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";

import type { VaultError } from "../../src/error.js";
import { HttpStorage, type HttpStorageOptions } from "../../src/storage/http.js";
import { failsWith } from "../node/sandbox.js";
import { ByteServer, type Misbehaviour } from "./byte-server.js";
import { checkEntries, contract, entry, Log, Replica } from "./contract.js";

const RULES: readonly [string, Misbehaviour][] = [
  ["http", {}],
  ["http without ETags of PUT", { etagOnPut: "none" }],
  ["http with weak ETags of PUT", { etagOnPut: "weak" }],
];

for (const [kind, permitted] of RULES) {
  for (const { name, run } of contract) {
    test(`${kind}: ${name}`, async (t) => {
      const server = await ByteServer.start(t, permitted);
      await run({ open: () => at(server) });
    });
    test(`${kind}, one storage: ${name}`, async (t) => {
      const storage = at(await ByteServer.start(t, permitted));
      await run({ open: () => storage });
    });
  }
}

const PATH = "/team/v.cvault";

function at(server: ByteServer, options: HttpStorageOptions = {}): HttpStorage {
  return new HttpStorage(server.origin + PATH, options);
}

/** A server with a vault that another client has created. */
async function created(t: TestContext, misbehaves: Misbehaviour = {}) {
  const server = await ByteServer.start(t);
  const log = Log.random(2);
  await at(server).create(log.file());
  server.took();
  server.misbehaves = misbehaves;
  return { server, log, storage: at(server) };
}

function holds(server: ByteServer, log: Log): void {
  assert.deepEqual(server.files.get(PATH), Buffer.from(log.file()));
}

/** For `assert.rejects`: the error has this code, a hint, and the words in its message. */
function says(code: string, words: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(failsWith(code)(error));
    const { message, hint } = error as VaultError;
    assert.match(message, words);
    assert.notEqual(hint, undefined);
    return true;
  };
}

test("8 writers at once lose nothing", async (t) => {
  const { server, log } = await created(t);
  const writers = [0, 1, 2, 3, 4, 5, 6, 7];
  await Promise.all(
    writers.map(async (writer) => {
      const replica = new Replica(at(server));
      for (let number = 0; number < 12; number++) await replica.append(entry(writer, number));
    }),
  );
  checkEntries(server.files.get(PATH) ?? new Uint8Array(), log, writers.length, 12);
  assert.ok(server.took().includes("PUT 412"), "they were in each other's way");
});

test("8 writers that share a storage lose nothing", async (t) => {
  const { server, log, storage } = await created(t);
  const writers = [0, 1, 2, 3, 4, 5, 6, 7];
  await Promise.all(
    writers.map(async (writer) => {
      const replica = new Replica(storage);
      for (let number = 0; number < 12; number++) await replica.append(entry(writer, number));
    }),
  );
  checkEntries(server.files.get(PATH) ?? new Uint8Array(), log, writers.length, 12);
});

test("what is known is not downloaded again", async (t) => {
  const { server, log, storage } = await created(t);
  await storage.read();
  await storage.compare(log.known());
  await storage.append(log.add(9), log.knownBefore());
  await storage.compare(log.known());
  await storage.append(log.add(9), log.knownBefore());
  assert.deepEqual(server.took(), ["GET 200", "GET 304", "PUT 204", "GET 304", "PUT 204"]);
  holds(server, log);
});

test("without an ETag of a PUT, the vault is read before the next", async (t) => {
  const { server, log, storage } = await created(t, { etagOnPut: "none" });
  await storage.append(log.add(9), log.knownBefore());
  await storage.append(log.add(9), log.knownBefore());
  assert.deepEqual(server.took(), ["GET 200", "PUT 204", "GET 200", "PUT 204"]);
  holds(server, log);
});

for (const etag of ["weak", "none"] as const) {
  test(`nothing is written without a strong ETag: ${etag}`, async (t) => {
    const { server, log, storage } = await created(t, { etag });
    assert.deepEqual(await storage.read(), log.file());
    assert.equal((await storage.compare(log.known())).state, "same");
    const refused = says("io", /no strong ETag/);
    await assert.rejects(storage.append(log.file(), log.known()), refused);
    await assert.rejects(storage.replace(log.file(), log.known()), refused);
    assert.ok(server.took().every((request) => request === "GET 200"));
    holds(server, log);
  });
}

test("a server that ignores If-Match is found out at creation", async (t) => {
  const server = await ByteServer.start(t, { ignores: ["if-match"] });
  await assert.rejects(at(server).create(Log.random().file()), says("io", /ignores If-Match/));
  assert.deepEqual(server.took(), ["GET 404", "PUT 201", "PUT 204"]);
});

test("a server that ignores If-None-Match does not lose what is there", async (t) => {
  const { server, log, storage } = await created(t, { ignores: ["if-none-match"] });
  await assert.rejects(storage.create(Log.random().file()), failsWith("file_exists"));
  holds(server, log);
});

test("a lost answer leaves it open, and the next comparison tells", async (t) => {
  for (const loses of ["answer", "request"] as const) {
    const { server, log, storage } = await created(t, { loses });
    const before = log.known();
    const commit = log.add(30);
    await assert.rejects(
      storage.append(commit, before),
      says("outcome_unknown", /may have been stored or not/),
    );
    server.misbehaves = {};
    const compared = await storage.compare(before);
    if (loses === "answer") {
      assert.deepEqual(compared, { state: "grown", tail: commit });
      await assert.rejects(storage.append(commit, before), failsWith("conflict"));
    } else {
      assert.equal(compared.state, "same");
      await storage.append(commit, before);
    }
    holds(server, log);
  }
});

test("without a comparison, a lost answer ends in a conflict", async (t) => {
  const { server, log, storage } = await created(t, { loses: "answer" });
  await assert.rejects(storage.append(log.add(30), log.knownBefore()), failsWith("outcome_unknown"));
  server.misbehaves = {};
  await assert.rejects(storage.append(Log.random().file(), log.knownBefore()), failsWith("conflict"));
  holds(server, log);
});

test("answers that say nothing about a PUT leave it open", async (t) => {
  for (const status of [202, 500, 502, 503, 504]) {
    const { server, log, storage } = await created(t, { says: status });
    await assert.rejects(storage.append(log.add(9), log.knownBefore()), says("outcome_unknown", /answered/));
    server.misbehaves = {};
    assert.equal((await storage.compare(log.known())).state, "same");
  }
});

test("a PUT that was repeated on the way is no conflict with itself", async (t) => {
  const { server, log, storage } = await created(t, { repeats: true });
  await storage.append(log.add(9), log.knownBefore());
  await storage.replace(log.file(), log.known());
  assert.deepEqual(server.took(), ["GET 200", "PUT 412", "GET 200", "PUT 204"]);
  holds(server, log);

  const other = await ByteServer.start(t, { repeats: true });
  await at(other).create(log.file());
  holds(other, log);
});

test("refusals say what to do", async (t) => {
  for (const [method, status, code, words] of [
    ["GET", 401, "io", /cannot read .* answered 401/],
    ["GET", 403, "io", /403/],
    ["GET", 404, "file_not_found", /no vault at/],
    ["GET", 410, "file_not_found", /no vault at/],
    ["GET", 429, "io", /429/],
    ["GET", 500, "io", /500/],
    ["PUT", 401, "io", /cannot write .* answered 401/],
    ["PUT", 403, "io", /403/],
    ["PUT", 404, "file_not_found", /no vault at/],
    ["PUT", 405, "io", /405/],
    ["PUT", 409, "conflict", /another log/],
    ["PUT", 410, "file_not_found", /no vault at/],
    ["PUT", 412, "conflict", /another log/],
    ["PUT", 413, "io", /413/],
    ["PUT", 507, "io", /507/],
  ] as const) {
    const { server, log, storage } = await created(t, { answers: { [method]: { status } } });
    const work = method === "GET" ? storage.read() : storage.append(log.file(), log.known());
    await assert.rejects(work, says(code, words));
    holds(server, log);
  }
});

test("create tells a vault that exists from a folder that does not", async (t) => {
  const server = await ByteServer.start(t, { answers: { PUT: { status: 409 } } });
  await assert.rejects(at(server).create(Log.random().file()), says("io", /cannot create .* 409/));

  // Somebody else is faster than the PUT.
  const log = Log.random();
  for (const status of [409, 412]) {
    const server = await ByteServer.start(t, { answers: { PUT: { status } } });
    server.before = ({ method }) => {
      if (method === "PUT") server.files.set(PATH, Buffer.from(log.file()));
    };
    await assert.rejects(at(server).create(Log.random().file()), failsWith("file_exists"));
    holds(server, log);
  }
});

test("no redirect is followed with the headers", async (t) => {
  const elsewhere = await ByteServer.start(t);
  const headers = { location: elsewhere.origin + PATH };
  for (const status of [301, 302, 303, 307, 308]) {
    const redirect = { status, headers };
    const { server, log, storage } = await created(t, { answers: { GET: redirect } });
    await assert.rejects(storage.read(), says("io", /redirects/));
    server.misbehaves = { answers: { PUT: redirect } };
    await assert.rejects(storage.append(log.file(), log.known()), says("io", /redirects/));
  }
  assert.deepEqual(elsewhere.took(), []);
});

test("a body that breaks off is not taken for all", async (t) => {
  const { server, log, storage } = await created(t, { halves: true });
  await assert.rejects(storage.read(), says("io", /cannot read/));
  server.misbehaves = {};
  assert.deepEqual(await storage.read(), log.file());
});

test("a server that is not there", async (t) => {
  const server = await ByteServer.start(t);
  const log = Log.random();
  const down = (message: string) => () => Promise.reject(new TypeError(message));
  for (const fetch of [undefined, down("Failed to fetch")]) {
    const storage = new HttpStorage("http://127.0.0.1:1/v", { fetch });
    await assert.rejects(storage.read(), says("io", /cannot read http:\/\/127.0.0.1:1\/v: /));
    await assert.rejects(storage.append(log.file(), log.known()), failsWith("io"));
    await assert.rejects(storage.create(log.file()), failsWith("io"));
  }
  assert.deepEqual(server.took(), []);
});

test("a signal ends a download that is under way", async (t) => {
  const { server, storage } = await created(t);
  const controller = new AbortController();
  const reason = new Error("no longer needed");
  server.before = () => controller.abort(reason);
  await assert.rejects(storage.read(controller.signal), (error) => error === reason);
});

test("the headers go along, and are asked for each time", async (t) => {
  const { server, log } = await created(t);
  let token = 0;
  const storage = at(server, { headers: async () => ({ authorization: `Bearer ${++token}` }) });
  await storage.read();
  await storage.append(log.add(9), log.knownBefore());
  assert.deepEqual(
    server.seen.map(({ headers }) => headers.authorization),
    ["Bearer 1", "Bearer 2"],
  );
  const [, put] = server.seen;
  assert.equal(put?.headers["content-type"], "application/octet-stream");
  assert.equal(put?.length, log.file().length);
  const fixed = at(server, { headers: [["x-key", "1"]] });
  await fixed.read();
  assert.equal(server.seen.at(-1)?.headers["x-key"], "1");
});

test("secrets of the URL and the headers stay out of names and messages", async (t) => {
  const { server, log } = await created(t);
  const { host } = new URL(server.origin);
  const secretUrl = `http://ann:s%C3%A9cret@${host}${PATH}?sig=s3cret#s3cret`;
  const storage = new HttpStorage(secretUrl);
  assert.equal(storage.url, server.origin + PATH);
  assert.deepEqual(storage.places, [server.origin + PATH]);
  await storage.read();
  const [{ url, headers } = assert.fail()] = server.seen;
  assert.equal(url, `${PATH}?sig=s3cret`);
  assert.equal(headers.authorization, `Basic ${Buffer.from("ann:sécret").toString("base64")}`);

  const failing = (options: HttpStorageOptions) => {
    const storage = new HttpStorage(secretUrl, options);
    return [storage.read(), storage.append(log.file(), log.known()), storage.create(log.file())];
  };
  for (const work of [
    ...failing({ headers: { "x-key": "s3cret\n1" } }),
    // As Deno says it.
    ...failing({ fetch: (url) => Promise.reject(new TypeError(`error sending request for url (${url})`)) }),
    ...failing({ fetch: async () => new Response(null, { status: 401 }) }),
    ...failing({ fetch: async () => new Response(null, { status: 404 }) }),
  ]) {
    await assert.rejects(work, (error: VaultError) => {
      assert.equal(error.name, "VaultError");
      assert.doesNotMatch(
        `${error.stack} ${error.message} ${error.hint} ${String(error.cause)}`,
        /s3cret|sécret/,
      );
      return true;
    });
  }
});

test("only URLs of http", () => {
  for (const url of ["ftp://ann:s3cret@h/", "file:///v", "v.cvault", "http://ann:s3cret@:0:0"]) {
    assert.throws(
      () => new HttpStorage(url),
      (error: VaultError) => {
        assert.equal(error.code, "invalid_argument");
        assert.doesNotMatch(`${error.message} ${String(error.cause)}`, /s3cret/);
        return true;
      },
    );
  }
  assert.equal(new HttpStorage(new URL("https://h:8443/a b")).url, "https://h:8443/a%20b");
});

test("known heads are kept where they were told to be, and without IndexedDB nowhere else", () => {
  const heads = {
    get: async () => undefined,
    remember: async () => {},
    forget: async () => {},
    vaultsAt: async () => [],
    placesOf: async () => [],
  };
  assert.equal(new HttpStorage("https://h/v", { heads }).heads, heads);
  assert.equal(new HttpStorage("https://h/v", { heads: null }).heads, undefined);
  assert.equal(new HttpStorage("https://h/v").heads, undefined);
});

test("a PUT that comes late does not undo what came after it", async (t) => {
  const { server, log, storage } = await created(t);
  await storage.read();
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  const arrived = new Promise<void>((resolve) => {
    server.before = ({ method }) => {
      if (method !== "PUT") return;
      server.before = () => undefined;
      resolve();
      return held;
    };
  });
  const late = storage.append(Log.random().file(), log.known());
  await arrived;
  await at(server).append(log.add(9), log.knownBefore());
  release();
  await assert.rejects(late, failsWith("conflict"));
  holds(server, log);
});
