/** What callers say of a vault: how it is made, opened and changed. */

import type { ActionOptions, FalseVersion, KdfCost, Role } from "../pkg/vault.js";
import type { Tester } from "./asking.js";
import type { KnownHead, KnownHeads } from "./heads.js";
import type { Identity } from "./identity.js";
import type { Tokens } from "./tokens.js";

/** What may take long can be given up. */
export interface Abortable {
  readonly signal?: AbortSignal | undefined;
}

/** How a vault is remembered and which time it writes. */
export interface HostOptions extends Abortable {
  /** Where known heads are kept: by default where the storage says. `null`: nowhere. */
  readonly heads?: KnownHeads | null | undefined;
  /** The clock; by default the platform's. */
  readonly clock?: (() => Date) | undefined;
}

/** What opens a vault: a passphrase, an external key or an identity. */
export type Unlock =
  | {
      readonly passphrase: string;
      /** Tries only the key slots of the grant with this label, which saves time. */
      readonly grant?: string | undefined;
      readonly key?: undefined;
      readonly hint?: undefined;
      readonly identity?: undefined;
    }
  | {
      /**
       * 32 bytes that the host keeps outside the vault: a passkey's PRF output, a key that a key management service
       * unwraps. A copy is taken, and wiped.
       */
      readonly key: Uint8Array;
      /** Tries only the key slots with this hint: see {@link Vault.keySlots}. */
      readonly hint?: Uint8Array | undefined;
      /** Tries only the key slots of the grant with this label. */
      readonly grant?: string | undefined;
      readonly passphrase?: undefined;
      readonly identity?: undefined;
    }
  | {
      /** Needs `vaultReference` or `vaultId`, unless the vault is known here. */
      readonly identity: Identity | string;
      readonly passphrase?: undefined;
      readonly key?: undefined;
      readonly hint?: undefined;
      readonly grant?: undefined;
    };

/** What the first owner of a new vault is called, and what trying the passphrase costs. */
export interface Owner {
  /** By default `owner`. */
  readonly label?: string | undefined;
  readonly cost?: KdfCost | undefined;
}

/** An external key of a new vault's owner, and its hint, which stands in the file in clear. */
export interface OwnerKey {
  readonly key: Uint8Array;
  readonly hint?: Uint8Array | undefined;
}

/** The first owner of a new vault: with a passphrase, an external key, an identity, or several of them. */
export type NewOwner = HostOptions &
  Owner &
  (
    | ({ readonly passphrase: string; readonly identity?: Identity | string | undefined } & Partial<OwnerKey>)
    | ({ readonly passphrase?: undefined; readonly identity: Identity | string } & Partial<OwnerKey>)
    | ({ readonly passphrase?: undefined; readonly identity?: undefined } & OwnerKey)
  );

/** What a vault is expected to be when it is opened. */
export interface Expected {
  /** The vault must have this id. */
  readonly vaultId?: string | undefined;
  /**
   * What an owner hands over with a grant, `vault.reference`: the vault must be the one that it names, of that epoch or a
   * later one, and under its vault key or a successor. Takes the place of `vaultId`.
   */
  readonly vaultReference?: string | undefined;
  /** The newest head seen of it, where there are no known heads. */
  readonly known?: KnownHead | undefined;
  /** Takes the vault as it is, though it is older than what was seen of it, or another copy. */
  readonly accept?: boolean | undefined;
  /** Most memory that a key slot may make Argon2id use, in KiB: at most 262,144. */
  readonly memoryKibMax?: number | undefined;
  /** Most memory times passes of all key slots that are tried, in KiB: by default 4,194,304. */
  readonly workKibMax?: number | undefined;
}

/** How a vault is opened, and what it is expected to be. */
export type OpenOptions = HostOptions & Expected & Unlock;

/** What an owner takes in a repair beside what is sure. */
export interface RepairOptions {
  readonly elsewhere?: boolean | undefined;
  readonly olderHeader?: boolean | undefined;
}

/** How an action is carried out. */
export interface RunOptions extends ActionOptions, Abortable {
  /** The values of the action's tokens. */
  readonly tokens?: Tokens | undefined;
  /** Tests connectors, for `Connectors.Test`. */
  readonly test?: Tester | undefined;
}

/** How a connector is created: what {@link ActionOptions} has for that. */
export type CreateOptions = Pick<ActionOptions, "allowMask" | "note" | "group">;

/** How a connector is deleted, restored, described or moved. */
export type ChangeOptions = Pick<ActionOptions, "ifVersion" | "note">;

/** How properties of a connector are updated: what {@link ActionOptions} has for that. */
export type UpdateOptions = Omit<ActionOptions, "noTokens" | "allowEmpty" | "conditionMet" | "group">;

/** Properties by their names: strings, finite numbers, booleans, or plain objects and arrays of them. */
export type PropertyValues = Readonly<Record<string, unknown>>;

/** A new connector. Its properties are taken literally, without tokens. */
export interface NewConnector {
  /** By default a new UUID. */
  readonly id?: string | undefined;
  readonly name: string;
  readonly type: string;
  /**
   * What every member who lists the connector may read, such as `expires`, `description` and `tags`: no place for
   * secrets.
   */
  readonly meta?: Readonly<Record<string, string>> | undefined;
  /** The name of its group: by default `default`. */
  readonly group?: string | undefined;
  /** An object, or JSON text of one. A number or boolean is its text, an object or array compact JSON. */
  readonly properties?: PropertyValues | string | undefined;
}

/** What is to be said of a connector. What is not named stays as it is. */
export interface Description {
  readonly name?: string | undefined;
  readonly type?: string | undefined;
  /**
   * What every member who lists the connector may read, such as `expires`, `description` and `tags`: no place for
   * secrets. A text that is `null` is removed.
   */
  readonly meta?: Readonly<Record<string, string | null>> | undefined;
}

/** How a connector is undeleted. */
export interface UndeleteOptions extends ChangeOptions {
  /** The version that comes back; by default the newest before the connector was deleted. */
  readonly version?: number | undefined;
}

/** What a purge dropped beside former versions. */
export interface Purged {
  /** How many torn tails were kept beside the vault. */
  readonly tornTails: number;
  /** Versions that were left out, since they are false. */
  readonly falseVersions: readonly FalseVersion[];
}

/** A role in one group, or in all groups. */
export interface Right {
  readonly role: Role;
  /** The name of the group; by default, and with `*`, all groups, those to come included. */
  readonly group?: string | undefined;
}

/** What a grant permits: a role in all groups, or up to 16 rights, which add up. */
export type Rights = Role | readonly Right[];

/** To whom something is granted: to the holder of an identity, or to whoever has a passphrase or an external key. */
export type Grantee =
  | { readonly key: string }
  | { readonly passphrase: string; readonly cost?: KdfCost | undefined }
  | { readonly externalKey: Uint8Array; readonly hint?: Uint8Array | undefined };

/** Who holds a renewed grant: the same, or the holder of this identity. The own grant needs more than a public key. */
export type Holder = Grantee | { readonly identity: Identity | string };

/**
 * Connectors with their values, in the form of `cvault export` and `import`. A new connector has a version
 * and a time of its own: those of the document are left out.
 */
export interface ConnectorsDocument {
  readonly connectors: readonly {
    readonly id: string;
    readonly name: string;
    readonly type: string;
    readonly properties: Readonly<Record<string, unknown>>;
    readonly version?: number | undefined;
    readonly updated_at?: string | undefined;
  }[];
}
