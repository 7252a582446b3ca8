/** `<paste-action>`: a dialog that takes the JSON of an action. Tells it by `action-pasted`. */

import { LitElement, css, html } from "lit";
import { customElement, query } from "lit/decorators.js";

import { sheet, theme } from "../ui/sheet.js";

/** An action's text was pasted. */
export class ActionPasted extends Event {
  readonly text: string;

  constructor(text: string) {
    super("action-pasted");
    this.text = text;
  }
}

@customElement("paste-action")
export class PasteAction extends LitElement {
  static override styles = [
    theme,
    sheet,
    css`
      dialog {
        width: min(44rem, calc(100% - 2rem));
      }
      textarea {
        min-height: 14rem;
        font: 0.875rem/1.5 var(--_font-mono);
        resize: vertical;
      }
    `,
  ];

  @query("dialog") private dialog!: HTMLDialogElement;
  @query("textarea") private text!: HTMLTextAreaElement;

  override render() {
    return html`<dialog aria-labelledby="title" @close=${() => (this.text.value = "")}>
      <form class="stack" autocomplete="off" @submit=${this.#submit}>
        <h2 id="title">Paste an action</h2>
        <label>
          JSON of an action, or of a list of actions, as a workflow has it
          <textarea required autocomplete="off" autocapitalize="none" spellcheck="false"></textarea>
        </label>
        <div class="row">
          <button type="submit" class="primary">Put it into the form</button>
          <button type="button" @click=${() => this.close()}>Cancel</button>
        </div>
      </form>
    </dialog>`;
  }

  /** Opens the dialog. */
  show(): void {
    this.dialog.showModal();
  }

  /** Closes it, and forgets what was pasted. */
  close(): void {
    if (this.hasUpdated) this.dialog.close();
  }

  readonly #submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const { value } = this.text;
    // Files that Windows wrote begin with a byte order mark.
    const text = value.startsWith("\ufeff") ? value.slice(1) : value;
    this.close();
    this.dispatchEvent(new ActionPasted(text));
  };
}

declare global {
  interface HTMLElementTagNameMap {
    "paste-action": PasteAction;
  }
}
