/** The platform that is rehearsed on a cloud: what its visitors see, and what runs on its server. */
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cloudAddresses, cloudFolder, rehearsalFolder } from "../../../rehearsal/cloud/settings.ts";
import { type Engine, Engines } from "../../../tools/engines.ts";
import { readStackFile } from "../../../tools/stack-file.ts";
import { type RehearsalCloud } from "./cloud.ts";
import { type RunningLoad, startLoad } from "./load.ts";

/** Stack, host name and server of what is rehearsed: those of Pulumi.prod.yaml. */
const [stack, domain, server] = ["prod", "orion.example.com", "core-1"];

export class RehearsedPlatform {
  readonly #root: string;
  readonly #cloud: RehearsalCloud;
  #engine: Engine | undefined;

  constructor(root: string, cloud: RehearsalCloud) {
    this.#root = root;
    this.#cloud = cloud;
  }

  /** The Pulumi project of the rehearsal. */
  get folder(): string {
    return rehearsalFolder(this.#root, this.#cloud.settings.instance, stack);
  }

  load(): RunningLoad {
    return startLoad(this.#root, this.#cloud.settings, `https://${domain}`);
  }

  /** The status that a page of the platform has through the cloud's edge; undefined when nobody answers in time. */
  visit(path: string): Promise<number | undefined> {
    const { instance, block } = this.#cloud.settings;
    const ca = readFileSync(join(cloudFolder(this.#root, instance), "edge-authority.pem"));
    const options = { host: cloudAddresses(block).edge, servername: domain, ca, path, agent: false, timeout: 3000 };
    return new Promise((resolve) => {
      const call = request({ ...options, headers: { host: domain } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      call.on("timeout", () => call.destroy());
      call.on("error", () => {
        resolve(undefined);
      });
      call.end();
    });
  }

  /** Resolves when the app answers and reaches all that it needs, twice in a row. @returns seconds until the first time */
  async ready(seconds = 120): Promise<number> {
    const started = Date.now();
    for (;;) {
      const at = (Date.now() - started) / 1000;
      if ((await this.visit("/ready")) === 200 && (await this.visit("/ready")) === 200) return at;
      if (at > seconds) throw new Error(`the platform was not ready within ${seconds} s`);
      await sleep(200);
    }
  }

  /** Runs a program on the server, as its operator. @returns what it printed */
  on(...words: readonly string[]): string {
    this.#engine ??= new Engines(this.folder, readStackFile(this.folder, stack)).of({ server });
    const { code, stdout, stderr } = this.#engine.captureOnHost(...words);
    if (code !== 0) throw new Error(`${words.join(" ")} on ${server}: ${stderr}`);
    return stdout;
  }

  /** The state of each container on the server, by its service. */
  containers(): ReadonlyMap<string, string> {
    const format = '{{.Label "service"}}\t{{.Status}}';
    const lines = this.on("docker", "ps", "--all", "--filter", "label=service", "--format", format).trim().split("\n");
    return new Map(lines.map((line) => line.split("\t")).map(([service = "", status = ""]) => [service, status]));
  }

  /** Kills the main process of a service's container, as the kernel would; whoever asks Docker to do it means it to stay dead. */
  kill(service: string): void {
    const id = this.on("docker", "ps", "--quiet", "--filter", `label=service=${service}`).trim();
    if (id === "") throw new Error(`${service} does not run`);
    const pid = this.on("docker", "inspect", "--format", "{{.State.Pid}}", id).trim();
    this.on("kill", "-KILL", pid);
  }
}
