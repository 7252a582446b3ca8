/** A WebAssembly module that stands as text inside the bundle, for Node: at once, where a stream would take its time. */

/** The module's bytes. */
export async function inflate(base64: string): Promise<Uint8Array<ArrayBuffer>> {
  const zlib = process.getBuiltinModule("node:zlib");
  return new Uint8Array(zlib.inflateRawSync(Buffer.from(base64, "base64")));
}
