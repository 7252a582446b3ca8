/** Where in the list the user was: for the way back from a connector. Ends with the session. */

import type { Session } from "../session.js";

/** What is found again. */
export interface ListState {
  query: string;
  /** The connector that was active last. */
  id: string | undefined;
}

const states = new WeakMap<Session, ListState>();

/** The state of a session's list, to be read and changed. */
export function listStateOf(session: Session): ListState {
  let state = states.get(session);
  if (state === undefined) states.set(session, (state = { query: "", id: undefined }));
  return state;
}
