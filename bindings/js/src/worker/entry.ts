/** The whole worker. One text for module workers, classic workers, `blob:` workers and Node's threads. */

import { serve } from "./serve.js";

serve();
