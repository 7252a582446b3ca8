/** Argon2id (RFC 9106): a module of its own, without glue, whose memory goes with its instance. */

/** Derives 32 bytes; `undefined` if the memory is not to be had. */
export type Argon2id = (
  passphrase: Uint8Array,
  salt: Uint8Array,
  memoryKib: number,
  passes: number,
  lanes: number,
) => Uint8Array | undefined;

/** What an instance exports (`bindings/argon2`). */
export interface Exports {
  readonly memory: WebAssembly.Memory;
  /** Where salt, key and passphrase stand, one after the other. */
  buffer(): number;
  argon2id(passphraseLen: number, memoryKib: number, passes: number, lanes: number): number;
}

const [SALT_LEN, KEY_LEN] = [16, 32];

/** A new instance, which keeps its memory for the next key slot that is tried. */
export function instantiate(module: WebAssembly.Module): Argon2id {
  return argon2idOf(new WebAssembly.Instance(module).exports as unknown as Exports);
}

/** Argon2id in an instance. It wipes what it was given. */
export function argon2idOf({ memory, buffer, argon2id }: Exports): Argon2id {
  const start = buffer();
  const [key, end] = [start + SALT_LEN, start + SALT_LEN + KEY_LEN];
  return (passphrase, salt, ...cost) => {
    const before = new Uint8Array(memory.buffer);
    before.set(salt, start);
    before.set(passphrase, end);
    // The memory may have grown, which leaves the former view without bytes.
    const bytes = () => new Uint8Array(memory.buffer, start, SALT_LEN + KEY_LEN + passphrase.length);
    try {
      const isDerived = argon2id(passphrase.length, ...cost) !== 0;
      return isDerived ? bytes().slice(key - start, end - start) : undefined;
    } finally {
      // Also where the module has stopped.
      bytes().fill(0);
    }
  };
}
