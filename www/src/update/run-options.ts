/** `<run-options>`: how the action is carried out. Tells `change` when `value` is another one. */

import { LitElement, css, html, nothing } from "lit";
import { customElement, property, query } from "lit/decorators.js";
import type { ActionOptions } from "connector-vault";

import { sheet, theme } from "../ui/sheet.js";

@customElement("run-options")
export class RunOptions extends LitElement {
  static override styles = [
    theme,
    sheet,
    css`
      summary {
        min-height: 24px;
        cursor: pointer;
      }
      form {
        margin-top: calc(var(--_space) * 1.5);
      }
      .hint {
        font-size: 0.875rem;
      }
      .version input {
        width: 6rem;
      }
    `,
  ];

  /** The version that the connector has now; nothing if there is no such connector. */
  @property({ attribute: false }) present: number | undefined;
  @query("form") private form!: HTMLFormElement;
  @query("#version") private version!: HTMLInputElement;

  override render() {
    const { present } = this;
    return html`<details>
      <summary>Options</summary>
      <form
        class="stack"
        autocomplete="off"
        @submit=${(event: Event) => event.preventDefault()}
        @input=${this.#changed}
      >
        <div class="field">
          <label for="note">Note</label>
          <input id="note" name="note" autocomplete="off" aria-describedby="note-hint" />
          <span id="note-hint" class="muted hint"> Kept with the version. Every role can read it. </span>
        </div>
        <div class="field">
          <label for="version">Only if the connector is at version</label>
          <div class="row version">
            <input id="version" name="version" type="number" min="1" step="1" autocomplete="off" />
            ${
              present === undefined
                ? nothing
                : html`<button type="button" @click=${() => this.#take(present)}>
                    Now at ${present}: use that
                  </button>`
            }
          </div>
        </div>
        <label class="inline">
          <input type="checkbox" name="null" />
          <span><code>null</code> in the JSON removes a property</span>
        </label>
        <label class="inline">
          <input type="checkbox" name="nested" />
          <span>A JSON object is merged into the stored one</span>
        </label>
        <label class="inline">
          <input type="checkbox" name="empty" />
          <span>An empty value from a token is a value</span>
        </label>
        <label class="inline">
          <input type="checkbox" name="mask" />
          <span>A mask such as <code>***</code> is a value</span>
        </label>
        <label class="inline">
          <input type="checkbox" name="condition" />
          <span>The action's condition is met</span>
        </label>
      </form>
    </details>`;
  }

  /** What was chosen. */
  get value(): ActionOptions {
    const fields = new FormData(this.form);
    const note = String(fields.get("note") ?? "").trim();
    const version = Number(fields.get("version") ?? "");
    return {
      ...(note !== "" && { note }),
      ...(version > 0 && { ifVersion: version }),
      ...(fields.has("null") && { null: "remove" }),
      ...(fields.has("nested") && { nested: "merge" }),
      ...(fields.has("empty") && { allowEmpty: true }),
      ...(fields.has("mask") && { allowMask: true }),
      ...(fields.has("condition") && { conditionMet: true }),
    };
  }

  /** After a run: the next one has a note and a version of its own. */
  renew(): void {
    for (const name of ["note", "version"]) {
      const input = this.form.elements.namedItem(name);
      if (input instanceof HTMLInputElement) input.value = "";
    }
    this.#changed();
  }

  #take(version: number): void {
    this.version.value = String(version);
    this.#changed();
  }

  readonly #changed = (event?: Event): void => {
    event?.stopPropagation();
    this.dispatchEvent(new Event("change"));
  };
}

declare global {
  interface HTMLElementTagNameMap {
    "run-options": RunOptions;
  }
}
