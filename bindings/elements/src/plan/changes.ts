/** A list of changed properties: name, what happens, where the value comes from; values when revealed. */

import type { Change, ChangeKind } from "connector-vault";
import { css, html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";

import type { LabelledValue, Reveal } from "../secret-value.js";
import type { PlanTexts } from "../texts.js";

/** Beside the word, so that a column of them is read at a glance. */
const SIGNS: Readonly<Record<ChangeKind, string>> = {
  added: "+",
  changed: "~",
  removed: "-",
  written: "~",
  unchanged: "=",
};

/** How the values of a change are revealed. */
export interface Revealing {
  readonly reveal: Reveal;
  /** Tells a property from those of the same name in other changes that are shown; by default its name does. */
  readonly key?: (name: string) => string;
  /** The values before and after, without their labels. */
  readonly load: (name: string) => Promise<readonly [before: string | undefined, after: string | undefined]>;
}

/** The list; `labels` are those of the two values, if they are not the texts' `before` and `after`. */
export function changesTemplate(
  texts: PlanTexts,
  changes: readonly Change[],
  revealing: Revealing | undefined,
  [before, after]: readonly [string, string] = [texts.before, texts.after],
): TemplateResult | typeof nothing {
  if (changes.length === 0) return nothing;
  const load = async (name: string): Promise<LabelledValue[]> => {
    const values = await revealing?.load(name);
    return [
      { label: before, value: values?.[0] },
      { label: after, value: values?.[1] },
    ];
  };
  const row = (change: Change): TemplateResult => {
    const { name } = change;
    const key = revealing?.key?.(name) ?? name;
    // Whoever plans to write without reading is not shown a value.
    const isRevealable = revealing !== undefined && !["unchanged", "written"].includes(change.change);
    return html`<li class="change ${change.change}" part="change ${change.change}">
      <span class="kind"
        ><span class="sign mono" aria-hidden="true">${SIGNS[change.change]}</span
        >${texts[change.change]}</span
      >
      <span class="name mono" part="name" translate="no">${name}</span>
      <span class="origin muted">${originTemplate(texts, change)}</span>
      ${isRevealable ? revealing.reveal.button(texts, name, key, () => load(name)) : nothing}
      ${isRevealable ? revealing.reveal.values(texts, key) : nothing}
    </li>`;
  };
  return html`<ul class="changes" part="changes" role="list">
    ${repeat(changes, ({ name }) => name, row)}
  </ul>`;
}

function originTemplate(texts: PlanTexts, { source, overridden }: Change): TemplateResult | typeof nothing {
  if (source === null) return nothing;
  return html`${texts[source]}${overridden ? html` <span class="badge" part="overridden">${texts.overridden}</span>` : nothing}`;
}

/** The look of the list. */
export const changesSheet = css`
  .changes {
    margin: 0;
    padding: 0;
    list-style: none;
    border: 1px solid var(--_border);
    border-radius: var(--_radius);
  }
  .change {
    display: grid;
    grid-template-columns: 7rem minmax(8rem, 1fr) minmax(0, 1.2fr) 4.5rem;
    align-items: center;
    gap: 0 var(--_space);
    min-height: 38px;
    padding: calc(var(--_space) / 2) var(--_space) calc(var(--_space) / 2) calc(var(--_space) * 1.5);
  }
  /* Of a thousand changes only those in sight are laid out. */
  .change:nth-child(n + 50) {
    content-visibility: auto;
    contain-intrinsic-block-size: auto 38px;
  }
  .change + .change {
    border-top: 1px solid var(--_border);
  }
  .change .kind {
    display: flex;
    gap: var(--_space);
    font-size: 0.8125rem;
    font-weight: 600;
  }
  .sign {
    width: 1ch;
    font-size: 1rem;
    line-height: 1.2;
  }
  .added .kind {
    color: var(--_added);
  }
  .changed .kind,
  .written .kind {
    color: var(--_changed);
  }
  .removed .kind {
    color: var(--_removed);
  }
  .unchanged {
    color: var(--_muted);
  }
  .unchanged .kind {
    font-weight: 400;
  }
  .change .name {
    overflow-wrap: anywhere;
  }
  .removed .name {
    text-decoration: line-through;
  }
  .change .origin {
    font-size: 0.8125rem;
  }
  .badge {
    display: inline-block;
    padding: 0 calc(var(--_space) * 0.75);
    border: 1px solid var(--_warning);
    border-radius: 99px;
    color: var(--_warning);
    white-space: nowrap;
  }
  .change .reveal {
    grid-column: 4;
    justify-self: end;
  }
  .change .values,
  .change .error {
    grid-column: 1 / -1;
    margin: calc(var(--_space) / 2) 0;
  }
  @container (max-width: 34rem) {
    .change {
      grid-template-columns: auto minmax(0, 1fr) auto;
      gap: calc(var(--_space) / 4) var(--_space);
      padding-block: var(--_space);
    }
    .change .name {
      grid-area: 1 / 1 / auto / 3;
    }
    .change .kind {
      grid-area: 2 / 1;
    }
    .change .origin {
      grid-area: 2 / 2 / auto / -1;
    }
    .change .reveal {
      grid-area: 1 / 3;
    }
  }
`;
