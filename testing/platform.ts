/** Controls the rehearsed platform of phase mvp in tests: requests, containers, faults, configuration and updates. */
import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { runSync } from "../common/process.ts";
import { CloudClient } from "../rehearsal/cloud/client.ts";
import { rehearsalFolder } from "../rehearsal/cloud/settings.ts";
import { type Engine, Engines } from "../tools/engines.ts";
import { readStackFile } from "../tools/stack-file.ts";
import type { RehearsalCloud } from "./cloud.ts";
import { buildImage } from "./docker-image.ts";
import { eventually } from "./eventually.ts";
import { type LoadReport, type RunningLoad, startLoad } from "../rehearsal/load/process.ts";
import { type Place, placeOrder, visit } from "../rehearsal/load/visit.ts";
import { type Ran, succeed } from "./sandbox.ts";

/** Stack, host name and server of Pulumi.prod.yaml. */
const [stack, domain, server] = ["prod", "orion.example.com", "core-1"];
const serverName = `orion-${stack}-${server}`;

const usualImage = "registry.example.com/orion/app:1.0.0";
/** What an app of the broken image prints. */
export const brokenMessage = "this version does not start";

/** An update in its own process group. */
export interface RunningUpdate {
  /** Resolves when it has printed a match, or has ended. */
  readonly printed: (what: RegExp) => Promise<void>;
  /** Kills its process group. @returns whether it still ran */
  readonly kill: () => Promise<boolean>;
  /** What it has printed. */
  readonly output: () => string;
}

export class RehearsedPlatform {
  readonly #root: string;
  readonly #cloud: RehearsalCloud;
  #engine: Engine | undefined;

  constructor(root: string, cloud: RehearsalCloud) {
    this.#root = root;
    this.#cloud = cloud;
  }

