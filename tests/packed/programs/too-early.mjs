/** Uses the package before it is ready. */

import { Identity } from "connector-vault";

try {
  Identity.generate();
} catch ({ code, message, hint }) {
  console.log(`${code}: ${message}; ${hint}`);
}
