/** Starts the page, and loads the core meanwhile. */

import { core } from "./core.js";

import "./app.js";

// Should it fail, unlocking tries again and says why.
core().catch(() => undefined);
