/** How the form that opens or creates a vault looks. */

import { css } from "lit";

export const formSheet = css`
  form {
    display: grid;
    gap: calc(var(--_space) * 2);
  }
  fieldset.plain {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: calc(var(--_space) * 2);
    min-width: 0;
    margin: 0;
    padding: 0;
    border: 0;
  }
  .primary {
    min-height: 40px;
  }
  .busy {
    display: grid;
    gap: var(--_space);
  }
  progress {
    width: 100%;
    height: 6px;
    accent-color: var(--_accent);
  }
  .offer {
    display: grid;
    justify-items: start;
    gap: var(--_space);
    padding: calc(var(--_space) * 1.5);
    background: var(--_raised);
    border: 1px solid var(--_border);
    border-inline-start: 4px solid var(--_warning);
    border-radius: var(--_radius);
  }
  .suggest {
    justify-self: start;
    margin-top: calc(var(--_space) * -1);
  }
  summary {
    min-height: 24px;
    cursor: pointer;
  }
  details > label {
    margin-top: var(--_space);
  }
`;
