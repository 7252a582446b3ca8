/** `<copy-drop>`: takes a file, chosen or dropped. Tells it by `copy-chosen`. */

import { LitElement, css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";

import { sheet, theme } from "../ui/sheet.js";

/** A file was chosen. */
export class CopyChosen extends Event {
  readonly file: File;

  constructor(file: File) {
    super("copy-chosen");
    this.file = file;
  }
}

@customElement("copy-drop")
export class CopyDrop extends LitElement {
  static override styles = [
    theme,
    sheet,
    css`
      label {
        position: relative;
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: var(--_space);
        padding: calc(var(--_space) * 2);
        border: 2px dashed var(--_control-border);
        border-radius: var(--_radius);
        cursor: pointer;
      }
      label.over {
        background: var(--_accent-faint);
        border-color: var(--_accent);
      }
      label:focus-within {
        outline: 2px solid var(--_accent);
        outline-offset: 1px;
      }
      input[type="file"] {
        width: 1px;
        padding: 0;
      }
      .choose {
        padding: calc(var(--_space) * 0.75) calc(var(--_space) * 1.5);
        background: var(--_raised);
        border: 1px solid var(--_control-border);
        border-radius: var(--_radius);
      }
    `,
  ];

  @property({ attribute: false }) isChosen = false;
  @state() private isOver = false;

  override render() {
    return html`<label
      class=${this.isOver ? "over" : ""}
      @dragover=${this.#over}
      @dragleave=${() => (this.isOver = false)}
      @drop=${this.#drop}
    >
      <span class="choose">${this.isChosen ? "Choose another file" : "Choose the file"}</span>
      or drop it here
      <input
        type="file"
        class="visually-hidden"
        accept=".cvault,application/octet-stream"
        @change=${this.#change}
      />
    </label>`;
  }

  readonly #over = (event: DragEvent): void => {
    if (event.dataTransfer?.types.includes("Files") !== true) return;
    event.preventDefault();
    this.isOver = true;
  };

  readonly #drop = (event: DragEvent): void => {
    this.isOver = false;
    const file = event.dataTransfer?.files[0];
    if (file === undefined) return;
    // The browser would open it.
    event.preventDefault();
    this.dispatchEvent(new CopyChosen(file));
  };

  readonly #change = (event: Event): void => {
    const input = event.target as HTMLInputElement;
    const file = input.files?.[0];
    if (file !== undefined) this.dispatchEvent(new CopyChosen(file));
    // So that the same file can be chosen again, after it has changed.
    input.value = "";
  };
}

declare global {
  interface HTMLElementTagNameMap {
    "copy-drop": CopyDrop;
  }
}
