/** A strict program for Node, as an ES module. */

import {
  tokensOf,
  Vault,
  VaultError,
  type LogEnd,
  type NewOwner,
  type OpenOptions,
  type Outcome,
  type UpdateAction,
  type VaultErrorCode,
  type VaultStorage,
} from "connector-vault";
import { FileKnownHeads, FileStorage, Vault as SameVault } from "connector-vault/node";
import { ready as readySlim, type WasmSource } from "connector-vault/slim";

const action: UpdateAction = {
  ActionType: "Connectors.Update",
  Parameters: {
    EntryId: "twitterConnectorId",
    Properties: {
      Expression: null,
      Value: [{ PropertyName: "APIKey", PropertyValue: "[Secrets:TwitterKey]" }],
      IsExpression: false,
      Parameters: {},
    },
  },
};
const keys: string[] = tokensOf(action).map(({ key }) => key);

export async function rotate(path: string, passphrase: string): Promise<Outcome | string> {
  const storage: VaultStorage = new FileStorage(path, { heads: new FileKnownHeads("heads") });
  // One class, whichever entry point it comes from.
  const vault: Vault = await SameVault.open(storage, { passphrase });
  vault.addEventListener("change", (event: Event) => console.log(event.type));
  try {
    const outcome = await vault.run(action, {
      tokens: async ({ namespace, key }) => (namespace === "Secrets" ? key : keys[0]),
      note: "rotation",
    });
    for (const { name, change } of outcome.changes) console.log(name.length, change);
    return outcome;
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    return error.code;
  } finally {
    vault.lock();
  }
}

export class Rejecting implements VaultStorage {
  readonly places = [];
  create(): Promise<void> {
    return Promise.reject(new VaultError("io", "read only", "ask somebody", { cause: this }));
  }
  read = async () => new Uint8Array();
  compare = async (known: LogEnd) =>
    known.end === 0 ? { state: "same" as const } : { state: "replaced" as const };
  append = this.create;
  replace = this.create;
}

export const loading = (wasm: WasmSource): Promise<void> => readySlim({ wasm });

// What opens a vault has to be given, and only one of two.
declare const variable: string | undefined;
// @ts-expect-error: neither a passphrase nor an identity
export const nothing: OpenOptions = {};
// @ts-expect-error: perhaps none
export const perhaps: OpenOptions = { passphrase: variable };
// @ts-expect-error: both
export const both: OpenOptions = { passphrase: "correct horse", identity: "cvault-identity-1" };
// @ts-expect-error: a label of a grant belongs to a passphrase
export const labelled: OpenOptions = { identity: "cvault-identity-1", grant: "ops" };
// @ts-expect-error: a vault without an owner's secret
export const ownerless: NewOwner = { label: "ops" };
export const owner: NewOwner = { passphrase: "correct horse", identity: "cvault-identity-1" };
// @ts-expect-error: no such code
export const mistyped: VaultErrorCode = "connector_notfound";

// @ts-expect-error: an action that is none
tokensOf({ ActionType: "Connectors.Remove", Parameters: {} });
