/** A rehearsal cloud for tests and benches, created and deleted by make, with its own name, addresses and port. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isRecord } from "../common/record.ts";
import { tryRun } from "../common/process.ts";
import { cloudFolder, type CloudSettings, readSettings, rehearsalFolder } from "../rehearsal/cloud/settings.ts";
import { type Status, readStatus } from "../rehearsal/cloud/status.ts";
import type { Json } from "../rehearsal/json.ts";
import { readStackFile } from "../tools/stack-file.ts";
import type { Topology } from "../topology/topology.ts";
import { type Ran, succeed } from "./sandbox.ts";

export interface CloudOptions {
  readonly name: string;
  readonly block: number;
  readonly port: number;
  readonly machines: "docker" | "none";
  /** R2's S3 interface without machines, which always have it. @default false */
  readonly storage?: boolean;
}

export class RehearsalCloud {
  readonly #root: string;
  readonly #options: CloudOptions;
  /** An SSH key pair. */
  readonly key = join(mkdtempSync(join(tmpdir(), "orion-cloud-key-")), "key");

  constructor(root: string, options: CloudOptions) {
    this.#root = root;
    this.#options = options;
    spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", this.key]);
  }

  up(): string {
    const { machines, block, port, storage = false } = this.#options;
    const variables = [`MACHINES=${machines}`, `BLOCK=${block}`, `PORT=${port}`, ...(storage ? ["STORAGE=1"] : [])];
    return succeed(this.runMake("cloud-up", variables));
  }

  down(): string {
    return succeed(this.runMake("cloud-down"));
  }

  /** Brings the production stack up on it. */
  rehearse(phase: string, environment: Readonly<Record<string, string>> = {}): string {
    const { block, port } = this.#options;
    const variables = [`PHASE=${phase}`, `BLOCK=${block}`, `PORT=${port}`];
    return succeed(this.runMake("rehearse", variables, environment));
  }

