/** What `<connector-picker>` says. */

/** The texts of `<connector-picker>`. */
export interface PickerTexts {
  /** Stands before the component's part. */
  readonly label: string;
}

/** In English. */
export const PICKER_TEXTS: PickerTexts = {
  label: "",
};
