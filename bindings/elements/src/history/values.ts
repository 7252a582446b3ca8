/** The properties of a version, whose values are revealed one at a time. */

import type { Overview, Vault } from "connector-vault";
import { html, type TemplateResult } from "lit";

import type { Reveal } from "../secret-value.js";
import type { TextsController } from "../texts.js";

/** The list below its version. */
export function valuesTemplate(
  texts: TextsController,
  { id, version, properties }: Overview,
  vault: Vault,
  reveal: Reveal,
): TemplateResult {
  if (properties.length === 0) return html`<p class="muted">${texts.history.noProperties}</p>`;
  const load = async (name: string) => [
    { label: texts.history.value, value: await vault.readProperty(id, name, version) },
  ];
  return html`<ul class="properties" role="list">
    ${properties.map(
      (name) =>
        html`<li>
          <span class="name mono" translate="no">${name}</span>
          ${reveal.button(texts.plan, name, name, () => load(name))} ${reveal.values(texts.plan, name)}
        </li>`,
    )}
  </ul>`;
}
