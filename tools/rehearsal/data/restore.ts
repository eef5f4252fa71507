/** Restores a dump into the rehearsed platform's database, before a move: real rows, without their e-mails, payments and alarms. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Transform } from "node:stream";
import { imageRoles } from "../../../common/app-contract.ts";
import { type Outcome, runInteractive } from "../../../common/process.ts";
import { quotedWords, writeLine } from "../../../common/shell.ts";
import { UserError } from "../../../common/user-error.ts";
import { databaseName } from "../../../components/database/database-url.ts";
import { superuser } from "../../../components/database/role-names.ts";
import type { Service } from "../../../topology/service.ts";
import { servicesOf } from "../../../topology/topology.ts";
import { type Engine, Engines } from "../../engines.ts";
import { migrate } from "../../migrate.ts";
import type { MeasuredWork } from "../../report/estimate.ts";
import type { RehearsalRecord } from "../../report/record.ts";
import type { StackFile } from "../../stack-file.ts";
import { say } from "../../terminal.ts";
import type { DataSource } from "./source.ts";

export type RestoredData = NonNullable<RehearsalRecord["data"]>;

/**
 * @param project folder that the path of the scrub is relative to
 * @param folder of the rehearsal's Pulumi project
 * @throws {UserError} when a server reaches the Internet, or the dump cannot be restored and scrubbed; then the database is empty
 */
export async function restoreData(
  project: string,
  folder: string,
  file: StackFile,
  source: DataSource,
): Promise<RestoredData> {
  const { scrub } = file.settings.rehearsal;
  const scrubSql = scrub === undefined ? undefined : readFileSync(resolve(project, scrub), "utf8");
  const restore = new Restore(folder, file);
  const closedServers = restore.requireClosed();
  say(`${source.name} (${source.bytes} bytes) is restored; apps and workers stand still meanwhile.`);
  restore.stopUsers();
  try {
    restore.empty();
    await restore.fill(source);
    if (scrub !== undefined && scrubSql !== undefined) await restore.scrub(scrub, scrubSql);
    else say("orion:rehearsal.scrub names no SQL: the rehearsal has all personal data.");
    await restore.giveRights();
    restore.startUsers();
    await restore.migrate();
  } catch (error) {
    // Neither half of the data nor data that was not scrubbed stays.
    const left = restore.abandon();
    if (left === undefined) throw error;
    throw new UserError(
      `${messageOf(error)}\nThe restored data could not be removed either (${left}): delete the rehearsal with make cloud-down.`,
    );
  }
  const { work, size: databaseBytes, tables } = restore;
  return {
    ...{ name: source.name, work: [...work], databaseBytes, tables, scrub: scrub ?? null, closedServers },
    productionBytes: source.databaseBytes ?? databaseBytes,
  };
}

/** The steps of a restore, and how long those took that depend on the amount of data. */
class Restore {
  readonly work: MeasuredWork[] = [];
  readonly #folder: string;
  readonly #file: StackFile;
  readonly #engines: Engines;
  readonly #engine: Engine;
  readonly #container: string;
  /** The database's users: engine and container of each. */
  readonly #users: readonly (readonly [engine: Engine, container: string])[];

  constructor(folder: string, file: StackFile) {
    this.#folder = folder;
    this.#file = file;
    this.#engines = new Engines(folder, file);
    const [database] = servicesOf(file.topology, "database");
    if (!database) throw new UserError("DATA is restored into the stack's own database; this stack's is external.");
    this.#engine = this.#engines.of(database);
    this.#container = this.#engines.container(database);
    this.#users = usersOf(file).map((user) => [this.#engines.of(user), this.#engines.container(user)] as const);
  }

