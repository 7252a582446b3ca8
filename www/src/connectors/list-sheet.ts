/** How the list of connectors looks. */

import { css } from "lit";

export const listSheet = css`
  :host {
    display: grid;
    align-content: start;
    gap: calc(var(--_space) * 2);
  }
  .head,
  .search {
    display: flex;
    align-items: center;
    justify-content: space-between;
    gap: calc(var(--_space) * 2);
  }
  .search input {
    max-width: 30rem;
  }
  .count {
    flex: none;
    font-variant-numeric: tabular-nums;
  }
  .list {
    overflow: hidden;
    background: var(--_surface);
    border: 1px solid var(--_border);
    border-radius: calc(var(--_radius) * 1.5);
  }
  .columns,
  .item {
    display: grid;
    grid-template-columns: minmax(0, 5fr) minmax(0, 5fr) minmax(0, 3fr) 4.5rem 12rem;
    align-items: center;
    gap: calc(var(--_space) * 2);
    padding-inline: calc(var(--_space) * 2);
  }
  .columns {
    padding-block: var(--_space);
    color: var(--_muted);
    background: var(--_raised);
    border-bottom: 1px solid var(--_border);
    font-size: 0.875rem;
    font-weight: 600;
  }
  .scroller {
    max-height: max(14rem, calc(100dvh - 17rem));
    overflow-y: auto;
  }
  .scroller:focus-visible {
    outline: none;
  }
  .rows {
    position: relative;
  }
  .item {
    position: absolute;
    inset-inline: 0;
    border-bottom: 1px solid var(--_border);
    cursor: pointer;
  }
  .item > * {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .item:hover {
    background: var(--_raised);
  }
  .scroller:focus-visible .item[aria-selected="true"] {
    background: var(--_accent-faint);
    outline: 2px solid var(--_accent);
    outline-offset: -2px;
  }
  .name {
    font-weight: 600;
  }
  .version,
  .when {
    font-variant-numeric: tabular-nums;
  }
  .id,
  .type,
  .version,
  .when {
    color: var(--_muted);
  }
  .said {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
  }
  .empty {
    display: grid;
    justify-items: center;
    gap: calc(var(--_space) * 1.5);
    padding-block: calc(var(--_space) * 6);
    text-align: center;
  }
  @media (max-width: 800px) {
    .columns {
      display: none;
    }
    .scroller {
      max-height: max(14rem, calc(100dvh - 19rem));
    }
    .item {
      grid-template-columns: minmax(0, 1fr) auto;
      align-content: center;
      gap: 2px var(--_space);
    }
    .item .name {
      grid-area: 1 / 1;
    }
    .item .type {
      grid-area: 1 / 2;
      justify-self: end;
      max-width: 9rem;
    }
    .item .id {
      grid-area: 2 / 1;
    }
    .item .version {
      grid-area: 2 / 2;
      justify-self: end;
      font-size: 0.875rem;
    }
    .item .when {
      display: none;
    }
    .item .said {
      position: static;
      clip-path: none;
    }
  }
`;
