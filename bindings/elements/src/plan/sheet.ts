/** How `<update-plan>` looks beside its list of changes. */

import { css } from "lit";

export const planSheet = css`
  :host {
    container-type: inline-size;
  }
  .plan {
    display: grid;
    gap: calc(var(--_space) * 1.5);
  }
  p,
  ul {
    margin: 0;
    padding: 0;
  }
  .headline {
    font-weight: 600;
  }
  /* What is soon replaced does not flicker. */
  .outcome {
    display: grid;
    gap: calc(var(--_space) * 1.5);
    transition: opacity 0.15s;
  }
  [aria-busy="true"] .outcome {
    opacity: 0.65;
    transition-delay: 0.5s;
  }
  .batch {
    display: grid;
    gap: calc(var(--_space) * 1.5);
    margin: 0;
    padding-inline-start: calc(var(--_space) * 2.5);
    overflow-wrap: anywhere;
  }
  .caption {
    color: var(--_muted);
    font-size: 0.8125rem;
    font-weight: 600;
  }
  .warnings {
    padding: var(--_space) calc(var(--_space) * 1.5);
    border: 1px solid var(--_border);
    border-inline-start: 3px solid var(--_warning);
    border-radius: var(--_radius);
  }
  .warnings .caption {
    color: var(--_warning);
  }
  .warnings li {
    display: grid;
    grid-template-columns: auto minmax(0, 1fr);
    gap: var(--_space);
    margin-top: calc(var(--_space) / 2);
    overflow-wrap: anywhere;
  }
  .warnings svg {
    margin-top: 0.2em;
    color: var(--_warning);
  }
  .tokens,
  .tokens ul {
    display: flex;
    flex-wrap: wrap;
    align-items: baseline;
    gap: calc(var(--_space) * 0.75);
  }
  .tokens ul {
    list-style: none;
  }
  .tokens li {
    padding: 0 calc(var(--_space) * 0.75);
    background: var(--_token-faint);
    border-radius: var(--_radius);
    color: var(--_token);
    overflow-wrap: anywhere;
  }
  @media (prefers-reduced-motion: reduce) {
    .outcome {
      transition: none;
    }
  }
`;
