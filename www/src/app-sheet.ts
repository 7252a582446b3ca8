/** How the page is laid out. */

import { css } from "lit";

export const appSheet = css`
  :host {
    display: flex;
    flex-direction: column;
    min-height: 100dvh;
  }
  app-header {
    position: sticky;
    z-index: 3;
    top: 0;
  }
  main {
    flex: 1;
    min-width: 0;
  }
  app-header + main {
    box-sizing: border-box;
    width: 100%;
    max-width: 76rem;
    margin-inline: auto;
    padding: calc(var(--_space) * 3) clamp(1rem, 2.5vw, 2rem) calc(var(--_space) * 6);
  }
  .note {
    margin-bottom: calc(var(--_space) * 2);
    padding: calc(var(--_space) * 1.25) calc(var(--_space) * 2);
    background: var(--_surface);
    border: 1px solid var(--_border);
    border-inline-start: 4px solid var(--_warning);
    border-radius: var(--_radius);
  }
  main:not(app-header + main) > .note {
    margin: 1rem auto 0;
    width: min(59rem, calc(100% - 2rem));
  }
  sample-note {
    margin-bottom: calc(var(--_space) * 2);
  }
  .toast {
    position: fixed;
    z-index: 4;
    inset: auto 1rem calc(1rem + env(safe-area-inset-bottom)) auto;
    max-width: min(28rem, calc(100% - 2rem));
    padding: calc(var(--_space) * 1.25) calc(var(--_space) * 2);
    color: var(--_surface);
    background: var(--_text);
    border-radius: var(--_radius);
    box-shadow: 0 8px 24px rgb(0 0 0 / 18%);
    overflow-wrap: anywhere;
  }
  .toast.empty {
    padding: 0;
    box-shadow: none;
  }
  idle-warning {
    position: fixed;
    z-index: 4;
    inset: auto auto calc(1rem + env(safe-area-inset-bottom)) 1rem;
    max-width: min(26rem, calc(100% - 2rem));
  }
  @media (max-width: 860px) {
    app-header + main {
      padding-bottom: calc(88px + env(safe-area-inset-bottom));
    }
    .toast {
      bottom: calc(72px + env(safe-area-inset-bottom));
    }
    idle-warning {
      inset: 64px 1rem auto;
      margin-inline: auto;
    }
  }
`;
