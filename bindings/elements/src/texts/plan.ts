/** What `<update-plan>` says. */

/** The texts of `<update-plan>`. */
export interface PlanTexts {
  /** Stands before the component's part. */
  readonly label: string;
}

/** In English. */
export const PLAN_TEXTS: PlanTexts = {
  label: "",
};
