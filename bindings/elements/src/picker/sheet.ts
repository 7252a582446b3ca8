/** How `<connector-picker>` looks. */

import { css } from "lit";

/** The styles of the picker beside the theme. */
export const pickerSheet = css`
  .picker {
    display: grid;
    gap: calc(var(--_space) / 2);
  }
  label {
    font-weight: 600;
  }
  .field {
    display: flex;
    align-items: center;
    min-height: 2.375rem;
    background: var(--_surface);
    border: 1px solid var(--_control-border);
    border-radius: var(--_radius);
  }
  .field:has(:focus-visible) {
    outline: 2px solid var(--_accent);
    outline-offset: 1px;
  }
  .field.invalid {
    border-color: var(--_error);
  }
  .field.disabled {
    background: var(--_raised);
  }
  .field input {
    flex: 1;
    min-width: 0;
    background: none;
    border: 0;
    outline: none;
    text-overflow: ellipsis;
  }
  .field button {
    display: grid;
    flex: none;
    place-items: center;
    width: 2.25rem;
    height: 2.25rem;
    padding: 0;
    color: var(--_muted);
  }
  .field button:hover:enabled {
    color: var(--_text);
  }
  .field button + button {
    margin-inline-start: calc(var(--_space) * -0.75);
  }
  svg {
    width: 1rem;
    height: 1rem;
    fill: none;
    stroke: currentColor;
    stroke-width: 1.75;
    stroke-linecap: round;
    stroke-linejoin: round;
  }
  .detail {
    margin: 0;
    font-size: 0.8125rem;
    overflow-wrap: anywhere;
  }

  .popup {
    position: fixed;
    inset: auto;
    margin: 0;
    padding: 0;
    max-height: min(var(--cv-picker-height, 24rem), var(--_room, 24rem));
    overflow: hidden;
    background: var(--_surface);
    color: var(--_text);
    border: 1px solid var(--_border);
    border-radius: var(--_radius);
    box-shadow:
      0 1px 2px rgb(0 0 0 / 0.12),
      0 8px 24px rgb(0 0 0 / 0.18);
  }
  .popup:popover-open {
    display: flex;
    flex-direction: column;
  }
  .listbox {
    min-height: 0;
    overflow-y: auto;
    overscroll-behavior: contain;
    scrollbar-width: thin;
  }
  .all {
    position: relative;
  }
  .option {
    position: absolute;
    inset-inline: 0;
    contain: content;
    display: grid;
    grid-template-columns: 1fr auto;
    column-gap: calc(var(--_space) * 1.5);
    align-content: center;
    align-items: baseline;
    padding: 0 calc(var(--_space) * 1.25);
    cursor: pointer;
    line-height: 1.35;
    -webkit-tap-highlight-color: transparent;
  }
  .option:hover {
    background: var(--_raised);
  }
  .option.active {
    background: var(--_accent-faint);
    outline: 2px solid var(--_accent);
    outline-offset: -2px;
  }
  .option > span {
    overflow: hidden;
    white-space: nowrap;
    text-overflow: ellipsis;
  }
  .name {
    font-weight: 500;
  }
  .id,
  .token .name,
  input.mono {
    font-family: var(--_font-mono);
  }
  .id,
  .type {
    color: var(--_muted);
    font-size: 0.8125rem;
  }
  .id {
    grid-column: 1;
    font-size: 0.78125rem;
  }
  .type {
    max-width: 9rem;
  }
  .token .name {
    color: var(--_token);
    font-size: 0.875rem;
  }
  .token .id {
    font-family: inherit;
    font-size: 0.8125rem;
  }
  .check {
    position: absolute;
    inset-block-end: 0.4375rem;
    inset-inline-end: calc(var(--_space) * 1.25);
    color: var(--_accent);
  }
  .check svg {
    display: block;
    stroke-width: 2.25;
  }
  mark {
    background: none;
    color: inherit;
    font-weight: 700;
    text-decoration: underline;
    text-decoration-color: var(--_accent);
    text-underline-offset: 0.2em;
  }
  .note,
  .count {
    margin: 0;
    padding: calc(var(--_space) * 1) calc(var(--_space) * 1.25);
    color: var(--_muted);
    overflow-wrap: anywhere;
  }
  .count {
    flex: none;
    border-top: 1px solid var(--_border);
    padding-block: calc(var(--_space) * 0.5);
    font-size: 0.8125rem;
  }
  @media (forced-colors: active) {
    .field button {
      border: 0;
    }
  }
  /* iOS magnifies the page for fields whose text is smaller. */
  @media (pointer: coarse) {
    .field {
      min-height: 2.75rem;
    }
    .field input {
      font-size: max(1rem, 16px);
    }
    .field button {
      width: 2.5rem;
      height: 2.75rem;
    }
  }
`;
