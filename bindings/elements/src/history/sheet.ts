/** How `<connector-history>` looks beside its lists of changes. */

import { css } from "lit";

export const historySheet = css`
  :host {
    container-type: inline-size;
  }
  .history {
    display: grid;
    gap: var(--_space);
  }
  ol,
  ul,
  p {
    margin: 0;
    padding: 0;
    list-style: none;
  }
  .versions {
    border: 1px solid var(--_border);
    border-radius: var(--_radius);
  }
  .versions:focus-visible {
    outline-offset: 3px;
  }
  .version {
    display: grid;
    grid-template-columns: minmax(0, 1fr) auto;
    gap: calc(var(--_space) / 2) var(--_space);
    padding: calc(var(--_space) * 1.25) var(--_space) calc(var(--_space) * 1.25) calc(var(--_space) * 1.5);
  }
  .version + .version {
    border-top: 1px solid var(--_border);
  }
  .head {
    display: flex;
    flex-wrap: wrap;
    align-items: baseline;
    gap: 0 var(--_space);
  }
  .number {
    min-width: 5.5rem;
    font-weight: 600;
  }
  .present {
    padding: 0 calc(var(--_space) * 0.75);
    background: var(--_accent-faint);
    border-radius: 99px;
    color: var(--_accent);
    font-size: 0.8125rem;
    font-weight: 600;
  }
  time {
    font-size: 0.8125rem;
  }
  .names,
  .note {
    grid-column: 1;
    overflow-wrap: anywhere;
  }
  .names {
    display: flex;
    flex-wrap: wrap;
    gap: calc(var(--_space) / 2);
  }
  .names .name {
    padding: 0 calc(var(--_space) * 0.75);
    background: var(--_raised);
    border-radius: var(--_radius);
  }
  .note {
    color: var(--_muted);
    font-style: italic;
  }
  .buttons {
    grid-column: 2;
    grid-row: 1 / span 3;
    display: flex;
    align-items: start;
    margin-top: -5px;
  }
  .buttons button {
    min-height: 32px;
    padding: 0 var(--_space);
    color: var(--_accent);
    font-size: 0.875rem;
  }
  .buttons button[aria-expanded="true"] {
    background: var(--_accent-faint);
  }
  @media (forced-colors: active) {
    .buttons button[aria-expanded="true"]:not(:focus-visible) {
      outline: 2px solid Highlight;
      outline-offset: -2px;
    }
  }
  .panel {
    grid-column: 1 / -1;
    display: grid;
    gap: var(--_space);
    margin-top: var(--_space);
    padding: calc(var(--_space) * 1.5);
    background: var(--_surface);
    border: 1px solid var(--_border);
    border-inline-start: 3px solid var(--_accent);
    border-radius: var(--_radius);
  }
  .other {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: var(--_space);
  }
  .other select {
    width: auto;
  }
  .properties li {
    display: grid;
    grid-template-columns: minmax(0, 1fr) auto;
    align-items: center;
    min-height: 34px;
  }
  .properties li + li {
    border-top: 1px solid var(--_border);
  }
  .properties .values,
  .properties .error {
    grid-column: 1 / -1;
    margin-bottom: calc(var(--_space) / 2);
  }
  .confirm {
    display: flex;
    flex-wrap: wrap;
    gap: var(--_space);
  }
  .older {
    justify-self: start;
  }
  @container (max-width: 34rem) {
    .buttons {
      grid-column: 1 / -1;
      grid-row: auto;
      margin-block-start: 0;
      margin-inline-start: calc(var(--_space) * -1);
    }
    .head,
    .names,
    .note {
      grid-column: 1 / -1;
    }
  }
`;
