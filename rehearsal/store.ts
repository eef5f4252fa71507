/** The cloud's database: JSON objects by kind and id in one SQLite file, so that a crash loses nothing. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";

/** One object that was put (the first time: without `before`) or deleted (without `after`). */
export interface Changed {
  readonly kind: string;
  readonly id: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** The same, with the types of a store's kinds. */
export type ChangedObject<Objects extends object> = {
  [Kind in keyof Objects & string]: {
    readonly kind: Kind;
    readonly id: string;
    readonly before: Objects[Kind] | undefined;
    readonly after: Objects[Kind] | undefined;
  };
}[keyof Objects & string];

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
  #watcher: ((changed: Changed) => void) | undefined;
  /** Changes of the transaction that is open; no listener gets them when it fails. */
  readonly #unsaid: Changed[] = [];

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
    const known = this.#kind(kind);
    const before = known.get(String(id));
    this.#statements.put.run(kind, String(id), text);
    // Cached as it would be read after a restart.
    const after = frozen(JSON.parse(text) as Objects[Kind]);
    known.set(String(id), after);
    this.#say({ kind, id: String(id), before, after });
  }

  delete(kind: keyof Objects & string, id: string | number): void {
    const before = this.get(kind, id);
    this.#statements.delete.run(kind, String(id));
    this.#kind(kind).delete(String(id));
    if (before !== undefined) this.#say({ kind, id: String(id), before, after: undefined });
  }

  /** Has a function called after every change; those of a transaction come when it has succeeded. */
  watch(watcher: (changed: Changed) => void): void {
    this.#watcher = watcher;
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
    let result: T;
    let changes: readonly Changed[];
    try {
      result = work();
      this.#database.exec("COMMIT");
    } catch (error) {
      this.#kinds.clear();
      this.#database.exec("ROLLBACK");
      throw error;
    } finally {
      this.#depth--;
      changes = this.#unsaid.splice(0);
    }
    for (const changed of changes) this.#watcher?.(changed);
    return result;
  }

  close(): void {
    this.#database.close();
  }

  #say(changed: Changed): void {
    if (!this.#watcher) return;
    if (this.#depth > 0) this.#unsaid.push(changed);
    else this.#watcher(changed);
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
