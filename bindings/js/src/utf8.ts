/** Text on its way into the module: as UTF-8, since a string would be copied more often than bytes are. */

import { VaultError } from "./error.js";

const encoder = new TextEncoder();

/** The text as UTF-8. Fails with `lone_surrogate`, where an encoder would put another character. */
export function utf8(text: string): Uint8Array {
  if (/\p{Surrogate}/u.test(text)) {
    throw new VaultError("lone_surrogate", "the text holds half of a surrogate pair");
  }
  return encoder.encode(text);
}
