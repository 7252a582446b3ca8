/** How `<update-view>` is laid out. */

import { css } from "lit";

export const updateSheet = css`
  .view {
    display: grid;
    grid-template: "head head" auto "editor side" auto "text side" 1fr / minmax(0, 3fr) minmax(20rem, 2fr);
    gap: calc(var(--_space) * 2);
    align-items: start;
  }
  header {
    grid-area: head;
  }
  .editor {
    grid-area: editor;
  }
  .side {
    position: sticky;
    top: calc(var(--_space) * 9);
    grid-area: side;
  }
  .text {
    grid-area: text;
  }
  paste-action,
  .outcome:empty {
    position: absolute;
  }
  .document {
    font-size: 0.875rem;
    resize: vertical;
  }
  .hint {
    font-size: 0.875rem;
  }
  summary {
    min-height: 24px;
    cursor: pointer;
  }
  .names label {
    margin-top: var(--_space);
  }
  @media (max-width: 900px) {
    .view {
      grid-template: "head" "editor" "side" "text" / minmax(0, 1fr);
    }
    .side {
      position: static;
    }
  }
`;
