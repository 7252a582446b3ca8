/** `<update-view>`: the update designer: an action is written, its plan is seen, and exactly that is run. */

import { LitElement, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import {
  outcomesOf,
  tokensOf,
  type ActionOptions,
  type Outcome,
  type Ran,
  type TokenInfo,
  type Vault,
} from "connector-vault";
import { problemOf } from "connector-vault-elements/problem.js";
import type { PlanEvent, PlanErrorEvent, UpdatePlan } from "connector-vault-elements/update-plan.js";
import type { UpdateConnectorEditor } from "connector-vault-elements/update-connector-editor.js";

import { NavigateEvent, type Route } from "../navigation.js";
import { NoticeEvent } from "../notice.js";
import type { Session } from "../session.js";
import { sheet, theme } from "../ui/sheet.js";
import { VaultWatch } from "../ui/vault-watch.js";
import { Work, workSheet } from "../ui/work.js";
import { EXAMPLE, emptyAction, entryIdOf, isForForm } from "./action.js";
import { draftOf, tokenNames } from "./draft.js";
import type { PasteAction, ActionPasted } from "./paste-action.js";
import type { RunOptions } from "./run-options.js";
import type { TokenValues } from "./token-values.js";
import { updateSheet } from "./update-sheet.js";
import "connector-vault-elements/update-connector-editor.js";
import "connector-vault-elements/update-plan.js";
import "./action-text.js";
import "./paste-action.js";
import "./run-options.js";
import "./token-values.js";

@customElement("update-view")
export class UpdateView extends LitElement {
  static override styles = [theme, sheet, workSheet, updateSheet];

  @property({ attribute: false }) session?: Session | undefined;
  /** The connector that is chosen already. */
  @property({ attribute: false }) connectorId?: string | undefined;
  @state() private action = emptyAction();
  /** Those of the last action that could be read: fields do not come and go with each key. */
  @state() private tokens: readonly TokenInfo[] = [];
  @state() private tokenValues: Readonly<Record<string, string>> = {};
  @state() private options: ActionOptions = {};
  /** What is offered where a bracket opens. */
  @state() private suggestions: readonly { readonly name: string }[] = [];
  @state() private planned: { readonly outcome?: Ran; readonly error?: unknown } = {};
  /** What was run, until something else is written. */
  @state() private done: Ran | undefined;
  /** Somebody is looking for a connector: what they have typed is no id yet, and nothing is planned of it. */
  @state() private isPicking = false;
  #pickedId = "";
  @query("update-connector-editor") private editor!: UpdateConnectorEditor | null;
  @query("update-plan") private plan!: UpdatePlan | null;
  @query("token-values") private values!: TokenValues | null;
  @query("run-options") private runOptions!: RunOptions | null;
  @query("paste-action") private paste!: PasteAction | null;
  readonly #work = new Work(this);

  constructor() {
    super();
    new VaultWatch(this, { forget: () => this.#forget() });
  }

  override willUpdate(changed: PropertyValues<this>): void {
    const vault = this.session?.vault;
    if (vault === undefined || vault.isLocked) return;
    if (!changed.has("session") && !changed.has("connectorId")) return;
    const { action } = draftOf(vault);
    this.#take(
      vault,
      this.connectorId === undefined || entryIdOf(action) === this.connectorId
        ? action
        : emptyAction(this.connectorId),
    );
    this.#picked();
  }

  override render() {
    const vault = this.session?.vault;
    if (vault === undefined || vault.isLocked) return nothing;
    const isEmpty = this.action === emptyAction();
    return html`<div class="view">
      <header class="stack">
        <div class="row spread">
          <h1 tabindex="-1">Update a connector</h1>
          <div class="row">
            ${
              isEmpty
                ? html`<button type="button" @click=${() => this.#write(vault, EXAMPLE)}>
                    Load the documentation's example
                  </button>`
                : html`<button type="button" @click=${() => this.#write(vault, emptyAction())}>
                    Start anew
                  </button>`
            }
            <button type="button" @click=${() => this.paste?.show()}>Paste an action</button>
          </div>
        </div>
        <p class="muted">
          The action <code>Connectors.Update</code> of a workflow: properties that it names get new values,
          all others stay, and so does the connector's id.
        </p>
        <paste-action @action-pasted=${({ text }: ActionPasted) => this.#write(vault, text)}></paste-action>
      </header>
      ${isForForm(this.action) ? this.#form(vault, isEmpty) : this.#document(vault)}
      <div class="side stack">
        <token-values
          ?hidden=${this.tokens.length === 0}
          .tokens=${this.tokens}
          @values=${() => {
            this.tokenValues = this.values?.values ?? {};
            this.done = undefined;
          }}
        ></token-values>
        <section class="card stack" aria-labelledby="plan">
          <h2 id="plan">${this.done === undefined ? "What would change" : "Done"}</h2>
          ${this.#run(vault, isEmpty)}
        </section>
      </div>
      <action-text
        class="text"
        ?hidden=${isEmpty || !isForForm(this.action)}
        .action=${this.action}
      ></action-text>
    </div>`;
  }

  #form(vault: Vault, isEmpty: boolean): TemplateResult {
    return html`<section class="card editor" aria-label="The action">
      <update-connector-editor
        .vault=${vault}
        .value=${this.action}
        .tokens=${this.suggestions}
        .plan=${changeOf(this.done ?? this.planned.outcome)}
        .error=${isEmpty ? undefined : this.#errorOfForm()}
        @input=${() => this.#edited(vault)}
        @change=${() => this.#picked()}
      ></update-connector-editor>
      ${this.#names(vault)}
    </section>`;
  }

  /** An action that the form does not know, such as a list of actions: its JSON. */
  #document(vault: Vault): TemplateResult {
    return html`<section class="card editor stack" aria-label="The action">
      <label>
        The action's JSON, as the workflow has it
        <textarea
          class="mono document"
          rows="18"
          autocomplete="off"
          autocapitalize="none"
          spellcheck="false"
          .value=${this.action}
          @input=${(event: Event) => {
            this.#take(vault, (event.target as HTMLTextAreaElement).value);
            this.#picked();
          }}
        ></textarea>
      </label>
    </section>`;
  }

  /** What is wrong in the form itself: a token without a value is told where values are given. */
  #errorOfForm(): unknown {
    const { error } = this.planned;
    return problemOf(error).code === "token_unresolved" ? undefined : error;
  }

  /** The version that the connector of the action has now. */
  #presentVersion(vault: Vault): number | undefined {
    const id = entryIdOf(this.action);
    return !vault.isLocked && vault.has(id) ? vault.connector(id).version : undefined;
  }

  #run(vault: Vault, isEmpty: boolean): TemplateResult {
    const { done } = this;
    const outcome = done === undefined ? nothing : this.#outcome(vault, done);
    return html`<div class="outcome" role="status">${outcome}</div>
      <update-plan
        ?hidden=${done !== undefined}
        .vault=${vault}
        .action=${isEmpty || done !== undefined || this.isPicking ? undefined : this.action}
        .tokenValues=${this.tokenValues}
        .options=${this.options}
        @plan=${({ outcome }: PlanEvent) => this.#planned(vault, { outcome })}
        @plan-error=${({ error }: PlanErrorEvent) => this.#planned(vault, { error })}
      ></update-plan>
      <run-options
        .present=${this.#presentVersion(vault)}
        @change=${() => {
          this.options = this.runOptions?.value ?? {};
          this.done = undefined;
        }}
      ></run-options>
      ${this.#work.template()}
      <div class="row">
        <button
          type="button"
          class="primary"
          ?disabled=${isEmpty}
          aria-disabled=${done === undefined ? this.#work.ariaDisabled : "true"}
          @click=${() => void this.#commit(vault)}
        >
          Run the update
        </button>
        <span class="muted hint">Exactly what is shown happens, or nothing.</span>
      </div>`;
  }

  #outcome(vault: Vault, ran: Ran): TemplateResult {
    const changed = outcomesOf(ran).filter((outcome): outcome is Outcome => "changes" in outcome);
    const ids = [...new Set(changed.map(({ id }) => id))].filter((id) => vault.has(id));
    const [id] = ids;
    return html`<div class="stack">
      <p><b>✓ ${noticeOf(vault, ran)}</b> The values of tokens were forgotten.</p>
      ${
        ids.length === 1 && id !== undefined
          ? html`<div class="row">
              ${this.#way("History", { view: "history", id })}
              ${this.#way("Connector", { view: "connector", id })}
            </div>`
          : nothing
      }
    </div>`;
  }

  #way(text: string, route: Route): TemplateResult {
    return html`<button type="button" @click=${() => this.dispatchEvent(new NavigateEvent(route))}>
      ${text}
    </button>`;
  }

  /** What the editor completes. Names of tokens tell something, too: they are kept nowhere. */
  #names(vault: Vault): TemplateResult {
    return html`<details class="names">
      <summary>Tokens that are suggested</summary>
      <label>
        Names of your platform's tokens, one on each line, until the vault is locked
        <textarea
          rows="4"
          class="mono"
          autocomplete="off"
          autocapitalize="none"
          spellcheck="false"
          placeholder="Secrets:TwitterKey"
          .value=${draftOf(vault).names}
          @input=${(event: Event) => {
            draftOf(vault).names = (event.target as HTMLTextAreaElement).value;
            this.#suggest(vault);
          }}
        ></textarea>
      </label>
    </details>`;
  }

  /** Puts an action into the form, in place of what is there. */
  #write(vault: Vault, action: string): void {
    this.#take(vault, action);
    this.#picked();
    void this.updateComplete.then(() => {
      const document = this.renderRoot.querySelector<HTMLTextAreaElement>("textarea.document");
      (this.editor ?? document)?.focus();
    });
  }

  #edited(vault: Vault): void {
    this.#take(vault, this.editor?.value ?? emptyAction());
    this.isPicking = entryIdOf(this.action) !== this.#pickedId;
    if (this.isPicking) this.planned = {};
  }

  /** Also what was typed is the connector, once the field is left. */
  #picked(): void {
    this.#pickedId = entryIdOf(this.action);
    this.isPicking = false;
  }

  #take(vault: Vault, action: string): void {
    const draft = draftOf(vault);
    this.action = draft.action = action;
    this.done = undefined;
    this.#work.stop();
    // Nothing is planned of it.
    if (action === emptyAction()) this.planned = {};
    try {
      this.tokens = tokensOf(action);
    } catch {
      // The plan says why.
    }
    this.#suggest(vault);
  }

  #planned(vault: Vault, planned: UpdateView["planned"]): void {
    this.planned = planned;
    const { used } = draftOf(vault);
    const outcomes = planned.outcome === undefined ? [] : outcomesOf(planned.outcome);
    for (const outcome of outcomes) {
      if ("tokens" in outcome) for (const token of outcome.tokens) used.add(token);
    }
    this.#suggest(vault);
  }

  #suggest(vault: Vault): void {
    const names = tokenNames(draftOf(vault));
    if (names.join("\n") === this.suggestions.map(({ name }) => name).join("\n")) return;
    this.suggestions = names.map((name) => ({ name }));
  }

  async #commit(vault: Vault): Promise<void> {
    if (this.#work.busy !== undefined || this.done !== undefined) return;
    // What is shown at this moment, and nothing that is planned while the user's click is on its way.
    const plan = this.plan?.current;
    const outcome = await this.#work.run("Running the update", async (signal) => {
      if (plan === undefined) throw await this.#notPlanned();
      try {
        return await vault.commit(plan, { signal });
      } catch (error) {
        if (problemOf(error).code !== "conflict") throw error;
        // Where it is read it is planned again.
        await vault.refresh();
        throw movedOn();
      }
    });
    if (outcome === undefined || vault.isLocked) return;
    this.values?.clear();
    this.tokenValues = {};
    this.runOptions?.renew();
    this.done = outcome;
    this.dispatchEvent(new NoticeEvent(noticeOf(vault, outcome)));
  }

  /** Why there was no plan when the button was pressed. */
  async #notPlanned(): Promise<Error> {
    await this.plan?.updateComplete;
    if (this.plan?.current !== undefined) return movedOn();
    return new Error("there is no plan to run: see what is wrong with the action");
  }

  #forget(): void {
    this.#work.stop();
    this.action = emptyAction();
    this.tokens = [];
    this.tokenValues = {};
    this.options = {};
    this.suggestions = [];
    this.planned = {};
    this.done = undefined;
    this.values?.clear();
    this.paste?.close();
  }
}

function movedOn(): Error {
  const message = "what would change is not what it was, so nothing was run";
  return Object.assign(new Error(message), { hint: "look at it again, then run it" });
}

/** The one change of an action: of a batch, the editor marks none. */
function changeOf(ran: Ran | undefined): Outcome | undefined {
  return ran !== undefined && "changes" in ran ? ran : undefined;
}

/** What was done, in one sentence. */
function noticeOf(vault: Vault, ran: Ran): string {
  if ("outcomes" in ran)
    return `${ran.outcomes.length === 1 ? "1 action was" : `${ran.outcomes.length} actions were`} carried out.`;
  const name = nameOf(vault, ran.id);
  if (!("changes" in ran)) return ran.success ? `${name} works.` : `${name} does not work.`;
  if (ran.status === "deleted") return `${name} was deleted.`;
  return ran.status === "unchanged" ? `${name} is as it was.` : `${name} is at version ${ran.versionAfter}.`;
}

function nameOf(vault: Vault, id: string): string {
  try {
    return vault.connector(id).name;
  } catch {
    return id;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "update-view": UpdateView;
  }
}
