/**
 * A storage of your own: a vault as rows of a SQL database, here SQLite by sql.js. Each commit adds a row, so an update
 * costs the same at any size, and other programs may work on the same rows.
 *
 * @example
 * ```ts
 * const { Database } = await initSqlJs();
 * const sql = sqlite(new Database(saved));
 * await createTable(sql);
 * const vault = await Vault.open(new SqlStorage(sql, "team"), { passphrase });
 * ```
 */

import {
  compare,
  isUnchanged,
  VaultError,
  type Compared,
  type KnownHeads,
  type LogEnd,
  type StoredBytes,
  type VaultStorage,
} from "connector-vault";
import type { Database } from "sql.js";

/** The part of a database that the storage needs: replace it by your driver's. */
export interface Sql {
  /** The rows of a statement. */
  query(statement: string, values?: readonly (string | number | Uint8Array)[]): Promise<readonly Row[]>;
  /**
   * Runs `work` as one step: either all of it happens, or nothing, if `work` fails. No other writer comes between:
   * `BEGIN IMMEDIATE` in SQLite, `SERIALIZABLE` in PostgreSQL.
   */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
}

type Row = Readonly<Record<string, unknown>>;

/** Creates the table, unless it is there. */
export async function createTable(sql: Sql): Promise<void> {
  await sql.query(`CREATE TABLE IF NOT EXISTS vault_parts (
    vault TEXT NOT NULL,
    position INTEGER NOT NULL, -- where the bytes begin in the vault's file
    bytes BLOB NOT NULL,
    PRIMARY KEY (vault, position)
  )`);
}

/** A file is cut into rows of this length, so that a comparison need not load all of it. */
const PART_LEN = 64 * 1024;

/** A vault in rows. */
export class SqlStorage implements VaultStorage {
  readonly places: readonly string[];
  readonly heads: KnownHeads | undefined;
  readonly #sql: Sql;
  readonly #vault: string;

  /** The vault of this name, which need not exist yet. `heads`: keep them with the client, not in the database. */
  constructor(sql: Sql, vault: string, heads?: KnownHeads) {
    this.#sql = sql;
    this.#vault = vault;
    // Under this name known heads are kept. Name the database too, if a client uses several.
    this.places = [`sql:${vault}`];
    this.heads = heads;
  }

