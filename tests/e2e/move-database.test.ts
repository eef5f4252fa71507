/**
 * The move of a database with two real servers, there and back, while clients write: nothing that was acknowledged is missing in
 * the target, nothing is there twice, and the pause is measured by the clients.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { tryRun } from "../../common/process.ts";
import { engineAt } from "../../guard/ask-images.ts";
import { eventually } from "../../testing/eventually.ts";
import { ManagedLab, type ManagedPostgres } from "../../testing/managed-lab.ts";
import { docker, freePorts, Sandbox, succeed } from "../../testing/sandbox.ts";
import { moveDatabase, type MoveArgs } from "../../tools/move-database/move.ts";
import type { DatabaseEndpoint } from "../../tools/move-database/database-endpoint.ts";

jest.setTimeout(240_000);

const lab = new ManagedLab(`orion-test-move-${process.pid}`);
const on = engineAt(undefined);
let servers: Readonly<Record<"one" | "two", ManagedPostgres>>;
const sides: Readonly<Record<"one" | "two", DatabaseEndpoint>> = {
  // Like the platform's own database: a superuser over the local socket, and a role that owns the tables.
  one: { name: "own", container: lab.named("one"), database: "shop", owner: "app" },
  two: { name: "external", container: lab.named("two"), database: "postgresql://app:app-Password%2F1@127.0.0.1/shop" },
};

const schema = `SET ROLE app;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE TYPE mood AS ENUM ('good', 'it''s [fine]: ok');
CREATE TABLE customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "E mail" text UNIQUE, m mood, tags text[], note jsonb);
CREATE TABLE orders (customer bigint REFERENCES customers ON DELETE CASCADE, number int, paid boolean, amount numeric(12,2), double_amount numeric GENERATED ALWAYS AS (amount * 2) STORED,
  at timestamptz DEFAULT now(), raw bytea, f float8, updated int DEFAULT 0, PRIMARY KEY (customer, number));
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated = OLD.updated + 1; RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TABLE ledger (id bigserial PRIMARY KEY, client int, number int, text text, UNIQUE (client, number));
CREATE TABLE parts (id int, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE parts_2026 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE "it's | odd" (id int PRIMARY KEY);
CREATE TYPE span AS RANGE (subtype = float8);
CREATE DOMAIN nice_mood AS mood;
CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
CREATE SCHEMA extras;
CREATE FUNCTION extras.longest(span) RETURNS float8 LANGUAGE sql AS 'SELECT upper($1) - lower($1)';
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'switched off long ago'; END $$;
CREATE TRIGGER refuse BEFORE UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION refuse();
ALTER TABLE customers DISABLE TRIGGER refuse;
CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS n FROM ledger;
INSERT INTO customers ("E mail", m, tags, note) SELECT i || '@example.com', 'good', '{a,b}', '{"a": 1}' FROM generate_series(1, 2000) i;
INSERT INTO orders (customer, number, amount) SELECT id, 1, id FROM customers;
INSERT INTO "it's | odd" VALUES (1);`;

/** What the load writes beside its own row: values of every kind, updates of keys, deletes, long values that an update does not touch. */
const change = (client: number, number: number): string => `
INSERT INTO ledger (client, number, text) VALUES (${client}, ${number}, E'it''s\\n[a]: "b" new-tuple: \\\\ é, public.ledger, x: TRUNCATE: y\\nORION-END\\nORION-SQL\\nexit 0\\n');
INSERT INTO orders (customer, number, paid, amount, raw, f) VALUES (${1 + ((client * 100 + number) % 1500)}, ${client * 10_000 + number}, true, ${number}.25, '\\x00ff', 'NaN') ON CONFLICT DO NOTHING;
UPDATE orders SET amount = amount + 1, f = '-Infinity', number = number + 1000000 WHERE number = ${client * 10_000 + number - 1};
UPDATE customers SET tags = array_append(tags, 'x y'), m = 'it''s [fine]: ok', note = NULL WHERE id = ${1 + (number % 50)};
DELETE FROM customers WHERE id = ${1990 - (number % 100)} AND ${client} = 1;
INSERT INTO parts VALUES (${client * 10_000 + number}, '2026-05-05') ON CONFLICT DO NOTHING;`;

/** Clients that write one transaction after the other, and go to where writes are accepted. */
class Load {
  readonly acknowledged: string[] = [];
  readonly refusals = new Set<string>();
  at: "one" | "two";
  readonly #running: Promise<void>[];
  #on = true;
  lastOk = 0;
  firstAfter = 0;

  constructor(at: "one" | "two", first: number) {
    this.at = at;
    this.#running = [1, 2, 3].map((client) => this.#client(client, first));
  }

