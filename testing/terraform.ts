/** Terraform or OpenTofu with Hetzner's provider, built from its Go module, in a folder of its own. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { tryRun } from "../common/process.ts";
import { ensureProgram, terraformProvider } from "../rehearsal/programs/programs.ts";
import { type Ran, succeed } from "./sandbox.ts";

/** The program on the PATH; undefined when there is none. */
export const terraformProgram = ["tofu", "terraform"].find((name) => spawnSync(name, ["version"]).status === 0);

export class Terraform {
  readonly folder = mkdtempSync(join(tmpdir(), "orion-terraform-"));
  readonly #program: string;
  readonly #env: NodeJS.ProcessEnv;

  private constructor(program: string, configuration: string, provider: string, endpoint: string, token: string) {
    this.#program = program;
    cpSync(configuration, this.folder, { recursive: true, filter: (path) => !path.endsWith(".ts") });
    const settings = join(this.folder, "settings.tfrc");
    writeFileSync(
      settings,
      `provider_installation {\n  dev_overrides { "hetznercloud/hcloud" = ${JSON.stringify(dirname(provider))} }\n}\n`,
    );
    this.#env = {
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(TF_|HCLOUD_)/.test(name))),
      HCLOUD_TOKEN: token,
      HCLOUD_ENDPOINT: endpoint,
      TF_CLI_CONFIG_FILE: settings,
      TF_IN_AUTOMATION: "1",
      CHECKPOINT_DISABLE: "1",
    };
  }

  /**
   * Builds the provider if it is missing.
   *
   * @param configuration folder of the files, which are copied
   * @param api Hetzner's API, `endpoint` with `/v1`
   * @throws {Error} when neither program is on the PATH
   */
  static async of(
    root: string,
    configuration: string,
    api: { readonly endpoint: string; readonly token: string },
  ): Promise<Terraform> {
    if (terraformProgram === undefined) throw new Error("neither tofu nor terraform is on the PATH");
    const provider = await ensureProgram(terraformProvider, { root });
    return new Terraform(terraformProgram, configuration, provider, api.endpoint, api.token);
  }

  /** The values that it is run with. */
  set(variables: object): void {
    writeFileSync(join(this.folder, "terraform.tfvars.json"), JSON.stringify(variables));
  }

  async run(...args: readonly string[]): Promise<Ran> {
    const {
      code = 1,
      stdout,
      stderr,
    } = await tryRun(this.#program, args, { cwd: this.folder, environment: this.#env });
    // `output` has only the last 64 KiB, and the provider's schema is longer.
    return { code, output: stdout + stderr };
  }

  async plan(): Promise<string> {
    return succeed(await this.run("plan", "-input=false", "-no-color"));
  }

  async apply(): Promise<string> {
    return succeed(await this.run("apply", "-auto-approve", "-input=false", "-no-color"));
  }

  /** @throws when another apply would change anything */
  async isStill(): Promise<void> {
    succeed(await this.run("plan", "-detailed-exitcode", "-input=false", "-no-color"));
  }

  async destroy(): Promise<void> {
    succeed(await this.run("destroy", "-auto-approve", "-input=false", "-no-color"));
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