  /** The plan of the rehearsed production stack. */
  get plan(): Topology {
    return readStackFile(rehearsalFolder(this.#root, this.#options.name, "prod"), "prod").topology;
  }

  get settings(): CloudSettings {
    const settings = readSettings(cloudFolder(this.#root, this.#options.name));
    if (!settings) throw new Error(`there is no cloud '${this.#options.name}'`);
    return settings;
  }

  /** The emulator's process. */
  get pid(): number {
    return Number(readFileSync(join(cloudFolder(this.#root, this.#options.name), "pid"), "utf8"));
  }

  get publicKey(): string {
    return readFileSync(`${this.key}.pub`, "utf8").trim();
  }

  async call(method: string, path: string, payload?: unknown): Promise<{ status: number; body: Json }> {
    const response = await fetch(`http://127.0.0.1:${this.settings.port}${path}`, {
      method,
      // The emulator may be restarted before the next call.
      headers: {
        authorization: `Bearer ${this.settings.token}`,
        connection: "close",
        ...(payload !== undefined && json),
      },
      ...(payload !== undefined && { body: JSON.stringify(payload) }),
    });
    const text = await response.text();
    const body: unknown = text === "" ? {} : JSON.parse(text);
    return { status: response.status, body: isRecord(body) ? body : {} };
  }

  /** Calls Hetzner's API and waits for the actions of the answer. @throws when the call or an action fails */
  async hetzner(method: string, path: string, payload?: unknown): Promise<Json> {
    const { status, body } = await this.call(method, `/hetzner/v1${path}`, payload);
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(body)}`);
    const actions = [body["action"], body["actions"], body["next_actions"]].flat().filter(isRecord);
    for (const action of actions) await this.#actionEnds(Number(action["id"]));
    return body;
  }

  async #actionEnds(id: number): Promise<void> {
    for (;;) {
      const { body } = await this.call("GET", `/hetzner/v1/actions/${id}`);
      const { action } = body;
      if (!isRecord(action)) throw new Error(`action ${id} is gone`);
      if (action["status"] === "success") return;
      if (action["status"] === "error") throw new Error(`action ${id}: ${JSON.stringify(action["error"])}`);
      await sleep(50);
    }
  }

  /** Creates a resource. @returns its id */
  async make(path: string, singular: string, payload: unknown): Promise<number> {
    const { [singular]: made } = await this.hetzner("POST", path, payload);
    return isRecord(made) ? Number(made["id"]) : Number.NaN;
  }

  /** The objects of a listing. @param plural its name in the reply */
  async list(path: string, plural: string): Promise<Json[]> {
    const { [plural]: found } = await this.hetzner("GET", path);
    return Array.isArray(found) ? found.filter(isRecord) : [];
  }

  async status(): Promise<Status> {
    const status = readStatus((await this.call("GET", "/rehearsal/status")).body);
    if (!status) throw new Error("another version of this program runs the cloud");
    return status;
  }

  /** The public address of a server. */
  async address(name: string): Promise<string> {
    const found = (await this.status()).servers.find((one) => one.name === name);
    if (!found?.address) throw new Error(`no server ${name} with a public address`);
    return found.address;
  }

  /** Puts an image of this machine into the cloud's registry, under the same name. */
  async deliver(image: string): Promise<void> {
    const { status, body } = await this.call("POST", "/rehearsal/images", { image });
    if (status !== 201) throw new Error(`${image}: ${status} ${JSON.stringify(body)}`);
  }

  /** Creates a bucket. */
  async bucket(name: string): Promise<void> {
    const path = `/client/v4/accounts/${this.settings.accountId}/r2/buckets`;
    const { status, body } = await this.call("POST", path, { name });
    if (status !== 200) throw new Error(`bucket ${name}: ${status} ${JSON.stringify(body)}`);
  }

  /** A key of the S3 interface for one bucket: the id of a token and the digest of its value. */
  async accessKey(bucket: string): Promise<{ accessKeyId: string; secretAccessKey: string }> {
    const { body: groups } = await this.call("GET", "/client/v4/user/tokens/permission_groups");
    const group = [groups["result"]]
      .flat()
      .filter(isRecord)
      .find(({ name }) => name === "Workers R2 Storage Bucket Item Write");
    const resource = `com.cloudflare.edge.r2.bucket.${this.settings.accountId}_default_${bucket}`;
    const policies = [{ effect: "allow", permission_groups: [{ id: group?.["id"] }], resources: { [resource]: "*" } }];
    const { body } = await this.call("POST", "/client/v4/user/tokens", { name: bucket, policies });
    const { id, value } = isRecord(body["result"]) ? body["result"] : {};
    const secretAccessKey = createHash("sha256").update(String(value)).digest("hex");
    return { accessKeyId: String(id), secretAccessKey };
  }

  /** Injects a fault. @returns its id */
  async fault(fault: unknown): Promise<number> {
    const { status, body } = await this.call("POST", "/rehearsal/faults", fault);
    if (status !== 201 || !isRecord(body["fault"])) throw new Error(JSON.stringify(body));
    return Number(body["fault"]["id"]);
  }

  /** Runs a command on a server. */
  ssh(address: string, ...words: string[]): Ran {
    return this.feed(address, "", ...words);
  }

  /** Runs a command on a server, with standard input. */
  feed(address: string, input: string, ...words: string[]): Ran {
    const { status, stdout, stderr } = spawnSync("ssh", [...this.sshOptions, `root@${address}`, ...words], {
      ...{ encoding: "utf8", input },
    });
    return { code: status ?? 1, output: stdout + stderr };
  }

  /** Runs a command on a server through another one. */
  sshThrough(gateway: string, address: string, ...words: string[]): Ran {
    const proxy = ["ssh", ...this.sshOptions, "-W", "%h:%p", `root@${gateway}`].join(" ");
    const args = [...this.sshOptions, "-o", `ProxyCommand=${proxy}`, `root@${address}`, ...words];
    const { status, stdout, stderr } = spawnSync("ssh", args, { encoding: "utf8" });
    return { code: status ?? 1, output: stdout + stderr };
  }

  /** Resolves when a server accepts SSH. @returns seconds that it took */
  async booted(address: string, seconds = 90): Promise<number> {
    const started = Date.now();
    while (Date.now() - started < seconds * 1000) {
      if (this.ssh(address, "true").code === 0) return (Date.now() - started) / 1000;
      await sleep(100);
    }
    throw new Error(`${address} did not boot within ${seconds} s`);
  }

  /** Resolves when a command succeeds on a server. Asynchronous, so that several can be awaited at once. */
  async answers(address: string, words: readonly string[], seconds = 90): Promise<void> {
    const end = Date.now() + seconds * 1000;
    const args = [...this.sshOptions, `root@${address}`, ...words];
    while ((await tryRun("ssh", args)).code !== 0) {
      if (Date.now() > end) throw new Error(`${address} did not do '${words.join(" ")}' within ${seconds} s`);
      await sleep(100);
    }
  }

  dispose(): void {
    this.#printProblems();
    this.runMake("cloud-down");
    rmSync(join(this.key, ".."), { recursive: true, force: true });
  }

  /** Prints the problems in the cloud's log, which may explain a failed test: the log is deleted with the cloud. */
  #printProblems(): void {
    const log = join(cloudFolder(this.#root, this.#options.name), "cloud.log");
    const problems = existsSync(log) ? readFileSync(log, "utf8").match(/^PROBLEM .*$/gm) : null;
    if (problems) process.stderr.write(`Of the log of cloud '${this.#options.name}':\n${problems.join("\n")}\n`);
  }

  /** Options of ssh for every server of the cloud. */
  get sshOptions(): string[] {
    const options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "ConnectTimeout=2"];
    return [...options.flatMap((option) => ["-o", option]), "-o", "BatchMode=yes", "-i", this.key];
  }

  /**
   * Runs a make command as README and docs show it, on this cloud: with its name and place, and on the rehearsal instead of the stack.
   *
   * @param command what documented() of documented.ts returns
   * @param variables further ones, such as YES=1, which agrees in advance
   */
  runDocumented(
    command: string,
    variables: readonly string[] = [],
    environment: Readonly<Record<string, string>> = {},
  ): Ran {
    const { name, block, port } = this.#options;
    const about = /^make rehearse\b/.test(command)
      ? [`BLOCK=${block}`, `PORT=${port}`]
      : /^make cloud-/.test(command)
        ? []
        : ["REHEARSAL=1"];
    const words = [`CLOUD=${name}`, ...about, ...variables].join(" ");
    const env = { ...process.env, ...environment };
    const shell = ["-c", `${command} --no-print-directory ${words}`];
    const { status, stdout, stderr } = spawnSync("sh", shell, { cwd: this.#root, env, encoding: "utf8" });
    return { code: status ?? 1, output: stdout + stderr };
  }

  /** Runs a make target for this cloud. */
  runMake(target: string, variables: readonly string[] = [], environment: Readonly<Record<string, string>> = {}): Ran {
    const args = ["--no-print-directory", target, `CLOUD=${this.#options.name}`, ...variables];
    const env = { ...process.env, ...environment };
    const { status, stdout, stderr } = spawnSync("make", args, { cwd: this.#root, env, encoding: "utf8" });
    return { code: status ?? 1, output: stdout + stderr };
  }
}

const json = { "content-type": "application/json" };

/** The body of a page, or undefined without an answer within a second. */
export const get = (host: string, port: number, path = "/"): Promise<string | undefined> =>
  new Promise((resolve) => {
    const call = request({ host, port, path, timeout: 1000, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body += text));
      response.on("end", () => {
        resolve(body);
      });
    });
    call.on("timeout", () => call.destroy());
    call.on("error", () => {
      resolve(undefined);
    });
    call.end();
  });