  get size(): number {
    return Number(succeed(this.#psql(`SELECT pg_database_size('${databaseName}')`), "The size is not known").stdout);
  }

  get tables(): number {
    return Number(succeed(this.#psql("SELECT count(*) FROM pg_stat_user_tables"), "The tables are not known").stdout);
  }

  /** E-mail, payments, alarms and webhooks stay cut off: no server finds or reaches anything outside. @returns how many were asked */
  requireClosed(): number {
    const servers = [...new Set(usersOf(this.#file).map(({ server }) => server))];
    const attempt = "getent hosts api.stripe.com || timeout 3 bash -c 'exec 3<>/dev/tcp/1.1.1.1/443' 2>/dev/null";
    for (const server of servers) {
      // Only "closed" proves that the Internet cannot be reached: a server that does not answer proves nothing.
      const answer = this.#engines
        .of({ server })
        .captureOnHost("sh", "-c", `if ${attempt}; then echo open; else echo closed; fi`);
      if (answer.stdout.trim().endsWith("closed")) continue;
      throw new UserError(
        `${server} reaches the Internet, or did not say that it does not. Real data is not restored where e-mails, payments and webhooks could go out.`,
      );
    }
    return servers.length;
  }

  stopUsers(): void {
    for (const [engine, name] of this.#users) succeed(engine.capture("stop", name), `${name} could not be stopped`);
  }

  startUsers(): void {
    for (const [engine, name] of this.#users) succeed(engine.capture("start", name), `${name} could not be started`);
  }

  /** Stops the users and removes what was restored. @returns why that was not possible; undefined when it was */
  abandon(): string | undefined {
    try {
      this.stopUsers();
      this.empty();
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }

  empty(): void {
    const sql = `DROP DATABASE IF EXISTS ${databaseName} WITH (FORCE);\nCREATE DATABASE ${databaseName};\n`;
    succeed(this.#psql(sql, "postgres"), "The database could not be emptied");
  }

  /** Sends the dump to the server with the database, where it is decrypted and restored as it comes. */
  async fill(source: DataSource): Promise<void> {
    await this.#measured("restore of the dump", async () => {
      const lent = source.key === undefined ? undefined : this.#lend(source.key);
      try {
        await this.#send(
          source,
          lent === undefined
            ? restoring(this.#container)
            : `age --decrypt --identity ${lent}/key | ${restoring(this.#container)}`,
        );
      } finally {
        if (lent !== undefined) this.#engine.captureOnHost("rm", "-rf", lent);
      }
    });
    succeed(this.#psql("ANALYZE"), "The restored tables could not be analysed");
  }

  async scrub(name: string, sql: string): Promise<void> {
    await this.#measured(`${name}, which ran first`, () => {
      succeed(this.#psql(`BEGIN;\n${sql}\nCOMMIT;\n`), `${name} failed, and the data is removed again`);
      return Promise.resolve();
    });
  }

  /** Makes the stack's roles the owners of what was restored, as an update does. */
  async giveRights(): Promise<void> {
    const place = ["--stack", this.#file.stack, "--cwd", this.#folder];
    const ways = ["--yes", "--skip-preview", "--suppress-outputs"];
    if ((await runInteractive("pulumi", ["up", ...place, "--replace", "**::database-roles-script", ...ways])) === 0)
      return;
    throw new UserError("The platform's roles did not get their rights to what was restored; see above.");
  }

  async migrate(): Promise<void> {
    await this.#measured("migrations", () => {
      succeed(migrate(this.#folder, this.#file, this.#engines), "The migrations failed on the restored data");
      return Promise.resolve();
    });
  }

  async #measured(what: string, does: () => Promise<void>): Promise<void> {
    const from = performance.now();
    await does();
    const seconds = (performance.now() - from) / 1000;
    this.work.push({ what, bytes: this.size, seconds });
  }

  #psql(sql: string, database: string = databaseName): Outcome {
    const psql = ["psql", "-XqtA", "-v", "ON_ERROR_STOP=1", "-U", superuser, "-d", database];
    return this.#engine.feed(sql, "exec", "--interactive", this.#container, ...psql);
  }

  async #send({ name, sha256, open }: DataSource, script: string): Promise<void> {
    const hash = createHash("sha256");
    const hashing = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        done(null, chunk);
      },
    });
    const dump = open();
    // Neither of them goes on, or waits, without the other.
    dump.once("error", (error) => hashing.destroy(error));
    hashing.once("close", () => dump.destroy());
    const restored = await this.#engine.streamToHost(dump.pipe(hashing), "bash", "-o", "pipefail", "-c", script);
    succeed(restored, `${name} could not be restored`);
    const found = hash.digest("hex");
    if (sha256 === undefined || sha256 === found) return;
    throw new UserError(`${name} is not what was written: its SHA-256 is ${found}, expected ${sha256}`);
  }

  /** Brings the private key into a folder in the server's memory. @returns that folder */
  #lend(key: string): string {
    const failed = "The key could not be lent to the server";
    const folder = succeed(this.#engine.captureOnHost("mktemp", "-d", "/run/orion-data.XXXXXX"), failed).stdout.trim();
    succeed(this.#engine.feedOnHost(`umask 077\n${writeLine(`${folder}/key`, key)}`, "sh", "-s"), failed);
    return folder;
  }
}

/** What reads and writes the database, and stands still while it is restored. */
export const usersOf = ({ topology }: Pick<StackFile, "topology">): Service[] =>
  imageRoles.flatMap((kind) => servicesOf(topology, kind));

/** Owner and rights come from the roles' script: a dump may be from a stack with other roles. */
const restoring = (container: string): string =>
  quotedWords([
    ...["docker", "exec", "--interactive", container, "pg_restore", "--username", superuser, "--dbname", databaseName],
    ...["--no-owner", "--no-privileges", "--exit-on-error"],
  ]);

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function succeed(outcome: Outcome, otherwise: string): Outcome {
  if (outcome.code === 0) return outcome;
  throw new UserError(`${otherwise}:\n${outcome.output.trim().slice(-2000)}`);
}
