/** Drawings. Each stands beside words that say the same, and so is hidden from screen readers. */

import { svg, html, type SVGTemplateResult, type TemplateResult } from "lit";

function icon(drawing: SVGTemplateResult): TemplateResult {
  return html`<svg
    class="icon"
    viewBox="0 0 24 24"
    width="20"
    height="20"
    fill="none"
    stroke="currentColor"
    stroke-width="1.75"
    stroke-linecap="round"
    stroke-linejoin="round"
    aria-hidden="true"
  >
    ${drawing}
  </svg>`;
}

/** The product's mark: a plug in a keyhole. */
export const MARK = html`<svg class="mark" viewBox="0 0 32 32" width="32" height="32" aria-hidden="true">
  <rect width="32" height="32" rx="8" fill="var(--_accent)" />
  <g
    fill="none"
    stroke="var(--_on-accent)"
    stroke-width="2.25"
    stroke-linecap="round"
    stroke-linejoin="round"
  >
    <path d="M13 6v4.5M19 6v4.5" />
    <path d="M9.5 10.5h13v3.75a6.5 6.5 0 0 1-4 6l.9 5.75h-6.8l.9-5.75a6.5 6.5 0 0 1-4-6z" />
  </g>
</svg>`;

export const ICONS = {
  connectors: icon(svg`<path d="M9 3v5M15 3v5M6 8h12v3a6 6 0 0 1-12 0zM12 17v4" />`),
  update: icon(svg`<path d="M4 20h4L19 9l-4-4L4 16zM13 7l4 4" />`),
  merge: icon(svg`<path d="M6 4v16M6 12c7 0 12-2 12-8M15 7l3-3 3 3" />`),
  grants: icon(
    svg`<circle cx="9" cy="8" r="3.5" /><path d="M3 20c0-3.5 2.5-6 6-6s6 2.5 6 6M16 5.5a3 3 0 0 1 0 5.5M17 14.5c2.5.7 4 2.8 4 5.5" />`,
  ),
  log: icon(svg`<path d="M8 6h12M8 12h12M8 18h12M4 6h.01M4 12h.01M4 18h.01" />`),
  lock: icon(svg`<rect x="5" y="11" width="14" height="9" rx="2" /><path d="M8 11V8a4 4 0 0 1 8 0v3" />`),
  down: icon(svg`<path d="M7 10l5 5 5-5" />`),
  file: icon(svg`<path d="M6 3h8l4 4v14H6zM14 3v4h4" />`),
} as const;
