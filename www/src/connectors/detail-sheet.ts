/** How a connector looks. */

import { css } from "lit";

export const detailSheet = css`
  dl {
    display: flex;
    flex-wrap: wrap;
    gap: calc(var(--_space) * 1.5) calc(var(--_space) * 4);
    margin: 0;
  }
  dt {
    color: var(--_muted);
    font-size: 0.875rem;
  }
  dd {
    display: flex;
    align-items: center;
    min-height: 1.75rem;
    margin: 0;
    overflow-wrap: anywhere;
  }
  dd.row {
    gap: 0;
  }
  copy-button {
    margin-block: -6px;
  }
  .card {
    padding: 0;
  }
  h2 {
    padding: calc(var(--_space) * 1.5) calc(var(--_space) * 2);
    font-size: 1rem;
  }
  .none {
    padding: 0 calc(var(--_space) * 2) calc(var(--_space) * 2);
  }
  ul {
    margin: 0;
    padding: 0;
    list-style: none;
  }
  li {
    display: grid;
    grid-template-columns: minmax(8rem, 14rem) minmax(0, 1fr) auto;
    align-items: center;
    column-gap: calc(var(--_space) * 2);
    padding: calc(var(--_space) * 0.75) calc(var(--_space) * 2);
    border-top: 1px solid var(--_border);
  }
  .name {
    font-weight: 600;
    overflow-wrap: anywhere;
  }
  .value {
    min-width: 0;
    max-height: 14rem;
    overflow: auto;
    overflow-wrap: anywhere;
    white-space: pre-wrap;
  }
  .masked {
    color: var(--_muted);
    letter-spacing: 0.1em;
    user-select: none;
  }
  .buttons {
    display: flex;
  }
  .buttons button {
    min-width: 4.5rem;
    color: var(--_accent);
  }
  .told {
    grid-column: 2 / -1;
    font-size: 0.875rem;
  }
  .told p {
    padding-block: calc(var(--_space) / 2);
  }
  dialog h2 {
    padding: 0;
    font-size: 1.125rem;
  }
  @media (max-width: 640px) {
    li {
      grid-template-columns: minmax(0, 1fr) auto;
    }
    .name {
      grid-area: 1 / 1;
    }
    .value {
      grid-area: 2 / 1 / auto / -1;
    }
    .buttons {
      grid-area: 1 / 2;
    }
    .told {
      grid-column: 1 / -1;
    }
  }
`;
