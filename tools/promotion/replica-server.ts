/** Controls PostgreSQL on the replica's server over SSH: its replication state, and its promotion. */
import { type Clock, systemClock } from "../../common/clock.ts";
import type { Outcome } from "../../common/process.ts";
import { UserError } from "../../common/user-error.ts";
import { physicalName } from "../../topology/naming.ts";
import { postgresPorts } from "../../topology/services/postgres.ts";
import { type Engine, enginesIn } from "../engines.ts";
import type { StackFile } from "../stack-file.ts";
import type { Resource } from "../state.ts";
import type { Promotion } from "./promotion.ts";

/** Replaying what it has received and not applied yet may take a while; PostgreSQL itself needs a second. */
const promotionSeconds = 600;

export interface Found {
  readonly inRecovery: boolean;
  /** When the last transaction that it has was committed; empty when it has had none since its start. */
  readonly lastTransaction: string;
  /** Seconds since then. */
  readonly age: string;
  readonly received: string;
  readonly replayed: string;
}

/** PostgreSQL on the server of the replica. */
export class ReplicaServer {
  readonly #promotion: Promotion;
  readonly #container: string;
  readonly #engine: Pick<Engine, "capture"> | undefined;
  readonly #clock: Clock;

  /** @param engine of the replica's server; undefined when that was never completely created */
  constructor(
    { stack }: Pick<StackFile, "stack">,
    promotion: Promotion,
    engine: Pick<Engine, "capture"> | undefined,
    clock = systemClock,
  ) {
    this.#engine = engine;
    this.#clock = clock;
    this.#promotion = promotion;
    this.#container = physicalName({ stack }, promotion.service);
  }

  look(): Found {
    const row = this.#query(
      `SELECT pg_is_in_recovery(), coalesce(to_char(pg_last_xact_replay_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'), ''),
        coalesce(round(extract(epoch FROM now() - pg_last_xact_replay_timestamp()))::text, ''),
        coalesce(pg_last_wal_receive_lsn()::text, ''), coalesce(pg_last_wal_replay_lsn()::text, '')`,
    );
    const [recovery = "", lastTransaction = "", age = "", received = "", replayed = ""] = row.split("|");
    return { inRecovery: recovery === "t", lastTransaction, age, received, replayed };
  }

  /** Whether this server reaches the lost primary, even if this machine does not. */
  reachesPrimary(): boolean {
    const { stdout, stderr } = this.#exec(
      ...["pg_isready", "-h", this.#promotion.lostAddress, "-p", String(postgresPorts.postgres), "-t", "5"],
    );
    return isServing(stdout + stderr);
  }

  /** Resolves when it accepts writes. It applies all received WAL first. */
  async promote(): Promise<void> {
    if (this.look().inRecovery) this.#query("SELECT pg_promote(false)");
    const end = this.#clock.now() + promotionSeconds * 1000;
    while (this.look().inRecovery) {
      await this.#clock.sleep(200);
      if (this.#clock.now() < end) continue;
      const { server } = this.#promotion;
      throw new UserError(
        `PostgreSQL on ${server} was told to promote itself, and is still a replica after ${promotionSeconds} s. Run this again.`,
      );
    }
    // Only a primary can assign a transaction id.
    this.#query("SELECT pg_current_xact_id()");
  }

  #query(sql: string): string {
    const { code, stdout, stderr } = this.#exec("psql", "-XtA", "-v", "ON_ERROR_STOP=1", "-c", sql);
    if (code === 0) return stdout.trim();
    const { server, service } = this.#promotion;
    throw new UserError(
      `The replica ${service} on ${server} does not answer: ${(stdout + stderr).trim()}\nExpected: that it runs. Start it there (docker ps --all), ` +
        "and run this again; when it is lost, too, restore a backup (docs/backups.md).",
    );
  }

  #exec(...words: string[]): Outcome {
    if (this.#engine) return this.#engine.capture("exec", this.#container, ...words);
    const stderr = "the state has no Docker Engine on this server";
    return { code: 1, stdout: "", stderr, output: stderr };
  }
}

/** The Docker Engine of a server that the state has. */
export const engineOf = (resources: readonly Resource[], server: string): Engine | undefined =>
  enginesIn(resources).find(({ provider }) => provider.includes(`::${server}-docker::`))?.engine;

/** Whether PostgreSQL runs, from pg_isready's output; a server that is still starting counts. */
export const isServing = (output: string): boolean => /accepting connections|rejecting connections/.test(output);
