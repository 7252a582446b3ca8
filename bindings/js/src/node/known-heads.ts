/**
 * Known heads in files: the newest head that this user has seen of each vault, like ssh's `known_hosts`
 * (docs/format.md section 9).
 *
 * The Rust crate and `cvault` share them: one file for each vault and place,
 * `<vault id>-<16 hexadecimal digits>.json`, the digits being the first 8 bytes of the SHA-256 of the
 * place's text, with the content `{"vault_id":"5f0c...","place":"/srv/vault.cvault","seq":17,"head":{}}`.
 */

import { createHash } from "node:crypto";
import { closeSync, mkdirSync, readdirSync, renameSync, unlinkSync } from "node:fs";
import { isAbsolute, join } from "node:path";

import { FILE_HEADS_CLASS, HEADS_METHODS_LATER, NEW } from "../arguments.js";
import { guard, take } from "../check.js";
import { VaultError } from "../error.js";
import type { KnownHead, KnownHeads, SeenHead } from "../heads.js";
import { entryOf, isHeadEntry, knownOf, type HeadEntry } from "../heads/entry.js";
import {
  createPrivate,
  discard,
  hasCode,
  ioError,
  openFile,
  randomHex,
  storedIn,
  sync,
  syncDir,
  writeAll,
} from "./disk.js";
import { parseJson } from "./json.js";

/** A state file larger than this is not read: a head has some kilobytes at most. */
const ENTRY_LEN_MAX = 64 * 1024;

const VAULT_ID = /^[0-9a-f]{64}$/;

/** The heads that this user has seen, in a folder of the user's own. */
export class FileKnownHeads implements KnownHeads {
  readonly dir: string;

  /** The heads in `dir`, which is created when a head is remembered. */
  constructor(dir: string) {
    [this.dir] = take(NEW.FileKnownHeads, [dir]);
  }

  /**
   * The heads in the user's folder for them: `$CVAULT_STATE_DIR`, else
   * `$XDG_STATE_HOME/connector-vault`, else `~/.local/state/connector-vault`
   * (`%LOCALAPPDATA%\connector-vault` on Windows). A relative path in a variable is ignored, as the XDG
   * Base Directory Specification demands.
   *
   * Fails with `no_state_dir` if none of the variables helps.
   */
  static default(variables: Readonly<Record<string, string | undefined>> = process.env): FileKnownHeads {
    const dir = defaultDir(variables);
    if (dir !== undefined) return new FileKnownHeads(dir);
    const hint = "set CVAULT_STATE_DIR, XDG_STATE_HOME or HOME to an absolute path";
    throw new VaultError("no_state_dir", "there is no folder for known heads", hint);
  }

  async get(vaultId: string, place: string): Promise<KnownHead | undefined> {
    const entry = this.#read(vaultId, place);
    return entry && knownOf(entry.head);
  }

  async remember(vaultId: string, place: string, known: KnownHead): Promise<void> {
    // Between this and the rename another process may write a later head, which ours then replaces.
    // That is harmless: a remembered head only has to be one that was seen. An older one accepts a
    // rollback to itself at worst, for as long as nobody opens the vault again.
    const before = this.#read(vaultId, place);
    if (before !== undefined && before.seq >= known.head.seq) return;
    const path = this.#path(vaultId, place);
    try {
      await this.#write(path, JSON.stringify(entryOf(vaultId, place, known)));
      // The first head is the difference between a witness and none. To lose a later one in a power failure
      // weakens the witness by that one head, and every update would pay for it.
      if (before === undefined) await syncDir(this.dir);
    } catch (error) {
      throw ioError("write", path, error);
    }
  }

  async forget(vaultId: string, place: string): Promise<void> {
    const path = this.#path(vaultId, place);
    try {
      unlinkSync(path);
    } catch (error) {
      if (!hasCode(error, "ENOENT")) throw ioError("remove", path, error);
    }
  }

  async vaultsAt(place: string): Promise<readonly string[]> {
    const end = `-${digitsOf(place)}.json`;
    const ids = this.#names().map((name) => (name.endsWith(end) ? name.slice(0, -end.length) : ""));
    return ids.filter((id) => VAULT_ID.test(id));
  }