  async #client(client: number, first: number): Promise<void> {
    for (let number = first; this.#on; number++) {
      const { at } = this;
      const side = lab.named(at);
      const { code, stderr } = await tryRun(
        "docker",
        [
          "exec",
          "-i",
          side,
          "psql",
          "-XqtA",
          "-1",
          "-f",
          "-",
          "-v",
          "ON_ERROR_STOP=1",
          "postgresql://app:app-Password%2F1@127.0.0.1/shop",
        ],
        { input: change(client, number) },
      );
      if (code !== 0) {
        this.refusals.add(stderr.split("\n")[0] ?? "");
        await sleep(100);
      }
      if (code === 0) {
        this.acknowledged.push(`${client}|${number}`);
        if (this.at === at && this.firstAfter === 0 && this.moved) this.firstAfter = Date.now();
        if (!this.moved) this.lastOk = Date.now();
      }
    }
  }
  moved = false;

  /** What a rollout does: from now on clients write there. */
  to(at: "one" | "two"): void {
    this.moved = true;
    this.at = at;
  }

  async end(): Promise<void> {
    this.#on = false;
    await Promise.all(this.#running);
  }
}

beforeAll(async () => {
  const settings = ["wal_level=logical"];
  servers = { one: await lab.startPostgres("one", { settings }), two: await lab.startPostgres("two", { settings }) };
  // As some providers give it: the role sees the sessions of the provider's superusers, and may not end them.
  servers.two.sql("ALTER ROLE app REPLICATION; GRANT pg_monitor TO app", "postgres");
  servers.one.sql(schema);
});
afterAll(() => {
  lab.dispose();
});

const move = (from: "one" | "two", to: "one" | "two", more: Partial<MoveArgs> = {}): ReturnType<typeof moveDatabase> =>
  moveDatabase({
    ...{
      on,
      from: sides[from],
      to: sides[to],
      replace: false,
      say: () => undefined,
      agree: () => Promise.resolve(true),
    },
    ...more,
  });

async function underLoad(from: "one" | "two", to: "one" | "two", first: number, replace: boolean): Promise<void> {
  const load = new Load(from, first);
  try {
    await moveUnder(load, from, to, replace);
  } finally {
    await load.end();
  }
}

async function moveUnder(load: Load, from: "one" | "two", to: "one" | "two", replace: boolean): Promise<void> {
  await sleep(2000);
  const lines: string[] = [];
  const moved = await move(from, to, {
    replace,
    say: (line) => lines.push(line),
    agree: async () => {
      await sleep(1500);
      return true;
    },
  });
  if (!moved || moved === "before") throw new Error("nothing was moved");
  load.to(to);
  await sleep(2500);
  await load.end();
  const found = servers[to].sql("SELECT client, number FROM ledger").split("\n");
  expect(
    [...load.refusals].filter((one) => !/read-only transaction|terminating connection|server closed/.test(one)),
  ).toEqual([]);
  expect(load.acknowledged.length).toBeGreaterThan(20);
  expect(load.acknowledged.filter((one) => !found.includes(one))).toEqual([]);
  expect(new Set(found).size).toBe(found.length);
  const pause = load.firstAfter - load.lastOk;
  process.stdout.write(
    `${from} to ${to}: ${load.acknowledged.length} acknowledged, ${moved.rows} rows compared, pause ${pause} ms, of the move ${moved.pausedMs} ms\n${lines.join("\n")}\n`,
  );
  expect(pause).toBeGreaterThan(0);
  expect(pause).toBeLessThan(10_000);
  // The source is as it was, and takes no writes; the target's triggers and sequences work.
  expect(() => servers[from].sql("INSERT INTO ledger (client, number) VALUES (9, 9)")).toThrow(/read-only/);
  expect(servers[from].sql("SELECT count(*) FROM pg_replication_slots")).toBe("0");
  servers[to].sql("UPDATE customers SET tags = '{}' WHERE id = 7");
  servers[to].sql("UPDATE orders SET paid = false WHERE customer = 7 AND number = 1");
  expect(servers[to].sql("SELECT updated FROM orders WHERE customer = 7 AND number = 1")).not.toBe("0");
}

test("what cannot be moved is told before anything is changed", async () => {
  servers.one.sql("CREATE TABLE loose (a int); CREATE UNLOGGED TABLE quick (a int PRIMARY KEY)");
  await expect(move("one", "two")).rejects.toThrow(/public\.loose has no primary key[^]*public\.quick is unlogged/);
  servers.one.sql("DROP TABLE loose, quick");
  servers.two.sql("CREATE TABLE foreign_contents (a int PRIMARY KEY)");
  await expect(move("one", "two")).rejects.toThrow(/the target has 1 tables and views of its own/);
  servers.two.sql("DROP TABLE foreign_contents");
  expect(servers.one.sql("SELECT count(*) FROM pg_replication_slots")).toBe("0");
});

test("a migration during the move ends it before the target is used, and the source takes writes again", async () => {
  const agree = () => {
    servers.one.sql("ALTER TABLE ledger ADD COLUMN later int");
    return Promise.resolve(true);
  };
  await expect(move("one", "two", { agree })).rejects.toThrow(/A migration has changed tables/);
  servers.one.sql(
    "SET ROLE app; INSERT INTO ledger (client, number) VALUES (0, 1); ALTER TABLE ledger DROP COLUMN later",
  );
});

