/** The examples of the documentation in Node, as they are, on vaults that the Rust program makes. */

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { PASSPHRASE, Project, REPOSITORY } from "./project.js";

const CONNECTOR = "twitterConnectorId";

interface History {
  readonly versions: readonly {
    readonly version: number;
    readonly op: string;
    readonly author: string;
    readonly changed: readonly string[];
  }[];
}

interface Revealed {
  readonly version: number;
  readonly properties: Readonly<Record<string, string>>;
}

describe("examples in Node", () => {
  let project: Project;
  before(async () => {
    project = await Project.create();
    project.copy("bindings/js/examples/rotate-on-schedule.mjs");
    project.copy("bindings/js/examples/webhook.mjs");
  });
  after(() => project?.remove());

  const history = async (vault: string) =>
    (await project.cvault<History>(["history", vault, CONNECTOR])).versions.map(
      ({ version, op, author, changed }) => `${version} ${op} by ${author}: ${changed.join(", ")}`,
    );
  const reveal = (vault: string) => project.cvault<Revealed>(["show", vault, CONNECTOR, "--reveal"]);

  test("README.md, JavaScript", async () => {
    project.write("rotate.json", exampleOf("README.md", "# connector-vault", "json"));
    project.write("readme.mjs", exampleOf("README.md", "## JavaScript"));
    const told = await project.node(["readme.mjs"], { CVAULT_PASSPHRASE: PASSPHRASE });
    assert.match(told, /APIKey[^]*Timeout[^]*version 2\nnew_key\n$/);
    assert.doesNotMatch(told, /old_key/);
    assert.deepEqual(await history("team.cvault"), [
      "1 create by ops: APIKey, Endpoint",
      "2 update by ops: APIKey, Timeout",
    ]);
    assert.deepEqual((await reveal("team.cvault")).properties, {
      APIKey: "new_key",
      Endpoint: "https://api.example",
      Timeout: "30s",
    });
  });

  test("bindings/js/README.md", async () => {
    mkdirSync(project.at("wrapper"));
    project.write("wrapper/readme.mjs", exampleOf("bindings/js/README.md", "# connector-vault"));
    const told = await project.node(["readme.mjs"], {}, "wrapper");
    assert.match(told, /APIKey changed[^]*Timeout added/);
    assert.deepEqual((await reveal("wrapper/team.cvault")).properties, {
      APIKey: "new_key",
      Endpoint: "https://api.example",
      Timeout: "30s",
    });
  });

  test("rotate-on-schedule.mjs", async (t) => {
    const { vault_id } = await project.vault("rotated.cvault");
    const { public: key } = await project.cvault<{ readonly public: string }>([
      "identity",
      "new",
      "--out",
      "rotation.identity",
    ]);
    await project.cvault([
      "grant",
      "rotated.cvault",
      "--label",
      "rotation",
      "--right",
      "rotator",
      "--to",
      key,
    ]);
    const identity = readFileSync(project.at("rotation.identity"), "utf8")
      .replace(/^#.*\n/gm, "")
      .trim();

    // It refuses once, then hands out tokens; from the third on it leaves those who ask waiting.
    let asked = 0;
    const provider = createServer((request, response) => {
      assert.equal(request.method, "POST");
      asked++;
      if (asked === 1) response.writeHead(503).end();
      else if (asked !== 4) response.end(JSON.stringify({ access_token: `token ${asked - 1}` }));
    });
    await new Promise<void>((resolve) => provider.listen(0, "127.0.0.1", resolve));
    t.after(() => {
      provider.close();
      provider.closeAllConnections();
    });
    const start = (seconds: string) => {
      const url = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/token`;
      const args = ["rotate-on-schedule.mjs", "rotated.cvault", CONNECTOR, url, seconds];
      const service = project.start(args, { CVAULT_IDENTITY: identity, CVAULT_VAULT_ID: vault_id });
      t.after(() => service.kill());
      return service;
    };

    const waiting = start("0");
    assert.equal(await waiting.line(), `${CONNECTOR}: version 2`);
    assert.equal(await waiting.line(), `${CONNECTOR}: version 3`);
    await waiting.stop(
      "rotation failed: the value of [Provider:Token] could not be had: the provider answers 503\n",
    );
    const rotated = "patch by rotation: AccessToken, RotatedAt";
    assert.deepEqual(await history("rotated.cvault"), [
      "1 create by owner: APIKey",
      `2 ${rotated}`,
      `3 ${rotated}`,
    ]);
    const { properties } = await reveal("rotated.cvault");
    assert.deepEqual([properties["APIKey"], properties["AccessToken"]], ["old_key", "token 2"]);

    asked = 10;
    const sleeping = start("3600");
    assert.equal(await sleeping.line(), `${CONNECTOR}: version 4`);
    await sleeping.stop();
  });

  test("webhook.mjs", async (t) => {
    await project.vault("hooked.cvault");
    const service = project.start(["webhook.mjs", "hooked.cvault"], {
      CVAULT_PASSPHRASE: PASSPHRASE,
      WEBHOOK_SECRET: "a secret of both",
    });
    t.after(() => service.kill());
    const [url] = /http:.*/.exec(await service.line()) ?? assert.fail();
    const post = async (body: string, { query = "", secret = "a secret of both", key = "" } = {}) => {
      const headers = { authorization: `Bearer ${secret}`, ...(key && { "idempotency-key": key }) };
      const response = await fetch(url + query, { method: "POST", headers, body });
      return [response.status, (await response.json()) as Record<string, unknown>] as const;
    };
    const codeOf = async (answer: ReturnType<typeof post>) => {
      const [status, { error }] = await answer;
      return `${status} ${(error as { readonly code: string }).code}`;
    };
    const update = (id: string, value: string) =>
      JSON.stringify({
        ActionType: "Connectors.Update",
        Parameters: { EntryId: id, Properties: [{ PropertyName: "APIKey", PropertyValue: value }] },
      });

    const [planned, plan] = await post(update(CONNECTOR, "new_key"), { query: "?plan" });
    assert.deepEqual([planned, plan["status"], plan["versionAfter"]], [200, "planned", 2]);
    assert.equal((await history("hooked.cvault")).length, 1);

    const first = await post(update(CONNECTOR, "new_key"), { key: "delivery 1" });
    assert.deepEqual([first[0], first[1]["status"], first[1]["versionAfter"]], [200, "updated", 2]);
    const [again, { versionAfter }] = await post(update(CONNECTOR, "new_key"), { key: "delivery 1" });
    assert.deepEqual([again, versionAfter], [200, 2]);
    assert.equal(
      await codeOf(post(update(CONNECTOR, "another"), { key: "delivery 1" })),
      "409 request_id_reused",
    );

    assert.equal(await codeOf(post(update(CONNECTOR, "no"), { secret: "wrong" })), "401 unauthorized");
    assert.equal(await codeOf(post("{", {})), "422 invalid_json");
    assert.equal(await codeOf(post(update("unknown", "no"))), "404 connector_not_found");
    const large = update(CONNECTOR, "x".repeat(8 * 1024 * 1024));
    assert.equal(await codeOf(post(large)), "413 action_too_large");

    await service.stop();
    assert.deepEqual(await history("hooked.cvault"), [
      "1 create by owner: APIKey",
      "2 update by owner: APIKey",
    ]);
    assert.deepEqual((await reveal("hooked.cvault")).properties, { APIKey: "new_key" });
  });
});

/** The first example under a heading, in JavaScript unless another language is named. */
function exampleOf(file: string, heading: string, language = "js"): string {
  const text = readFileSync(join(REPOSITORY, file), "utf8");
  const under = text.slice(text.indexOf(`${heading}\n`));
  const [, example] = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "ms").exec(under) ?? [];
  return example ?? assert.fail(`${file} has no ${language} under ${heading}`);
}
