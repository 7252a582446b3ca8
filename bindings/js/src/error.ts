/** The one error of this package: a stable code, what went wrong, and what to do about it. */

import type { ErrorPlace } from "../pkg/vault.js";

/** Codes of the core: docs/action.md section 8, docs/format.md. A test compares them with Rust's. */
export const CORE_CODES = [
  "not_a_vault",
  "unsupported_version",
  "damaged",
  "limit_exceeded",
  "wrong_passphrase",
  "invalid_passphrase",
  "wrong_key",
  "no_key_slot",
  "last_key_slot",
  "cost_out_of_range",
  "out_of_memory",
  "wrong_identity",
  "invalid_identity",
  "invalid_grant_key",
  "invalid_vault_reference",
  "invalid_vault_id",
  "vault_id_required",
  "wrong_vault",
  "not_permitted",
  "bad_signature",
  "unauthorized_commit",
  "rolled_back",
  "false_record",
  "forked",
  "untrusted_owner",
  "other_vault",
  "connector_not_found",
  "connector_exists",
  "version_not_found",
  "conflict",
  "request_id_reused",
  "request_too_old",
  "invalid_connector_id",
  "invalid_connector_name",
  "invalid_property_name",
  "value_too_large",
  "too_many_properties",
  "invalid_argument",
  "clock",
  "group_not_found",
  "group_exists",
  "group_not_empty",
  "grant_not_found",
  "grant_exists",
  "last_owner",
  "not_mergeable",
  "merge_conflict",
  "merge_stranger",
  "merge_epoch",
  "action_too_large",
  "invalid_json",
  "json_too_deep",
  "trailing_text",
  "lone_surrogate",
  "duplicate_name",
  "not_an_object",
  "missing_action_type",
  "unknown_action_type",
  "missing_parameter",
  "unknown_parameter",
  "wrong_parameter_type",
  "action_deleted",
  "condition_not_evaluated",
  "tester_missing",
  "expression_not_supported",
  "empty_property_name",
  "missing_property_value",
  "null_value",
  "empty_value",
  "mask_value",
  "properties_json_not_text",
  "token_unresolved",
  "token_not_json",
  "token_not_an_object",
  "invalid_token_name",
  "invalid_token_format",
  "token_limit",
  "token_source_failed",
  "tester_failed",
  "internal",
] as const;

/** Codes of storages and known heads, which Rust and this package share. A test compares them with Rust's. */
export const STORAGE_CODES = [
  "outcome_unknown",
  "io",
  "not_a_file",
  "file_not_found",
  "file_exists",
  "lock_timeout",
  "lock_unreadable",
  "lock_lost",
  "file_replaced",
  "other_names",
  "not_durable",
  "state_unreadable",
  "no_state_dir",
] as const;

/** Codes of this package alone. */
export const PACKAGE_CODES = [
  /** The WebAssembly module is not loaded yet. */
  "not_ready",
  /** The vault was locked. */
  "locked",
  /** The worker that was named does not start. */
  "worker_failed",
] as const;

/** A stable code of a {@link VaultError}. A storage of your own may have further ones. */
export type VaultErrorCode =
  (typeof CORE_CODES)[number] | (typeof STORAGE_CODES)[number] | (typeof PACKAGE_CODES)[number];

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
 *   if (error instanceof VaultError && error.code === "token_unresolved") console.error(error.hint);
 * }
 * ```
 */
export class VaultError extends Error {
  override readonly name = "VaultError";
  /** The stable code: snake_case. */
  readonly code: VaultErrorCode | (string & {});
  /** What to do about it, if there is something. */
  readonly hint: string | undefined;
  /** Where in an action's document it is, if it is there: the message says the same in words. */
  readonly place: ErrorPlace | undefined;
  /** The id that no connector has, if the code is `connector_not_found`: `vault.similar` knows which may be meant. */
  readonly connector: string | undefined;

  constructor(
    code: VaultErrorCode | (string & {}),
    message: string,
    hint?: string,
    options?: ErrorOptions & {
      readonly place?: ErrorPlace | undefined;
      readonly connector?: string | undefined;
    },
  ) {
    super(message, options);
    this.code = code;
    this.hint = hint;
    this.place = options?.place;
    this.connector = options?.connector;
  }
}
