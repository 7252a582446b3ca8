/** How the form for a connector looks. */

import { css } from "lit";

export const formSheet = css`
  form {
    max-width: 56rem;
  }
  .identity {
    display: grid;
    grid-template-columns: 1fr 1fr;
    gap: calc(var(--_space) * 2);
  }
  .wide {
    grid-column: 1 / -1;
  }
  .small {
    font-size: 0.875rem;
  }
  .facts {
    display: flex;
    flex-wrap: wrap;
    gap: var(--_space) calc(var(--_space) * 2);
    overflow-wrap: anywhere;
  }
  .changed {
    border-inline-start: 4px solid var(--_warning);
  }
  ul {
    display: grid;
    gap: var(--_space);
    margin: 0;
    padding: 0;
    list-style: none;
  }
  li {
    display: grid;
    grid-template-columns: minmax(8rem, 14rem) minmax(0, 1fr) 11rem;
    align-items: start;
    gap: calc(var(--_space) / 2) calc(var(--_space) * 1.5);
  }
  span.name,
  .kept {
    padding-block: 7px;
    overflow-wrap: anywhere;
  }
  span.name {
    font-weight: 600;
  }
  .removed .name {
    text-decoration: line-through;
  }
  .removed .kept {
    color: var(--_removed);
  }
  .buttons {
    display: flex;
    justify-content: end;
  }
  .buttons button {
    white-space: nowrap;
    color: var(--_accent);
  }
  .told {
    grid-column: 2 / -1;
  }
  .note {
    max-width: 32rem;
  }
  @media (max-width: 640px) {
    .identity {
      grid-template-columns: minmax(0, 1fr);
    }
    li {
      grid-template-columns: minmax(0, 1fr) auto;
      padding-bottom: var(--_space);
      border-bottom: 1px solid var(--_border);
    }
    .name {
      grid-area: 1 / 1;
    }
    .buttons {
      grid-area: 1 / 2;
    }
    value-field,
    .kept,
    .told {
      grid-column: 1 / -1;
    }
    .kept {
      padding-top: 0;
    }
  }
`;
