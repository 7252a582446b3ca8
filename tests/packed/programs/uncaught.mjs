/** Opens a vault that is not there. */

import { FileStorage, Vault } from "connector-vault/node";

await Vault.open(new FileStorage("missing.cvault"), { passphrase: "correct horse battery staple" });
