/** What has happened, for the page to say: the shell shows it in its status region, and screen readers announce it. */

/** Tells the page what was done. Bubbles out of every view. */
export class NoticeEvent extends Event {
  /** A sentence. Holds no secret. */
  readonly text: string;

  constructor(text: string) {
    super("notice", { bubbles: true, composed: true });
    this.text = text;
  }
}
