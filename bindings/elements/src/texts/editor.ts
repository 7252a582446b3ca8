/** What `<update-connector-editor>` says. */

/** The texts of `<update-connector-editor>`. */
export interface EditorTexts {
  /** Names the form. */
  readonly label: string;
  readonly connector: string;
  readonly properties: string;
  readonly json: string;
  /** What the JSON is for. */
  readonly jsonHint: string;
  /** How keys work in the JSON editor. */
  readonly jsonKeys: string;
  readonly jsonPlaceholder: string;
  readonly name: string;
  readonly value: string;
  /** The column of buttons. */
  readonly actions: string;
  /** What can be done in the grid beside writing. */
  readonly gridHint: string;
  nameOfRow(row: number): string;
  /** `name` is empty if the row has none. */
  valueOfRow(row: number, name: string): string;
  readonly newName: string;
  readonly newValue: string;
  readonly nullValue: string;
  moveUp(name: string): string;
  moveDown(name: string): string;
  remove(name: string): string;
  /** A row without a name, in the texts above. */
  row(row: number): string;
  readonly overridden: string;
  readonly repeated: string;
  /** Tokens that can be chosen. */
  readonly tokens: string;
  tokensFound(count: number): string;
  pasted(count: number, from: "env" | "spreadsheet"): string;
  columns(count: number): string;
  removed(name: string): string;
  moved(name: string, row: number, rows: number): string;
  readonly undo: string;
  readonly undone: string;
  readonly redone: string;
  readonly nothingToUndo: string;
  /** The action that was given cannot be shown. */
  readonly unreadable: string;
  readonly startAnew: string;
}

/** In English. */
export const EDITOR_TEXTS: EditorTexts = {
  label: "Update connector",
  connector: "Connector",
  properties: "Properties",
  json: "Dynamic Properties",
  jsonHint: "A JSON object. It overrides properties of the same name.",
  jsonKeys: "Tab leaves the editor. Ctrl+] and Ctrl+[ indent.",
  jsonPlaceholder: '{ "Timeout": "30s" }',
  name: "Name",
  value: "Value",
  actions: "Move or remove",
  gridHint:
    "Paste rows from a spreadsheet or a .env file. Enter goes to the next row, Alt+↑ and Alt+↓ move a row, Ctrl+Z undoes.",
  nameOfRow: (row) => `Name ${row}`,
  valueOfRow: (row, name) => (name === "" ? `Value ${row}` : `Value ${row}, ${name}`),
  newName: "Add a property",
  newValue: "Value",
  nullValue: "null",
  moveUp: (name) => `Move ${name} up`,
  moveDown: (name) => `Move ${name} down`,
  remove: (name) => `Remove ${name}`,
  row: (row) => `row ${row}`,
  overridden: "overridden by Dynamic Properties",
  repeated: "repeated: the last row of this name counts",
  tokens: "Tokens",
  tokensFound: (count) => (count === 1 ? "1 token" : `${count} tokens`),
  pasted: (count, from) =>
    `${count === 1 ? "1 property" : `${count} properties`} pasted from ${from === "env" ? "a .env file" : "a spreadsheet"}.`,
  columns: (count) =>
    `Nothing was pasted: the table has ${count} columns. Copy two, name and value, or also their header row.`,
  removed: (name) => `Removed ${name}.`,
  moved: (name, row, rows) => `${name} is row ${row} of ${rows} now.`,
  undo: "Undo",
  undone: "Undone.",
  redone: "Done again.",
  nothingToUndo: "Nothing to undo.",
  unreadable: "This form cannot show the action that it was given. The action stays as it is.",
  startAnew: "Start with an empty form",
};
