/** What `<update-connector-editor>` says. */

/** The texts of `<update-connector-editor>`. */
export interface EditorTexts {
  /** Stands before the component's part. */
  readonly label: string;
}

/** In English. */
export const EDITOR_TEXTS: EditorTexts = {
  label: "",
};
