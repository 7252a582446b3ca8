/** The platform's actions: the documents, and what a host may ask for beside them (docs/action.md). */

import type {
  ActionOptions,
  BatchOutcome,
  Outcome,
  Ran,
  TestOutcome,
  Thrown,
  TokenInfo,
  TokenSpan,
} from "../pkg/vault.js";
import { FUNCTIONS } from "./arguments.js";
import { take, textOf } from "./check.js";
import { VaultError } from "./error.js";
import { call, release } from "./wasm.js";
import { utf8 } from "./utf8.js";

/** Names that the platform's editor writes for itself. They are ignored. */
export interface Editors {
  readonly [name: `$_${string}`]: unknown;
}

/** A parameter as designers export it: its `Value` counts. */
export interface Wrapped<T> extends Editors {
  readonly Expression?: string | null;
  readonly Value?: T | null;
  /** Expressions are the host's to evaluate: `true` is rejected. */
  readonly IsExpression: false;
  readonly Parameters?: Readonly<Record<string, never>> | null;
}

/** A parameter, as it is or wrapped. */
export type Parameter<T> = T | Wrapped<T>;

/** A row of the grid. */
export interface PropertyRow extends Editors {
  readonly PropertyName: Parameter<string>;
  /** `null` is rejected, unless the option `null: "remove"` is given. */
  readonly PropertyValue: Parameter<string | number | boolean> | null;
}

/** Where an action takes properties from. */
export interface PropertySources extends Editors {
  /** The grid, in order: of several rows with one name the last counts. */
  readonly Properties?: Parameter<readonly PropertyRow[]> | null;
  /** Text that holds a JSON object. It overrides the grid. */
  readonly PropertiesJson?: Parameter<string> | null;
}

/** What the platform's editor writes beside an action; all but `Condition` and `IsDeleted` is ignored. */
export interface Envelope extends Editors {
  readonly Title?: unknown;
  readonly Description?: unknown;
  readonly Id?: unknown;
  readonly EventName?: unknown;
  readonly Definition?: unknown;
  readonly ActionErrorMessage?: unknown;
  /** The host's to evaluate: an action with one is refused, unless the option `conditionMet` says that it held. */
  readonly Condition?: Parameter<string> | null;
  /** `true` is refused; in a batch such an action is skipped. */
  readonly IsDeleted?: boolean | null;
}

/** Merges properties into a connector: what is not named keeps its value. */
export interface UpdateAction extends Envelope {
  readonly ActionType: "Connectors.Update";
  readonly Parameters: PropertySources & { readonly EntryId: Parameter<string> };
}

/** Creates a connector; the outcome has its new id. */
export interface AddAction extends Envelope {
  readonly ActionType: "CredStore.AddConnectorEntry";
  readonly Parameters: PropertySources & {
    readonly TypeName: Parameter<string>;
    readonly EntryName: Parameter<string>;
    /** The name of the token that holds the new id afterwards. */
    readonly EntryIdTokenName?: Parameter<string> | null;
  };
}

/** Deletes a connector. */
export interface DeleteAction extends Envelope {
  readonly ActionType: "CredStore.DeleteEntry";
  readonly Parameters: Editors & { readonly EntryId: Parameter<string> };
}

/** Has the host test a connector: the option `test`. */
export interface TestAction extends Envelope {
  readonly ActionType: "Connectors.Test";
  readonly Parameters: Editors & {
    readonly EntryId: Parameter<string>;
    /** The name of the tokens that hold the result: `[Name:IsSuccess]`, `[Name:ErrorMessage]`. */
    readonly OutputTokenName?: Parameter<string> | null;
  };
}

/** An action that is marked as deleted. */
export interface DeletedAction {
  readonly IsDeleted: true;
  readonly [name: string]: unknown;
}

/** Carries out several actions in order: all or none. */
export interface BatchAction extends Envelope {
  readonly ActionType: "ExecuteActions";
  readonly Parameters: Editors & {
    readonly ActionList: Parameter<
      readonly (UpdateAction | AddAction | DeleteAction | TestAction | DeletedAction)[]
    >;
  };
}

/** An action's document: docs/action.md section 1. */
export type Action = UpdateAction | AddAction | DeleteAction | TestAction | BatchAction;

/** What becomes of an action. Of a text only its content tells. */
export type RanOf<A extends ActionInput> = A extends BatchAction
  ? BatchOutcome
  : A extends TestAction
    ? TestOutcome
    : A extends UpdateAction | AddAction | DeleteAction
      ? Outcome
      : Ran;

/**
 * An action as an object, or as the JSON text that it came as. Prefer the text if you have it: it keeps
 * large numbers, and what stands twice is found.
 */
export type ActionInput = Action | string;

export type { ActionOptions, TokenInfo, TokenSpan };

/**
 * The tokens that an action needs, each once. The vault asks for them by itself; this is for forms that
 * show them.
 *
 * Needs {@link ready}. Fails with the codes of docs/action.md.
 */
export function tokensOf(action: ActionInput): TokenInfo[] {
  const text = utf8(textOf(...take(FUNCTIONS.tokensOf, [action])));
  try {
    return call((core) => {
      const parsed = core.Action.parse(text);
      try {
        return JSON.parse(parsed.tokens()) as TokenInfo[];
      } finally {
        release(parsed);
      }
    });
  } finally {
    text.fill(0);
  }
}

/**
 * All that is wrong with an action's document, for editors: what {@link tokensOf} would throw first, then the rest, at
 * most 50. Each has its `place` in the document. Empty for an action that can be planned.
 *
 * Needs {@link ready}.
 *
 * @example
 * ```ts
 * for (const { message, hint, place } of problemsOf(text)) console.error(place?.parameter, message, hint);
 * ```
 */
export function problemsOf(action: ActionInput): VaultError[] {
  const text = utf8(textOf(...take(FUNCTIONS.problemsOf, [action])));
  try {
    const problems = JSON.parse(call((core) => core.problemsOf(text))) as Thrown[];
    return problems.map(
      ({ code, message, hint, place }) => new VaultError(code, message, hint ?? undefined, { place }),
    );
  } finally {
    text.fill(0);
  }
}

/**
 * Where a text holds tokens, for editors that mark them: the outermost ones, up to the first that an action
 * would be rejected for. Of text that is JSON some may be no tokens: `[true]` is an array there.
 *
 * Needs {@link ready}.
 */
export function findTokens(text: string): TokenSpan[] {
  const bytes = utf8(...take(FUNCTIONS.findTokens, [text]));
  try {
    return JSON.parse(call((core) => core.findTokens(bytes))) as TokenSpan[];
  } finally {
    bytes.fill(0);
  }
}
