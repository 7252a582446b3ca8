/** What `<connector-picker>` says. */

/** The texts of `<connector-picker>`. */
export interface PickerTexts {
  /** The label, unless the element has one of its own. */
  readonly label: string;
  /** Stands in the field while it is empty. */
  readonly placeholder: string;
  /** The same where expressions are permitted. */
  readonly placeholderWithExpressions: string;
  /** The button that opens and closes the list. */
  readonly open: string;
  /** The button that empties the field. */
  readonly clear: string;

  // The list
  readonly loading: string;
  /** How many of how many were found. */
  readonly counts: (found: number, size: number) => string;
  /** For screen readers, once the user has stopped typing. */
  readonly results: (count: number) => string;
  readonly noResult: (query: string) => string;
  /** The same where what was typed is taken as an expression. */
  readonly noResultButText: string;
  readonly noConnectors: string;
  readonly noVault: string;
  readonly locked: string;
  /** In place of a type: the option is a token. */
  readonly token: string;

  // What was chosen
  /** The value holds tokens. */
  readonly expression: string;
  /** The value is an id that no connector has. */
  readonly unknown: (id: string) => string;
  /** What was typed is no connector. */
  readonly unmatched: (text: string) => string;
  /** A value is required. */
  readonly missing: string;
}

/** In English. */
export const PICKER_TEXTS: PickerTexts = {
  label: "Connector",
  placeholder: "Name, id or type",
  placeholderWithExpressions: "Name, id, type or [expression]",
  open: "Show connectors",
  clear: "Clear",

  loading: "Loading connectors…",
  counts: (found, size) => (found === size ? connectors(size) : `${number(found)} of ${connectors(size)}`),
  results: (count) => (count === 1 ? "1 result" : `${number(count)} results`),
  noResult: (query) => `No connector matches “${query}”.`,
  noResultButText: "No connector matches. What you typed is used as it is.",
  noConnectors: "There are no connectors in this vault yet.",
  noVault: "No vault is open.",
  locked: "The vault is locked.",
  token: "Token",

  expression: "An expression: resolved when the action runs.",
  unknown: (id) => `No connector has the id “${id}”.`,
  unmatched: (text) => `“${text}” is no connector. Choose one from the list.`,
  missing: "Choose a connector.",
};

function connectors(count: number): string {
  return count === 1 ? "1 connector" : `${number(count)} connectors`;
}

/** `10,000`; the first number that `toLocaleString` writes takes more time than a key may. */
function number(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ",");
}
