/** What every component has that is a field of a form: a name, a value to send, and whether that is valid. */

import { LitElement } from "lit";
import { property, state } from "lit/decorators.js";

/** Why a field is not valid, in words for people. */
export interface Invalidity {
  readonly flags: ValidityStateFlags;
  readonly message: string;
}

/** A field of a form, as browsers' own are: `form`, `labels`, `validity` and so on. Focus goes to its first control. */
export abstract class FormField extends LitElement {
  /** Says to browsers that this is one. */
  static readonly formAssociated = true;

  static override shadowRootOptions: ShadowRootInit = {
    ...LitElement.shadowRootOptions,
    delegatesFocus: true,
  };

  /** What the value is called when the form is sent. */
  @property({ reflect: true, useDefault: true }) name = "";

  /** Whether the form is not sent without a value. */
  @property({ type: Boolean, reflect: true }) required = false;

  /** Whether the field cannot be changed, and is left out when the form is sent. */
  @property({ type: Boolean, reflect: true }) disabled = false;

  /** Also of a `<fieldset>` around it. */
  @state() private _isFormDisabled = false;

  protected readonly internals: ElementInternals = this.attachInternals();

  /** The form that the field belongs to. */
  get form(): HTMLFormElement | null {
    return this.internals.form;
  }

  /** The labels outside that are for the field. */
  get labels(): NodeList {
    return this.internals.labels;
  }

  /** Why the field is not valid. */
  get validity(): ValidityState {
    return this.internals.validity;
  }

  /** The same in words. */
  get validationMessage(): string {
    return this.internals.validationMessage;
  }

  /** Whether the form asks if the field is valid. */
  get willValidate(): boolean {
    return this.internals.willValidate;
  }

  /** Whether the value is valid; fires `invalid` if not. */
  checkValidity(): boolean {
    return this.internals.checkValidity();
  }

  /** The same, and tells the user. */
  reportValidity(): boolean {
    return this.internals.reportValidity();
  }

  /** Whether the field, or a `<fieldset>` around it, is disabled. */
  protected get isDisabled(): boolean {
    return this.disabled || this._isFormDisabled;
  }

  /** What the form sends and whether it may: call it when either has changed. `anchor`: what is wrong. */
  protected setForm(value: string, invalidity: Invalidity | undefined, anchor: HTMLElement | null): void {
    this.internals.setFormValue(value);
    if (invalidity === undefined) this.internals.setValidity({});
    else this.internals.setValidity(invalidity.flags, invalidity.message, anchor ?? undefined);
  }

  /** Browsers call it: also for a `<fieldset>` around it. */
  formDisabledCallback(isDisabled: boolean): void {
    this._isFormDisabled = isDisabled;
  }

  /** Browsers call it when the form is reset. */
  abstract formResetCallback(): void;

  /** Browsers call it with what they have kept, when the page is visited again. */
  abstract formStateRestoreCallback(state: string): void;
}

/**
 * Whether a key is part of writing a character, such as the Enter that takes one of several. In Safari that key comes
 * when the character is there already, marked only by this code (UI Events, "keyCode for composition").
 */
export function isComposing({ isComposing, keyCode }: KeyboardEvent): boolean {
  return isComposing || keyCode === 229;
}
