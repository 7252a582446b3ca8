/** A choice of few, side by side: radio buttons that look like one control. */

import { css, html, type TemplateResult } from "lit";

/** One that may be chosen. */
export interface Segment<Value extends string> {
  readonly value: Value;
  readonly text: string;
}

/** Radio buttons under a legend, which only screen readers say. */
export function segments<Value extends string>(
  legend: string,
  name: string,
  choices: readonly Segment<Value>[],
  chosen: Value,
  choose: (value: Value) => void,
): TemplateResult {
  return html`<fieldset class="segments">
    <legend class="visually-hidden">${legend}</legend>
    ${choices.map(
      ({ value, text }) =>
        html`<label>
          <input
            type="radio"
            name=${name}
            value=${value}
            .checked=${value === chosen}
            @change=${() => choose(value)}
          /><span>${text}</span>
        </label>`,
    )}
  </fieldset>`;
}

/** The look of them. */
export const segmentsSheet = css`
  .segments {
    display: flex;
    flex-wrap: wrap;
    gap: 0;
    min-width: 0;
    margin: 0;
    padding: 3px;
    background: var(--_raised);
    border: 1px solid var(--_border);
    border-radius: calc(var(--_radius) + 3px);
  }
  .segments label {
    position: relative;
    display: block;
    flex: 1 1 0;
    min-width: max-content;
    text-align: center;
  }
  .segments input {
    position: absolute;
    inset: 0;
    margin: 0;
    opacity: 0;
    cursor: pointer;
  }
  .segments span {
    display: block;
    padding: calc(var(--_space) * 0.75) calc(var(--_space) / 2);
    color: var(--_muted);
    border: 1px solid transparent;
    border-radius: var(--_radius);
  }
  .segments input:hover + span {
    color: var(--_text);
  }
  .segments input:checked + span {
    color: var(--_text);
    font-weight: 600;
    background: var(--_surface);
    border-color: var(--_control-border);
  }
  .segments input:focus-visible + span {
    outline: 2px solid var(--_accent);
    outline-offset: 1px;
  }
  @media (forced-colors: active) {
    .segments input:checked + span {
      border-color: Highlight;
    }
  }
`;