  async placesOf(vaultId: string): Promise<readonly SeenHead[]> {
    const names = this.#names().filter((name) => name.startsWith(`${vaultId}-`) && name.endsWith(".json"));
    return names.flatMap((name) => {
      const entry = entryIn(join(this.dir, name));
      const isIts = entry?.vault_id === vaultId && name.includes(digitsOf(entry.place));
      return isIts ? [{ place: entry.place, known: knownOf(entry.head) }] : [];
    });
  }

  /** The names of the files in the folder. */
  #names(): string[] {
    try {
      return readdirSync(this.dir);
    } catch (error) {
      if (hasCode(error, "ENOENT")) return [];
      throw ioError("list", this.dir, error);
    }
  }

  #read(vaultId: string, place: string): HeadEntry | undefined {
    const path = this.#path(vaultId, place);
    const bytes = content(path);
    if (bytes === undefined) return undefined;
    // What a power failure left of a file that a former version did not sync. An attacker who could write this could
    // as well delete the file.
    if (bytes.every((byte) => byte === 0)) return undefined;
    const entry = parseJson(bytes);
    if (!isHeadEntry(entry)) throw unreadable(path, "it holds no known head");
    if (entry.vault_id !== vaultId || entry.place !== place) {
      throw unreadable(path, "it is about another vault or place");
    }
    return entry;
  }

  #path(vaultId: string, place: string): string {
    // It becomes a file's name.
    if (!VAULT_ID.test(vaultId)) {
      throw new VaultError("invalid_vault_id", "a vault id has 64 base16 digits");
    }
    return join(this.dir, `${vaultId}-${digitsOf(place)}.json`);
  }

  async #write(path: string, entry: string): Promise<void> {
    mkdirSync(this.dir, { recursive: true, mode: 0o700 });
    const temp = `${path}.${randomHex()}.tmp`;
    const file = createPrivate(temp);
    try {
      try {
        writeAll(file, new TextEncoder().encode(entry), 0);
        // Before it has its name: else a power failure may leave half of it, which nobody trusts.
        await sync(file);
      } finally {
        closeSync(file);
      }
      renameSync(temp, path);
    } catch (error) {
      discard(temp);
      throw error;
    }
  }
}

guard(FileKnownHeads, FILE_HEADS_CLASS);
guard(FileKnownHeads.prototype, {}, HEADS_METHODS_LATER);

function defaultDir(variables: Readonly<Record<string, string | undefined>>): string | undefined {
  const within = (name: string, ...folders: string[]) => {
    const dir = variables[name];
    return dir !== undefined && isAbsolute(dir) ? join(dir, ...folders) : undefined;
  };
  return (
    within("CVAULT_STATE_DIR") ??
    within("XDG_STATE_HOME", "connector-vault") ??
    (process.platform === "win32"
      ? within("LOCALAPPDATA", "connector-vault")
      : within("HOME", ".local", "state", "connector-vault"))
  );
}

/** What stands for a place in the name of a file. */
function digitsOf(place: string): string {
  return createHash("sha256").update(place).digest().toString("hex", 0, 8);
}

/** What a state file holds, if it can be read. */
function entryIn(path: string): HeadEntry | undefined {
  try {
    const bytes = content(path);
    const entry: unknown = bytes && parseJson(bytes);
    return isHeadEntry(entry) ? entry : undefined;
  } catch {
    // What cannot be read is told where the vault of that place is opened.
    return undefined;
  }
}

/** The bytes of a state file; nothing if there is none. */
function content(path: string): Uint8Array | undefined {
  let file: number | undefined;
  try {
    file = openFile(path, "read");
    const stored = storedIn(file);
    // A head that this package wrote is never that long.
    if (stored.length <= ENTRY_LEN_MAX) return stored.read(0, stored.length);
    throw unreadable(path, `it has ${stored.length} bytes`);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw ioError("read", path, error);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function unreadable(path: string, reason: string): VaultError {
  const hint = `verify the vault without known heads, then accept it as it is, which replaces ${path}`;
  return new VaultError("state_unreadable", `the state file ${path} is damaged: ${reason}`, hint);
}