  load(seconds?: number): RunningLoad {
    return startLoad(this.#root, this.#cloud.settings, `https://${domain}`, seconds);
  }

  /** Runs the load while something happens, and ends it also when that fails. */
  async underLoad<T>(happens: () => Promise<T> | T): Promise<{ readonly result: T; readonly report: LoadReport }> {
    const load = this.load(7200);
    try {
      const result = await happens();
      return { result, report: await load.stop() };
    } catch (error) {
      await load.stop();
      throw error;
    }
  }

  /** The status of a page of the platform through the cloud's edge; undefined without an answer in time. */
  visit(path: string, body?: unknown): Promise<number | undefined> {
    return visit(this.#place, path, body);
  }

  /** Places an order. @returns the status of the answer, 201 when it is acknowledged */
  order(): Promise<number | undefined> {
    return placeOrder(this.#place);
  }

  /** Resolves when the app answers and accepts orders. @returns seconds until then */
  async ready(seconds = 120): Promise<number> {
    const started = Date.now();
    await eventually(async () => {
      // /ready is not for visitors.
      const seen = [await this.visit("/health"), await this.order()];
      if (seen[0] !== 200 || seen[1] !== 201) throw new Error(`/health and an order were answered ${seen.join(", ")}`);
    }, seconds);
    return (Date.now() - started) / 1000;
  }

  /** Runs a program on the server, as its operator. @returns what it printed */
  on(...words: readonly string[]): string {
    const folder = this.#folder;
    this.#engine ??= new Engines(folder, readStackFile(folder, stack)).of({ server });
    const { code, stdout, stderr } = this.#engine.captureOnHost(...words);
    if (code !== 0) throw new Error(`${words.join(" ")} on ${server}: ${stderr}`);
    return stdout;
  }

  /** Service and status of each container on the server. */
  containers(): [service: string, status: string][] {
    const format = '{{.Label "service"}}\t{{.Status}}';
    const lines = this.on("docker", "ps", "--all", "--filter", "label=service", "--format", format).trim().split("\n");
    return lines.map((line) => line.split("\t")).map(([service = "", status = ""]) => [service, status]);
  }

  services(): string[] {
    return this.containers()
      .map(([service]) => service)
      .sort();
  }

  /** Resolves when all containers are healthy, or those of one service. @returns seconds until then */
  async healthy(service?: string, seconds = 120): Promise<number> {
    const started = Date.now();
    await eventually(() => {
      const asked = this.containers().filter(([name]) => service === undefined || name === service);
      const ill = asked.filter(([, status]) => !status.includes("(healthy)"));
      if (asked.length === 0 || ill.length > 0) throw new Error(`not healthy: ${ill.join("; ")}`);
    }, seconds);
    return (Date.now() - started) / 1000;
  }

  /**
   * Kills a service's container by killing its first process, as the kernel does without memory. After `docker kill`, Docker
   * would not restart the container. Resolves when it has been started again.
   */
  async kill(service: string): Promise<void> {
    const id = this.on("docker", "ps", "--quiet", "--filter", `label=service=${service}`).trim();
    if (id === "") throw new Error(`${service} does not run`);
    const state = () =>
      this.on("docker", "inspect", "--format", "{{.State.Pid}} {{.State.StartedAt}}", id).trim().split(" ");
    const [pid = "", started] = state();
    this.on("kill", "-KILL", pid);
    await eventually(() => {
      const [now, again] = state();
      if (now === "0" || again === started) throw new Error(`${service} was killed and did not start again`);
    });
  }

  /** Powers the server off without a shutdown, and on again after a second. */
  async cutPower(): Promise<void> {
    const [found] = await this.#cloud.list(`/servers?name=${serverName}`, "servers");
    await this.#cloud.fault({ kind: "killed", server: found?.["id"] });
    await sleep(1000);
    await this.#cloud.hetzner("POST", `/servers/${String(found?.["id"])}/actions/poweron`);
  }

  /** Fills the Volume with the data. @returns a function that frees the space */
  async fillVolume(): Promise<() => Promise<void>> {
    const [volume] = await this.#cloud.list(`/volumes?name=${serverName}`, "volumes");
    const fault = { kind: "volume_full", volume: volume?.["id"], server: volume?.["server"] };
    const id = await this.#cloud.fault(fault);
    return async () => {
      await this.#cloud.call("DELETE", `/rehearsal/faults/${id}`);
    };
  }

  /** Sets a key of the stack, until the next `rehearse`. */
  configure(key: string, value: string): void {
    const args = ["-C", this.#folder, "config", "set", "--path", `orion:${key}`, value, "--stack", stack];
    const { code = 1, output } = runSync("pulumi", args);
    succeed({ code, output });
  }

  /** Removes a key of the stack, until the next `rehearse`. */
  forget(key: string): void {
    const args = ["-C", this.#folder, "config", "rm", "--path", `orion:${key}`, "--stack", stack];
    const { code = 1, output } = runSync("pulumi", args);
    succeed({ code, output });
  }

  /** Configures an image of the app whose processes end at their start; migrations with it succeed. */
  async useBrokenImage(): Promise<void> {
    const usual = this.on("docker", "inspect", "--format", "{{.Config.Image}}", `orion-${stack}-beat`).trim();
    const text = `FROM ${usual}\nUSER root\nRUN echo 'raise SystemExit("${brokenMessage}")' >> main.py\nUSER orion\n`;
    const { instance } = this.#cloud.settings;
    const image = `orion/${instance}-broken:1`;
    try {
      buildImage(image, text);
      await new CloudClient(this.#cloud.settings).pushImage(image, `${usualImage}-broken`);
    } finally {
      runSync("docker", ["image", "rm", "--force", image]);
    }
    this.configure("app.image", `${usualImage}-broken`);
  }

  useUsualImage(): void {
    this.configure("app.image", usualImage);
  }

  update(): Ran {
    return this.#cloud.runMake("up", ["REHEARSAL=1", "YES=1"]);
  }

  /** Starts a make target that updates the stack. */
  start(target: string, ...variables: readonly string[]): RunningUpdate {
    const args = ["--no-print-directory", target, `CLOUD=${this.#cloud.settings.instance}`, ...variables];
    const child = spawn("make", args, { cwd: this.#root, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    const runs = () => child.exitCode === null && child.signalCode === null;
    return {
      printed: async (what) => {
        while (runs() && !what.test(output)) await sleep(50);
      },
      kill: async () => {
        const ran = runs();
        // A negative id means the whole group: make, the engine, its plugins.
        if (child.pid !== undefined && ran) process.kill(-child.pid, "SIGKILL");
        while (runs()) await sleep(50);
        return ran;
      },
      output: () => output,
    };
  }

  get #place(): Place {
    return { root: this.#root, cloud: this.#cloud.settings, domain };
  }

  get #folder(): string {
    return rehearsalFolder(this.#root, this.#cloud.settings.instance, stack);
  }
}