  create(file: Uint8Array): Promise<void> {
    return this.#sql.transaction(async (sql) => {
      if ((await this.#length(sql)) !== undefined) {
        throw new VaultError("file_exists", `there is a vault ${this.#vault} already`);
      }
      await this.#insert(sql, 0, file);
    });
  }

  async read(signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    // One statement sees one version of the rows.
    const parts = await this.#parts(this.#sql, 0, Infinity);
    if (parts.length === 0) throw this.#notFound();
    return joined(parts);
  }

  async compare(known: LogEnd, signal?: AbortSignal): Promise<Compared> {
    signal?.throwIfAborted();
    return await this.#sql.transaction(async (sql) => compare(await this.#look(sql, known), known));
  }

  append(commit: Uint8Array, known: LogEnd): Promise<void> {
    return this.#sql.transaction(async (sql) => {
      await this.#checkUnchanged(sql, known);
      const end = endOf(known);
      // A torn tail comes with a file that was imported. It is dropped.
      if (known.torn > 0) await this.#cut(sql, end);
      await this.#insert(sql, end, commit);
    });
  }

  replace(file: Uint8Array, known: LogEnd): Promise<void> {
    return this.#sql.transaction(async (sql) => {
      await this.#checkUnchanged(sql, known);
      await sql.query("DELETE FROM vault_parts WHERE vault = ?", [this.#vault]);
      await this.#insert(sql, 0, file);
    });
  }

  async #checkUnchanged(sql: Sql, known: LogEnd): Promise<void> {
    if (isUnchanged(await this.#look(sql, known), known)) return;
    throw new VaultError("conflict", `the vault ${this.#vault} holds another log than the one that was read`);
  }

  /** The bytes that a comparison looks at: the start, the marks, and everything behind the known log. */
  async #look(sql: Sql, known: LogEnd): Promise<StoredBytes> {
    const length = await this.#length(sql);
    if (length === undefined) throw this.#notFound();
    const loaded = new Map<number, Part>();
    const start = known.start.length;
    for (const [from, to] of [
      [0, start],
      ...known.marks.map(({ offset, bytes }) => [start + offset, start + offset + bytes.length] as const),
      [endOf(known), Infinity],
    ] as const) {
      for (const part of await this.#parts(sql, from, to)) loaded.set(part.position, part);
    }
    const parts = [...loaded.values()].sort((one, other) => one.position - other.position);
    return { length, read: (at, length) => slice(parts, at, length) };
  }

  async #length(sql: Sql): Promise<number | undefined> {
    const [row] = await sql.query(
      "SELECT position + length(bytes) AS length FROM vault_parts WHERE vault = ? ORDER BY position DESC LIMIT 1",
      [this.#vault],
    );
    return row && Number(row["length"]);
  }

  /** The rows that hold bytes from `from` to `to`, in order. */
  async #parts(sql: Sql, from: number, to: number): Promise<Part[]> {
    const rows = await sql.query(
      `SELECT position, bytes FROM vault_parts
       WHERE vault = ? AND position < ? AND position + length(bytes) > ? ORDER BY position`,
      [this.#vault, Math.min(to, Number.MAX_SAFE_INTEGER), Math.min(from, Number.MAX_SAFE_INTEGER)],
    );
    return rows.map(({ position, bytes }) => ({ position: Number(position), bytes: bytes as Uint8Array }));
  }

  async #insert(sql: Sql, at: number, bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; done += PART_LEN) {
      const part = bytes.slice(done, done + PART_LEN);
      await sql.query("INSERT INTO vault_parts VALUES (?, ?, ?)", [this.#vault, at + done, part]);
    }
  }

  /** Deletes all bytes from `end` on. */
  async #cut(sql: Sql, end: number): Promise<void> {
    const [part] = await this.#parts(sql, end, end + 1);
    await sql.query("DELETE FROM vault_parts WHERE vault = ? AND position >= ?", [this.#vault, end]);
    if (part === undefined || part.position >= end) return;
    const kept = part.bytes.slice(0, end - part.position);
    await sql.query("UPDATE vault_parts SET bytes = ? WHERE vault = ? AND position = ?", [
      ...[kept, this.#vault, part.position],
    ]);
  }

  #notFound(): VaultError {
    return new VaultError("file_not_found", `there is no vault ${this.#vault}`, "create the vault first");
  }
}

interface Part {
  readonly position: number;
  readonly bytes: Uint8Array;
}

function endOf(known: LogEnd): number {
  return known.start.length + known.end;
}

function joined(parts: readonly Part[]): Uint8Array {
  const last = parts[parts.length - 1];
  const all = new Uint8Array(last === undefined ? 0 : last.position + last.bytes.length);
  for (const { position, bytes } of parts) all.set(bytes, position);
  return all;
}

/** The `length` bytes from `at` on; fewer if a row that holds them was not loaded. */
function slice(parts: readonly Part[], at: number, length: number): Uint8Array {
  const found = new Uint8Array(length);
  let done = 0;
  for (const { position, bytes } of parts) {
    const skip = at + done - position;
    if (done === length || skip < 0 || skip >= bytes.length) continue;
    const piece = bytes.subarray(skip, skip + length - done);
    found.set(piece, done);
    done += piece.length;
  }
  return found.slice(0, done);
}

/** SQLite by sql.js: one connection, on which one step runs after the other. */
export function sqlite(database: Database): Sql {
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };
  const now: Sql = {
    query: async (statement, values = []) => {
      const prepared = database.prepare(statement, [...values]);
      try {
        const rows: Row[] = [];
        while (prepared.step()) rows.push(prepared.getAsObject());
        return rows;
      } finally {
        prepared.free();
      }
    },
    transaction: async (work) => {
      database.run("BEGIN IMMEDIATE");
      try {
        const result = await work(now);
        database.run("COMMIT");
        return result;
      } catch (error) {
        database.run("ROLLBACK");
        throw error;
      }
    },
  };
  return {
    query: (statement, values) => inTurn(() => now.query(statement, values)),
    transaction: (work) => inTurn(() => now.transaction(work)),
  };
}
