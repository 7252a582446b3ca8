/** Starts the page, and loads the core meanwhile. */

import { core } from "./core.js";
import { keepOffline } from "./offline.js";

import "./app.js";

// Should it fail, unlocking tries again and says why.
core().catch(() => undefined);
keepOffline();
