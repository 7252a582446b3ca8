/** A strict program for Node, as CommonJS. */

import vault = require("connector-vault");
import node = require("connector-vault/node");

const storage: vault.VaultStorage = new node.FileStorage("team.cvault");
const opened: Promise<vault.Vault> = node.Vault.open(storage, { passphrase: "correct horse" });
// @ts-expect-error: files are of `connector-vault/node`
const missing = vault.FileStorage;
export = { opened, missing };
