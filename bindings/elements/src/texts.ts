/** What the components say, in English unless the host says otherwise. */

import type { ReactiveController, ReactiveControllerHost } from "lit";

import { EDITOR_TEXTS, type EditorTexts } from "./texts/editor.js";
import { HISTORY_TEXTS, type HistoryTexts } from "./texts/history.js";
import { PICKER_TEXTS, type PickerTexts } from "./texts/picker.js";
import { PLAN_TEXTS, type PlanTexts } from "./texts/plan.js";

export type { EditorTexts, HistoryTexts, PickerTexts, PlanTexts };

/** Every text of every component. */
export interface Texts {
  readonly picker: PickerTexts;
  readonly editor: EditorTexts;
  readonly plan: PlanTexts;
  readonly history: HistoryTexts;
}

const ENGLISH: Texts = {
  picker: PICKER_TEXTS,
  editor: EDITOR_TEXTS,
  plan: PLAN_TEXTS,
  history: HISTORY_TEXTS,
};

let current = ENGLISH;
const hosts = new Set<ReactiveControllerHost>();

/**
 * Replaces texts in all components, also those that are shown. What is not named is English.
 *
 * @example
 * ```ts
 * setTexts({ picker: { label: "Konnektor" } });
 * ```
 */
export function setTexts(texts: { readonly [Part in keyof Texts]?: Partial<Texts[Part]> }): void {
  current = {
    picker: { ...ENGLISH.picker, ...texts.picker },
    editor: { ...ENGLISH.editor, ...texts.editor },
    plan: { ...ENGLISH.plan, ...texts.plan },
    history: { ...ENGLISH.history, ...texts.history },
  };
  for (const host of hosts) host.requestUpdate();
}

/** Renders its component again when texts are replaced. */
export class TextsController implements ReactiveController {
  readonly #host: ReactiveControllerHost;

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  get picker(): PickerTexts {
    return current.picker;
  }

  get editor(): EditorTexts {
    return current.editor;
  }

  get plan(): PlanTexts {
    return current.plan;
  }

  get history(): HistoryTexts {
    return current.history;
  }

  hostConnected(): void {
    hosts.add(this.#host);
  }

  hostDisconnected(): void {
    hosts.delete(this.#host);
  }
}
