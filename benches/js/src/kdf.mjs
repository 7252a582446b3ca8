/** Argon2id beside other libraries for JavaScript: 64 MiB, 3 passes, 1 lane, 32 bytes, a salt of 16. */

import { argon2id as noble } from "@noble/hashes/argon2.js";
import openpgp from "argon2id/lib/setup.js";
import { MemoryStorage, Vault } from "connector-vault";
import { argon2id as hashWasm } from "hash-wasm";
import sodium from "libsodium-wrappers-sumo";

import { sideBySide, timed } from "./measure.mjs";
import { argon2id, PASSPHRASE, shipped } from "./stores.mjs";

const [MEMORY_KIB, PASSES, LANES, LEN] = [65_536, 3, 1, 32];
const [SALT_LEN, COST_LEN] = [16, 12];

/** Every library must derive the same key from what our module has derived one from. */
export async function unlock(host, rounds) {
  const password = new TextEncoder().encode(PASSPHRASE);
  const glue = await shipped(host);
  const cost = glue.defaultCost();
  const derive = await argon2id();
  const stretch = () => glue.stretch(password, cost, derive);
  const known = stretch();
  const salt = known.slice(0, SALT_LEN);
  const key = known.slice(SALT_LEN + COST_LEN);

  await sodium.ready;
  const instantiate = (file) => async (imports) => WebAssembly.instantiate(await host.bytes(file), imports);
  const ofOpenpgp = await openpgp(
    instantiate("argon2id/dist/simd.wasm"),
    instantiate("argon2id/dist/no-simd.wasm"),
  );
  const others = {
    "hash-wasm": () =>
      hashWasm({
        password,
        salt,
        memorySize: MEMORY_KIB,
        iterations: PASSES,
        parallelism: LANES,
        hashLength: LEN,
        outputType: "binary",
      }),
    "argon2id (OpenPGP.js)": () =>
      ofOpenpgp({
        password,
        salt,
        memorySize: MEMORY_KIB,
        passes: PASSES,
        parallelism: LANES,
        tagLength: LEN,
      }),
    "libsodium-wrappers-sumo": () =>
      sodium.crypto_pwhash(
        LEN,
        password,
        salt,
        PASSES,
        MEMORY_KIB * 1024,
        sodium.crypto_pwhash_ALG_ARGON2ID13,
      ),
    "@noble/hashes": () => noble(password, salt, { m: MEMORY_KIB, t: PASSES, p: LANES, dkLen: LEN }),
  };
  const storage = new MemoryStorage();
  const passphrase = PASSPHRASE;
  (await Vault.create(storage, { passphrase })).lock();

  return await sideBySide(rounds, [
    { name: "connector-vault, the module", run: async () => (await timed(stretch))[0] },
    {
      name: "connector-vault, Vault.open",
      run: async () => {
        const [time, vault] = await timed(() => Vault.open(storage, { passphrase }));
        vault.lock();
        return time;
      },
    },
    ...Object.entries(others).map(([name, derive]) => ({
      name,
      run: async () => {
        const [time, derived] = await timed(derive);
        if (!key.every((byte, index) => byte === derived[index])) throw new Error(`${name}: another key`);
        return time;
      },
    })),
  ]);
}
