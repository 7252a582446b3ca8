/** `<update-plan>`: what an action would change, before it does. */

import type { ActionInput, ActionOptions, Outcome, Plan, Ran, Tokens, Vault } from "connector-vault";
import { LitElement, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";

import { changesSheet, type Revealing } from "./plan/changes.js";
import { headlineOf, ranTemplate } from "./plan/outcome.js";
import { Planning, type Planned, type PlanRequest } from "./plan/planning.js";
import { isSameJson, isSameTokens } from "./plan/same.js";
import { planSheet } from "./plan/sheet.js";
import { quietProblemTemplate } from "./problem.js";
import { Reveal, secretValueSheet } from "./secret-value.js";
import { TextsController, type PlanTexts } from "./texts.js";
import { theme } from "./theme.js";
import { VaultWatch } from "./vault-watch.js";

/** A new plan is shown. */
export class PlanEvent extends Event {
  readonly outcome: Ran;

  constructor(outcome: Ran) {
    super("plan", { bubbles: true, composed: true });
    this.outcome = outcome;
  }
}

/** The action cannot be planned. */
export class PlanErrorEvent extends Event {
  /** A `VaultError`, unless something else went wrong. */
  readonly error: unknown;

  constructor(error: unknown) {
    super("plan-error", { bubbles: true, composed: true });
    this.error = error;
  }
}

/**
 * The dry run of an action, kept up to date while the action is being written and others change the vault:
 * what happens to each property, where its value comes from, which tokens were used, and warnings. It shows no
 * value unless the user reveals it, those of one property at a time.
 *
 * Give it `vault` and `action`, or `vault` and a ready `plan`. Run what it shows by `vault.commit(el.current)`.
 * When the vault is locked, it forgets all of it, also `action` and `tokenValues`: set them with the next vault.
 *
 * @fires plan - A new plan is shown; `event.outcome` is its report.
 * @fires plan-error - The action cannot be planned; `event.error` says why.
 * @csspart headline - What would happen as a whole, or why it cannot be planned.
 * @csspart changes - The list of properties.
 * @csspart change - One property; also has the part `added`, `changed`, `removed` or `unchanged`.
 * @csspart name - A property's name.
 * @csspart overridden - Says that the JSON overrode the grid.
 * @csspart reveal - The button that reveals and hides.
 * @csspart values - The values that are revealed.
 * @csspart value - One of them.
 * @csspart warnings - The warnings.
 * @csspart tokens - The tokens that were used.
 * @csspart token - One of them.
 * @csspart error - Why something cannot be done.
 * @cssprop --cv-added - Colour of what is added; so `--cv-changed`, `--cv-removed`, `--cv-warning`, `--cv-error`.
 */
@customElement("update-plan")
export class UpdatePlan extends LitElement {
  static override styles = [theme, changesSheet, secretValueSheet, planSheet];

  /** The vault that the action is for. */
  @property({ attribute: false }) vault?: Vault | undefined;

  /** The action that is planned: a document, or its JSON text, such as the editor's `value`. */
  @property({ attribute: false, hasChanged: (now, old) => !isSameJson(now, old) })
  action?: ActionInput | undefined;

  /** The values of the action's tokens: what `vault.plan` takes. A function has to stay the same one. */
  @property({
    attribute: false,
    hasChanged: (now: Tokens | undefined, old: Tokens | undefined) => !isSameTokens(now, old),
  })
  tokenValues?: Tokens | undefined;

  /** How the action is carried out. */
  @property({ attribute: false, hasChanged: (now, old) => !isSameJson(now, old) })
  options?: ActionOptions | undefined;

  /** A plan that is ready, in place of `action`: of `vault.planRestore`, say. It stays its owner's. */
  @property({ attribute: false }) plan?: Plan<Ran> | undefined;

  /** What is shown: a plan, or why there is none. */
  @state() private _planned: Planned | undefined;

  /** The plan that is ours to dispose of. */
  #own: Plan<Ran> | undefined;
  readonly #texts = new TextsController(this);
  readonly #reveal = new Reveal(this);
  readonly #planning = new Planning(
    () => this.#request(),
    (planned) => this.#show(planned),
  );

  constructor() {
    super();
    new VaultWatch(this, {
      changed: () => this.#replan(),
      gone: () => this.#clear(),
    });
  }

  /**
   * The plan of what `action` is now, for `vault.commit`. Nothing while it is being made, or if there is none:
   * what is still shown then is of an earlier one.
   */
  get current(): Plan<Ran> | undefined {
    return this.#planning.isBusy ? undefined : this.#shown;
  }

  /** The report of the plan that is shown. */
  get outcome(): Ran | undefined {
    return this.#shown?.outcome;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const said = ["action", "tokenValues", "options", "plan"] as const;
    if (this.isConnected && said.some((name) => changed.has(name))) this.#replan(true);
  }

  /** Also waits for the plan of what was set. */
  protected override async getUpdateComplete(): Promise<boolean> {
    await super.getUpdateComplete();
    await this.#planning.idle();
    return await super.getUpdateComplete();
  }

  protected override render(): TemplateResult {
    const texts = this.#texts.plan;
    const { outcome } = this;
    return html`<div role="group" aria-label=${texts.label} aria-busy=${this.#planning.isBusy} class="plan">
      <div role="status" part="headline">${this.#headline(texts)}</div>
      ${
        outcome === undefined
          ? nothing
          : html`<div class="outcome">
              ${ranTemplate(texts, outcome, (outcome, change) => this.#revealing(outcome, change))}
            </div>`
      }
    </div>`;
  }

  #headline(texts: PlanTexts): TemplateResult {
    if (this.vault?.isLocked === true) return html`<p class="muted">${texts.locked}</p>`;
    const planned = this._planned;
    if (planned === undefined) return html`<p class="muted">${texts.empty}</p>`;
    if ("plan" in planned) return html`<p class="headline">${headlineOf(texts, planned.plan)}</p>`;
    // Most of what is half written cannot be planned.
    return quietProblemTemplate(planned.problem);
  }

  /** What was carried out has no values that are still to come. */
  #revealing({ status, id, versionBefore }: Outcome, change: number): Revealing | undefined {
    const { vault } = this;
    const plan = this.#shown;
    if (vault === undefined || plan === undefined || status !== "planned") return undefined;
    return {
      reveal: this.#reveal,
      key: (name) => `${change} ${name}`,
      load: async (name) => {
        const after = plan.reveal(name, change);
        return [await before(name), after];
      },
    };
    async function before(name: string): Promise<string | undefined> {
      if (versionBefore === null) return undefined;
      // What an action before it in the batch made is in the plan alone.
      const earlier = earlierChange(plan as Plan<Ran>, id, change);
      if (earlier !== undefined) return plan?.reveal(name, earlier);
      return await vault?.readProperty(id, name, versionBefore);
    }
  }

  get #shown(): Plan<Ran> | undefined {
    return this._planned !== undefined && "plan" in this._planned ? this._planned.plan : undefined;
  }

  #request(): PlanRequest | undefined {
    const { vault, action, tokenValues: tokens, options } = this;
    return vault === undefined || action === undefined ? undefined : { vault, action, tokens, options };
  }

  /** What is shown stays until there is something newer; what is revealed does not. */
  #replan(isOther = false): void {
    this.#reveal.hide();
    if (this.plan !== undefined || this.#request() === undefined) {
      this.#planning.stop();
      // Also why there was none for what is no longer asked.
      if (this.plan === undefined || this.plan !== this.#shown) this.#keep(this.plan && { plan: this.plan });
    } else {
      this.#planning.plan({ isOther, isFirst: this._planned === undefined });
    }
    this.requestUpdate();
  }

  #show(planned: Planned): void {
    this.#reveal.hide();
    this.#keep(planned);
    if ("plan" in planned) {
      this.#own = planned.plan;
      this.dispatchEvent(new PlanEvent(planned.plan.outcome));
    } else {
      this.dispatchEvent(new PlanErrorEvent(planned.error));
    }
  }

  #clear(): void {
    this.#reveal.hide();
    this.#planning.stop();
    this.#keep(undefined);
    // Both may hold secrets, and nobody is here any more who may see them.
    if (this.vault?.isLocked === true) this.action = this.tokenValues = undefined;
    this.requestUpdate();
  }

  #keep(planned: Planned | undefined): void {
    this.#own?.dispose();
    this.#own = undefined;
    this._planned = planned;
  }
}

/** Which change before this one in the plan is of the same connector and made a version of it. */
function earlierChange(plan: Plan<Ran>, id: string, change: number): number | undefined {
  const changes = plan.outcomes.filter((outcome): outcome is Outcome => "changes" in outcome);
  const index = changes
    .slice(0, change)
    .findLastIndex((earlier) => earlier.id === id && earlier.versionBefore !== earlier.versionAfter);
  return index === -1 ? undefined : index;
}

declare global {
  interface HTMLElementEventMap {
    plan: PlanEvent;
    "plan-error": PlanErrorEvent;
  }
  interface HTMLElementTagNameMap {
    "update-plan": UpdatePlan;
  }
}
