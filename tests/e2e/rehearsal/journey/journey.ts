/** The way of one rehearsed platform through the phases: what its stops have in common. */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { RehearsalCloud } from "../../../../testing/cloud.ts";
import type { LoadReport } from "../../../../rehearsal/load/process.ts";
import { underLoad } from "../../../../testing/lossless.ts";
import { documented } from "../../../../testing/documented.ts";
import { RehearsedPlatform } from "../../../../testing/platform.ts";
import { succeed } from "../../../../testing/sandbox.ts";
import { type Servers, serversOf } from "../../../../testing/servers.ts";

/** A phase on the way, or its end. */
export interface Stop {
  readonly name: string;
  /** Registers the tests: first how the platform gets there, then what must hold there. */
  readonly tests: (journey: Journey) => void;
}

/** What is set in the shell of a person who works with real accounts: none of it may matter. */
export const realAccounts = {
  HCLOUD_TOKEN: "real".repeat(16),
  CLOUDFLARE_API_TOKEN: "real".repeat(10),
  CLOUDFLARE_BASE_URL: "http://192.0.2.1/",
  PULUMI_BACKEND_URL: "file:///nonexistent/real",
  PULUMI_CONFIG_PASSPHRASE: "real",
};

/** The commands that README shows. */
const ways: Readonly<Record<string, string>> = {
  mvp: documented("make rehearse PHASE=mvp"),
  scale: documented("make rehearse PHASE=scale"),
};

export class Journey {
  readonly root: string;
  readonly own: { readonly name: string; readonly block: number; readonly port: number };
  readonly cloud: RehearsalCloud;
  readonly platform: RehearsedPlatform;
  readonly servers: Servers;
  /** What `make rehearse` said last. */
  report = "";
  /** Orders that were acknowledged on the whole way. */
  #acknowledged = 0;

  constructor(root: string, own: { readonly name: string; readonly block: number; readonly port: number }) {
    this.root = root;
    this.own = own;
    this.cloud = new RehearsalCloud(root, { ...own, machines: "docker" });
    this.platform = new RehearsedPlatform(root, this.cloud);
    this.servers = serversOf(this.cloud);
  }

  /** Brings the platform to a phase. */
  rehearse(phase: string): void {
    this.report = this.asDocumented(ways[phase] ?? `make rehearse PHASE=${phase}`);
    expect(this.report).toContain(`is up in phase ${phase} on the rehearsal cloud '${this.own.name}'`);
  }

  /** Starts what {@link rehearse} does, and kills it once it has said something like this, or a while later. */
  async killedRehearsal(phase: string, said: RegExp, atMostSeconds: number): Promise<void> {
    const { block, port } = this.own;
    const update = this.platform.start("rehearse", `PHASE=${phase}`, `BLOCK=${block}`, `PORT=${port}`);
    await update.printed(said);
    await sleep(Math.random() * atMostSeconds * 1000);
    if (!(await update.kill())) throw new Error(`it had ended before it was killed:\n${update.output().slice(-3000)}`);
  }

  /** Brings the platform to the phase that it is in: nothing may change. */
  rehearseAgain(phase: string): void {
    this.rehearse(phase);
    expect(this.report).toMatch(/Resources:\n +\d+ unchanged\n/);
  }

  /** Something happens under load. Whatever fails meanwhile, nothing that was acknowledged is lost. */
  async underLoad(happens: () => Promise<void> | void): Promise<LoadReport> {
    const seen = await underLoad(this.platform, happens);
    this.#acknowledged += seen.ledger.acknowledged;
    return seen;
  }

  /** The same, and no request may fail. */
  async unnoticed(happens: () => Promise<void> | void): Promise<LoadReport> {
    const seen = await this.underLoad(happens);
    expect(seen.failures).toEqual([]);
    return seen;
  }

  /** Every order of the whole way is there, through all moves. */
  async expectAllOrders(): Promise<void> {
    const [count] = await this.servers.rows("database", "SELECT count(*) FROM orders");
    expect(this.#acknowledged).toBeGreaterThan(0);
    expect(Number(count)).toBeGreaterThanOrEqual(this.#acknowledged);
  }

  /** `make doctor` finds nothing wrong. @returns what it said */
  expectWell(): string {
    const checked = this.asDocumented(documented("make doctor REHEARSAL=1"));
    expect(checked).toContain("All of 'prod' is well.");
    return checked;
  }

  /**
   * The same after faults, except for tasks that a worker had when it was killed, or whose acknowledgement Redis had not written
   * when it was: they wait until Celery's visibility timeout, and doctor says so. @returns what it said
   */
  expectWellAfterFaults(): string {
    const { output } = this.cloud.runDocumented(documented("make doctor REHEARSAL=1"), [], realAccounts);
    const problems = output.split("\n").filter((line) => line.startsWith("PROBLEM"));
    expect(problems.filter((line) => !/; \d were taken and no worker holds them/.test(line))).toEqual([]);
    expect(output).toContain(problems.length === 0 ? "All of 'prod' is well." : "checks found a problem.");
    return output;
  }

  /** A make command as the docs show it, on this cloud. @returns what it said */
  asDocumented(command: string): string {
    return succeed(this.cloud.runDocumented(command, [], realAccounts));
  }

  /** A make command about the rehearsed stack. @returns what it said */
  make(target: string, ...variables: readonly string[]): string {
    return succeed(this.cloud.runMake(target, ["REHEARSAL=1", ...variables], realAccounts));
  }

  /** Runs a command of the shell in the project's folder. @returns what it said */
  sh(command: string): string {
    const env = { ...process.env, ...realAccounts };
    const { status, stdout, stderr } = spawnSync("sh", ["-c", command], { cwd: this.root, env, encoding: "utf8" });
    return succeed({ code: status ?? 1, output: stdout + stderr });
  }
}

/** Every file below a folder. */
export const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
  );
