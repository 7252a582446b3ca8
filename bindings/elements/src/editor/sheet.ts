/** How `<update-connector-editor>` looks. */

import { css } from "lit";

/** The styles of the editor beside the theme. */
export const editorSheet = css`
  .editor {
    display: grid;
    gap: calc(var(--_space) * 3);
    container-type: inline-size;
  }
  section {
    display: grid;
    gap: calc(var(--_space) / 2);
    min-width: 0;
  }
  p {
    margin: 0;
  }
  .label {
    font-weight: 600;
  }
  .hint {
    color: var(--_muted);
    font-size: 0.8125rem;
  }
  .error {
    font-size: 0.875rem;
    overflow-wrap: anywhere;
  }
  .unreadable {
    display: grid;
    gap: var(--_space);
    justify-items: start;
    padding: calc(var(--_space) * 2);
    border: 1px solid var(--_error);
    border-radius: var(--_radius);
  }

  table {
    display: block;
    width: 100%;
    border: 1px solid var(--_border);
    border-radius: var(--_radius);
    background: var(--_surface);
  }
  thead,
  tbody {
    display: block;
  }
  thead tr,
  .row {
    display: grid;
    grid-template-columns: 1.5rem minmax(0, 2fr) minmax(0, 3fr) 6.25rem;
    column-gap: var(--_space);
    padding: 0 calc(var(--_space) / 2);
  }
  th,
  td {
    display: block;
    padding: 0;
    min-width: 0;
    text-align: start;
  }
  th {
    padding: calc(var(--_space) * 0.75) var(--_space);
    color: var(--_muted);
    font-size: 0.8125rem;
    font-weight: 600;
  }
  .row {
    align-items: start;
    padding-block: calc(var(--_space) / 2);
    border-top: 1px solid var(--_border);
  }
  /* Of a thousand rows only those in sight are laid out. */
  .row:nth-child(n + 50) {
    content-visibility: auto;
    contain-intrinsic-block-size: auto 2.75rem;
  }
  .fixed thead tr,
  .fixed .row {
    grid-template-columns: minmax(0, 2fr) minmax(0, 3fr);
  }
  .fixed :is(.handle-cell, .actions-cell, thead td, thead th:last-child) {
    display: none;
  }

  .cell {
    display: grid;
    border-radius: var(--_radius);
  }
  .cell > * {
    grid-area: 1 / 1;
    margin: 0;
    font-size: 0.875rem;
    line-height: 1.45;
  }
  .cell textarea,
  .backdrop {
    min-width: 0;
    max-height: 14rem;
    padding: calc(var(--_space) * 0.75) var(--_space);
    border: 1px solid transparent;
    overflow: auto;
    scrollbar-width: thin;
    white-space: pre-wrap;
    overflow-wrap: anywhere;
    tab-size: 4;
  }
  .cell textarea {
    position: relative;
    field-sizing: content;
    resize: none;
    background: none;
  }
  .cell textarea:hover:enabled {
    border-color: var(--_border);
  }
  .cell textarea:focus {
    border-color: var(--_control-border);
  }
  .cell textarea::placeholder {
    font-family: var(--_font);
  }
  .cell textarea[aria-invalid="true"] {
    border-color: var(--_error);
  }
  .backdrop {
    color: transparent;
    pointer-events: none;
    user-select: none;
  }
  .backdrop mark {
    color: transparent;
    background: var(--_token-faint);
    border-radius: 3px;
    box-shadow: 0 1px 0 var(--_token);
  }
  .notes {
    padding: 2px var(--_space) calc(var(--_space) / 2);
  }
  .notes .mark {
    color: var(--_warning);
    font-size: 0.8125rem;
  }
  .notes .mark::before {
    content: "⚠ " / "";
  }

  .handle {
    display: grid;
    place-items: center;
    width: 1.5rem;
    height: 2.25rem;
    color: var(--_muted);
    border-radius: var(--_radius);
    cursor: grab;
    touch-action: none;
  }
  .handle:hover {
    color: var(--_text);
    background: var(--_accent-faint);
  }
  .actions-cell {
    display: flex;
    justify-content: end;
    align-items: start;
    padding-top: 2px;
  }
  .icon {
    display: grid;
    place-items: center;
    width: 2rem;
    height: 2rem;
    padding: 0;
    color: var(--_muted);
  }
  .icon:hover,
  .icon:focus-visible {
    color: var(--_text);
  }
  .icon[aria-disabled="true"] {
    opacity: 0.35;
    cursor: default;
  }
  @media (hover: hover) {
    .row:not(:hover, :focus-within) .icon:not([data-command="remove"]) {
      opacity: 0;
    }
  }
  .row.dragged {
    position: relative;
    z-index: 1;
    background: var(--_raised);
    border-radius: var(--_radius);
    box-shadow: 0 4px 16px rgb(0 0 0 / 0.25);
    transform: translateY(var(--_dragged, 0));
    cursor: grabbing;
  }
  .row.drop-before {
    box-shadow: inset 0 2px 0 var(--_accent);
  }
  .row.drop-after {
    box-shadow: inset 0 -2px 0 var(--_accent);
  }
  .status {
    display: flex;
    align-items: center;
    gap: var(--_space);
    font-size: 0.875rem;
  }
  .undo {
    min-height: 28px;
    padding: 0 var(--_space);
    color: var(--_accent);
  }

  .tokens {
    position: fixed;
    inset: auto;
    margin: 0;
    padding: calc(var(--_space) / 2);
    max-height: min(16rem, var(--_room, 16rem));
    overflow: auto;
    color: var(--_text);
    background: var(--_surface);
    border: 1px solid var(--_border);
    border-radius: var(--_radius);
    box-shadow: 0 6px 20px rgb(0 0 0 / 0.2);
  }
  .token {
    display: flex;
    flex-wrap: wrap;
    gap: 0 var(--_space);
    align-items: baseline;
    justify-content: space-between;
    padding: calc(var(--_space) * 0.75) var(--_space);
    border-radius: calc(var(--_radius) - 2px);
    font-size: 0.8125rem;
    cursor: pointer;
  }
  .token .mono {
    color: var(--_token);
    font-size: 0.875rem;
    overflow-wrap: anywhere;
  }
  .token:hover {
    background: var(--_raised);
  }
  .token.active {
    background: var(--_accent-faint);
    box-shadow: inset 3px 0 0 var(--_accent);
    /* Seen where colours are forced, which leave out shadows. */
    outline: 2px solid transparent;
    outline-offset: -2px;
  }

  .json {
    min-width: 0;
    background: var(--_surface);
    border: 1px solid var(--_control-border);
    border-radius: var(--_radius);
  }
  .json:focus-within {
    outline: 2px solid var(--_accent);
    outline-offset: 1px;
  }
  .json.wrong {
    border-color: var(--_error);
  }
  .json textarea {
    display: block;
    min-height: 8.5rem;
    background: none;
    border: 0;
    outline: none;
    font-size: 0.875rem;
    resize: vertical;
  }
  .json :disabled {
    opacity: 1;
  }
  .disabled :is(table, .json) {
    background: var(--_raised);
  }
  .disabled .cell textarea {
    color: var(--_muted);
  }

  @container (max-width: 32rem) {
    thead {
      position: absolute;
      width: 1px;
      height: 1px;
      overflow: hidden;
      clip-path: inset(50%);
    }
    .row {
      grid-template-columns: 1.5rem minmax(0, 1fr) auto;
      column-gap: calc(var(--_space) / 2);
    }
    .fixed .row {
      grid-template-columns: minmax(0, 1fr);
    }
    tbody .row:first-child {
      border-top: 0;
    }
    .handle-cell {
      grid-row: 1 / span 2;
    }
    .value-cell {
      grid-area: 2 / 2 / auto / -1;
    }
    .fixed .value-cell {
      grid-area: auto;
    }
    .name-cell .cell > * {
      font-weight: 600;
    }
  }
  @media (forced-colors: active) {
    .backdrop {
      forced-color-adjust: none;
    }
    .backdrop mark {
      background: none;
      outline: 1px solid Highlight;
    }
    .row.dragged {
      outline: 2px solid Highlight;
    }
    .row.drop-before {
      border-top: 3px solid Highlight;
    }
    .row.drop-after {
      border-bottom: 3px solid Highlight;
    }
  }
  /* iOS magnifies the page for fields whose text is smaller. */
  @media (pointer: coarse) {
    .cell > *,
    .json textarea {
      font-size: max(1rem, 16px);
    }
    .icon {
      width: 2.5rem;
      height: 2.5rem;
    }
  }
`;
