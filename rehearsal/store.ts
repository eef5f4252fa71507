/** The cloud's database: JSON objects by kind and id in one SQLite file, so that a crash loses nothing. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";

/**
 * A store of JSON values. `Objects` maps kinds to the type of their values; each kind is written by one module only, so that
 * values read have the type that was written. A single process uses the file. Values are cached in memory, because every
 * API call reads whole kinds.
 */
export class Store<Objects extends object> {
  readonly #database: DatabaseSync;
  readonly #statements: Readonly<Record<"list" | "put" | "delete" | "next", StatementSync>>;
  /** Cached values by kind and id, oldest first; a missing kind was not read yet. */
  readonly #kinds = new Map<string, Map<string, unknown>>();
  #depth = 0;

  /** @param path file, created when missing; `:memory:` for a temporary store */
  constructor(path: string) {
    if (path !== ":memory:") mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.#database = new DatabaseSync(path);
    this.#database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      CREATE TABLE IF NOT EXISTS objects (
        sequence INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, value TEXT NOT NULL, UNIQUE (kind, id));
      CREATE TABLE IF NOT EXISTS counters (kind TEXT PRIMARY KEY, last INTEGER NOT NULL);
    `);
    const prepare = (sql: string) => this.#database.prepare(sql);
    this.#statements = {
      list: prepare("SELECT id, value FROM objects WHERE kind = ? ORDER BY sequence"),
      put: prepare(`INSERT INTO objects (kind, id, value) VALUES (?, ?, ?)
        ON CONFLICT (kind, id) DO UPDATE SET value = excluded.value`),
      delete: prepare("DELETE FROM objects WHERE kind = ? AND id = ?"),
      next: prepare(`INSERT INTO counters (kind, last) VALUES (?, ?)
        ON CONFLICT (kind) DO UPDATE SET last = last + 1 RETURNING last`),
    };
  }

  get<Kind extends keyof Objects & string>(kind: Kind, id: string | number): Objects[Kind] | undefined {
    return this.#kind(kind).get(String(id));
  }

  /** All objects of a kind, oldest first. */
  list<Kind extends keyof Objects & string>(kind: Kind): Objects[Kind][] {
    return [...this.#kind(kind).values()];
  }

  count(kind: keyof Objects & string): number {
    return this.#kind(kind).size;
  }

  put<Kind extends keyof Objects & string>(kind: Kind, id: string | number, value: Objects[Kind]): void {
    const text = JSON.stringify(value);
    this.#statements.put.run(kind, String(id), text);
    // Cached as it would be read after a restart.
    this.#kind(kind).set(String(id), frozen(JSON.parse(text) as Objects[Kind]));
  }

  delete(kind: keyof Objects & string, id: string | number): void {
    this.#statements.delete.run(kind, String(id));
    this.#kind(kind).delete(String(id));
  }

  /** Next id of a kind; never returned before, also across restarts. @param first the first id */
  nextId(kind: string, first = 1): number {
    return Number(this.#statements.next.get(kind, first)?.["last"]);
  }

  /** Runs work in a transaction: all or nothing. Its result is on disk when this returns. */
  transaction<T>(work: () => T): T {
    if (this.#depth > 0) return work();
    this.#database.exec("BEGIN IMMEDIATE");
    this.#depth++;
    try {
      const result = work();
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      this.#kinds.clear();
      this.#database.exec("ROLLBACK");
      throw error;
    } finally {
      this.#depth--;
    }
  }

  close(): void {
    this.#database.close();
  }

  #kind<Kind extends keyof Objects & string>(kind: Kind): Map<string, Objects[Kind]> {
    const known = this.#kinds.get(kind) as Map<string, Objects[Kind]> | undefined;
    if (known) return known;
    const rows = this.#statements.list.all(kind);
    const read = new Map(
      rows.map(({ id, value }) => [String(id), frozen(JSON.parse(String(value)) as Objects[Kind])] as const),
    );
    this.#kinds.set(kind, read);
    return read;
  }
}

/** Freezes a value deeply, since all callers share it. */
function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null) for (const part of Object.values(Object.freeze(value))) frozen(part);
  return value;
}
