/** `<designer-app>`: the page. */

import { LitElement, html } from "lit";
import { customElement } from "lit/decorators.js";

import { sheet, theme } from "./ui/sheet.js";

@customElement("designer-app")
export class DesignerApp extends LitElement {
  static override styles = [theme, sheet];

  override render() {
    return html`<h1>connector-vault</h1>`;
  }
}
