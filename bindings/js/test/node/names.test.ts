/** Which other names a vault's file has. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { mountsAt } from "../../src/node/names.js";
import { nameOf } from "../../src/node/owner.js";

test("mounts of files", () => {
  const mounts =
    "36 35 98:0 / / rw - ext4 /dev/root rw\n" +
    "40 36 98:0 /a\\040b/v /app/v\\040\\134 rw,noatime - ext4 /dev/root rw\n";
  assert.ok(mountsAt("/app/v \\", mounts));
  assert.ok(mountsAt("/", mounts));
  assert.ok(!mountsAt("/app/v", mounts));
  assert.ok(!mountsAt("/a b/v", mounts));
});

test("names of users", () => {
  const passwd = "root:x:0:0:root:/root:/bin/sh\nbroken\nann:x:1001:1001::/:\n";
  assert.equal(nameOf(1001, passwd), "ann");
  assert.equal(nameOf(0, passwd), "root");
  assert.equal(nameOf(1, passwd), undefined);
});
