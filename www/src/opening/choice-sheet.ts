/** How the choice of a place looks. */

import { css } from "lit";

export const choiceSheet = css`
  .names {
    position: relative;
    display: grid;
    max-height: 13rem;
    margin: 0;
    padding: 0;
    overflow: auto;
    border: 1px solid var(--_control-border);
    border-radius: var(--_radius);
  }
  .names label {
    display: flex;
    align-items: center;
    gap: var(--_space);
    padding: var(--_space) calc(var(--_space) * 1.5);
    overflow-wrap: anywhere;
  }
  .names label + label {
    border-top: 1px solid var(--_border);
  }
  .names label:has(:checked) {
    background: var(--_accent-faint);
  }
  .names input {
    flex: none;
    accent-color: var(--_accent);
  }
  legend {
    padding: 0;
  }
  ::file-selector-button {
    margin-inline-end: calc(var(--_space) * 1.25);
    padding: 2px calc(var(--_space) * 1.25);
    font: inherit;
    color: inherit;
    background: var(--_raised);
    border: 1px solid var(--_control-border);
    border-radius: var(--_radius);
  }
  .chosen {
    display: flex;
    align-items: center;
    gap: var(--_space);
    min-width: 0;
    overflow-wrap: anywhere;
  }
  .icon {
    flex: none;
    color: var(--_muted);
  }
  .small {
    font-size: 0.875rem;
  }
`;