test("a role that writes and whose sessions nobody here may end is named; one that only reads stays connected", async () => {
  const asRole = (role: string, text: string) =>
    docker("exec", "--detach", lab.named("two"), "psql", "-U", role, "-c", text, "shop");
  const sessions = (role: string) =>
    servers.two.sql(`SELECT count(*) FROM pg_stat_activity WHERE usename = '${role}'`, "postgres");
  servers.two.sql(
    "CREATE ROLE reporter LOGIN; CREATE ROLE writer LOGIN; CREATE TABLE mine (a int PRIMARY KEY); ALTER TABLE mine OWNER TO app; GRANT INSERT ON mine TO writer",
    "shop",
  );
  for (const role of ["reporter", "writer"]) {
    asRole(role, "SELECT pg_sleep(300)");
    await eventually(() => {
      expect(sessions(role)).toBe("1");
    }, 30);
  }
  await expect(move("two", "one", { replace: true })).rejects.toThrow(/writer is connected and may write/);
  servers.two.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'writer'", "postgres");
  await eventually(() => {
    expect(sessions("writer")).toBe("0");
  }, 30);
  await expect(move("two", "one", { replace: true })).rejects.toThrow(/the target has \d+ tables and views of its own/);
  expect(sessions("reporter")).toBe("1");
  servers.two.sql("DROP TABLE mine", "shop");
});

test("own to external under load: nothing is lost", () => underLoad("one", "two", 1, true));

test("a move that was complete and cut off before its update is not made again, whatever is asked for", async () => {
  const rows = () => servers.two.sql("SELECT count(*) FROM ledger");
  const before = rows();
  expect(await move("one", "two", { replace: true })).toBe("before");
  // Whoever lets the source take writes again has two databases with rows of their own.
  servers.one.sql("SET default_transaction_read_only = off; ALTER DATABASE shop RESET default_transaction_read_only");
  await expect(move("one", "two", { replace: true })).rejects.toThrow(/Replacing the target loses those writes/);
  expect(rows()).toBe(before);
});

test("external to own under load, over what the move there has left", async () => {
  await expect(move("two", "one")).rejects.toThrow(/REPLACE=1/);
  docker("exec", "--detach", lab.named("two"), "psql", "-c", "SELECT pg_sleep(200)", "shop");
  await underLoad("two", "one", 5001, true);
  // The provider's superuser, and a role that only reads.
  expect(servers.two.sql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'")).toBe("2");
});

test("make move-database: a stack's own database goes to an external one and comes back; a plain edit is refused", async () => {
  const target = await lab.startPostgres("target", { settings: ["wal_level=logical", "max_connections=110"] });
  target.sql("ALTER ROLE app REPLICATION", "postgres");
  const sandbox = new Sandbox(process.cwd(), "move", await freePorts());
  const own = (text: string) =>
    docker("exec", `orion-${sandbox.stack}-database`, "psql", "-XqtA", "-c", text).join("\n");
  const configured = () => readFileSync(join(sandbox.root, `Pulumi.${sandbox.stack}.yaml`), "utf8");
  try {
    sandbox.configure({ services: [], database: { movable: true } });
    succeed(sandbox.pulumi("stack", "init"));
    succeed(sandbox.pulumi("config", "set", "--secret", "databaseUrl", target.url + lab.verifying));
    succeed(sandbox.make("up"));
    own(
      "SET ROLE orion_owner; CREATE TABLE things (id bigserial PRIMARY KEY, name text); INSERT INTO things (name) VALUES ('one')",
    );

    succeed(sandbox.pulumi("config", "set", "--path", "orion:database.mode", "external"));
    expect(sandbox.make("up").output).toMatch(
      /nothing was changed:\n\s+database\.mode\.external .*make move-database TO=external/,
    );
    succeed(sandbox.pulumi("config", "set", "--path", "orion:database.mode", "provision"));

    const there = succeed(sandbox.make("move-database", { TO: "external", YES: "1" }));
    expect(there).toMatch(/1 tables, 1 rows, the same in both[^]*All clients use the external database/);
    expect(there).not.toMatch(/app-Password/);
    expect(target.sql("INSERT INTO things (name) VALUES ('two') RETURNING id")).toBe("2");
    expect(configured()).toMatch(/mode: external/);

    const back = succeed(sandbox.make("move-database", { TO: "own", YES: "1", REPLACE: "1" }));
    expect(back).toMatch(/1 tables, 2 rows, the same in both/);
    expect(own("SELECT count(*), max(id) FROM things")).toBe("2|2");
    // The app's role has its rights to what was restored.
    expect(own("SELECT has_table_privilege('orion_app', 'things', 'INSERT')")).toBe("t");
  } finally {
    sandbox.dispose();
  }
});
