/** The worker as a module that knows its own address: the chunk that a bundler makes where it splits here. */

import { CHUNK_NAME } from "./chunk-name.js";
import { serve } from "./serve.js";

// Imported for its address it does nothing, not even in an application that itself runs in a worker.
if (typeof self !== "undefined" && self.name === CHUNK_NAME) serve();

export const url: string | undefined = import.meta.url;
