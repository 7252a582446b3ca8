/** The WebAssembly module as text inside the bundle: nothing to find, whatever bundler or server there is. */

import { base64 } from "../pkg/inline.js";

/** The module's bytes. */
export async function inlined(): Promise<ArrayBuffer> {
  const deflated = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const inflated = new Blob([deflated]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return await new Response(inflated).arrayBuffer();
}
