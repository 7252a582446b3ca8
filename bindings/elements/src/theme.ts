/**
 * How the components look: one sheet that all of them adopt. Hosts change it by custom properties and parts;
 * light or dark follows the host's `color-scheme`.
 */

import { css } from "lit";

/**
 * The custom properties of hosts stand on the left of each fallback; inside, components use the names that
 * begin with `--_`, so that each default is said once.
 */
export const theme = css`
  :host {
    --_font: var(--cv-font, system-ui, sans-serif);
    --_font-mono: var(--cv-font-mono, ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace);
    --_text: var(--cv-text, light-dark(#16202b, #e6ebf1));
    --_muted: var(--cv-muted, light-dark(#526070, #a3b0bf));
    --_surface: var(--cv-surface, light-dark(#ffffff, #151b23));
    --_raised: var(--cv-raised, light-dark(#f4f6f9, #1d2530));
    --_border: var(--cv-border, light-dark(#d4dae2, #323d4b));
    --_control-border: var(--cv-control-border, light-dark(#818d9b, #6d7b8b));
    --_accent: var(--cv-accent, light-dark(#0b5cad, #6cb2ff));
    --_on-accent: var(--cv-on-accent, light-dark(#ffffff, #0b1522));
    --_accent-faint: var(--cv-accent-faint, light-dark(#e3effb, #1a3049));
    --_added: var(--cv-added, light-dark(#11692f, #62d08a));
    --_changed: var(--cv-changed, light-dark(#7a4b00, #f0b95a));
    --_removed: var(--cv-removed, light-dark(#a8201a, #ff8f86));
    --_error: var(--cv-error, light-dark(#a8201a, #ff8f86));
    --_warning: var(--cv-warning, light-dark(#7a4b00, #f0b95a));
    --_token: var(--cv-token, light-dark(#6f2da8, #cf9dff));
    --_token-faint: var(--cv-token-faint, light-dark(#f1e6fa, #33204a));
    --_radius: var(--cv-radius, 6px);
    --_space: var(--cv-space, 8px);

    display: block;
    color: var(--_text);
    font: 0.9375rem/1.45 var(--_font);
  }
  :host([hidden]),
  [hidden] {
    display: none !important;
  }
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  button,
  input,
  select,
  textarea {
    font: inherit;
    color: inherit;
  }
  input:not([type="checkbox"], [type="radio"]),
  select,
  textarea {
    width: 100%;
    padding: calc(var(--_space) * 0.75) var(--_space);
    background: var(--_surface);
    border: 1px solid var(--_control-border);
    border-radius: var(--_radius);
  }
  ::placeholder {
    color: var(--_muted);
    opacity: 1;
  }
  button {
    padding: calc(var(--_space) * 0.75) calc(var(--_space) * 1.5);
    background: var(--_raised);
    border: 1px solid var(--_control-border);
    border-radius: var(--_radius);
    cursor: pointer;
  }
  button:hover {
    border-color: var(--_accent);
  }
  button.primary {
    background: var(--_accent);
    border-color: var(--_accent);
    color: var(--_on-accent);
    font-weight: 600;
  }
  button.quiet {
    background: none;
    border-color: transparent;
  }
  button.quiet:hover {
    background: var(--_accent-faint);
  }
  button.danger {
    color: var(--_error);
  }
  button:disabled,
  input:disabled {
    opacity: 0.6;
    cursor: default;
  }
  :focus-visible {
    outline: 2px solid var(--_accent);
    outline-offset: 1px;
  }
  /* Names and values have a direction of their own; they stand where the page's text begins. */
  code,
  .mono {
    font-family: var(--_font-mono);
    font-size: 0.9em;
    unicode-bidi: plaintext;
  }
  .mono:dir(rtl) {
    text-align: right;
  }
  .muted {
    color: var(--_muted);
  }
  .error {
    color: var(--_error);
  }
  .visually-hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
`;
