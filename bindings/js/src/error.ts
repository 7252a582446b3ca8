/** The one error of this package: a stable code, what went wrong, and what to do about it. */

/**
 * What went wrong, where, and what to do about it. Never holds a secret.
 *
 * `code` is public API and the same on every surface: compare it, never the message.
 *
 * @example
 * ```ts
 * try {
 *   await vault.run(action);
 * } catch (error) {
 *   if (error instanceof VaultError && error.code === "connector_not_found") console.error(error.hint);
 * }
 * ```
 */
export class VaultError<Code extends string = string> extends Error {
  override readonly name = "VaultError";
  /** The stable code: snake_case. */
  readonly code: Code;
  /** What to do about it, if there is something. */
  readonly hint: string | undefined;

  constructor(code: Code, message: string, hint?: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.hint = hint;
  }
}
