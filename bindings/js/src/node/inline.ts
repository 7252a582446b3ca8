/** The WebAssembly module as text inside the bundle, for Node: at once, where a stream would take its time. */

import { base64 } from "../../pkg/inline.js";

/** The module's bytes. */
export async function inlined(): Promise<Uint8Array<ArrayBuffer>> {
  const zlib = process.getBuiltinModule("node:zlib");
  return new Uint8Array(zlib.inflateRawSync(Buffer.from(base64, "base64")));
}
