/** The page's own styles beside the components' theme. */

import { css } from "lit";

export { theme } from "connector-vault-elements/theme.js";

/** Headings, cards, tables and rows of buttons of all views. */
export const sheet = css`
  h1,
  h2,
  h3 {
    margin: 0;
    line-height: 1.25;
    text-wrap: balance;
  }
  h1 {
    font-size: 1.5rem;
  }
  h2 {
    font-size: 1.125rem;
  }
  h3 {
    font-size: 1rem;
  }
  p {
    margin: 0;
  }
  .error {
    overflow-wrap: anywhere;
  }
  .stack {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: calc(var(--_space) * 2);
  }
  .row {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: var(--_space);
  }
  .spread {
    justify-content: space-between;
  }
  .card {
    padding: calc(var(--_space) * 2.5);
    background: var(--_surface);
    border: 1px solid var(--_border);
    border-radius: calc(var(--_radius) * 1.5);
  }
  /* A button that is disabled would lose the focus. */
  button[aria-disabled="true"] {
    opacity: 0.6;
    cursor: default;
  }
  label,
  .field {
    display: grid;
    gap: calc(var(--_space) / 2);
  }
  label.inline {
    display: flex;
    align-items: center;
  }
  table {
    width: 100%;
    border-collapse: collapse;
  }
  th,
  td {
    padding: var(--_space);
    border-bottom: 1px solid var(--_border);
    text-align: start;
    vertical-align: top;
    overflow-wrap: anywhere;
  }
  th {
    color: var(--_muted);
    font-weight: 600;
    font-size: 0.875rem;
  }
  .scroll {
    overflow-x: auto;
  }
  dialog {
    width: min(32rem, calc(100% - 2rem));
    padding: calc(var(--_space) * 3);
    color: var(--_text);
    background: var(--_surface);
    border: 1px solid var(--_border);
    border-radius: calc(var(--_radius) * 1.5);
  }
  dialog::backdrop {
    background: rgb(0 0 0 / 50%);
  }
  fieldset {
    display: grid;
    gap: var(--_space);
    margin: 0;
    padding: 0;
    border: 0;
  }
  legend {
    margin-bottom: calc(var(--_space) / 2);
    padding: 0;
    font-weight: 600;
  }
  label.choice {
    display: grid;
    grid-template-columns: auto 1fr;
    align-items: baseline;
    gap: var(--_space);
  }
`;
