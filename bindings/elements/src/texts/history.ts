/** What `<connector-history>` says. */

/** The texts of `<connector-history>`. */
export interface HistoryTexts {
  /** Stands before the component's part. */
  readonly label: string;
}

/** In English. */
export const HISTORY_TEXTS: HistoryTexts = {
  label: "",
};
