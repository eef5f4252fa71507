/** The emulated Hetzner Cloud API, driven by Terraform or OpenTofu with the provider built from its Go module. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { ensureProgram, terraformProvider } from "../../../rehearsal/programs/programs.ts";
import { tryRun } from "../../../common/process.ts";
import { ownCertificate } from "./support/certificate.ts";
import { HetznerApi, hetznerToken } from "./support/hetzner.ts";
import { type Ran, succeed } from "./project.ts";

const root = resolve(__dirname, "..", "..", "..");
const terraform = ["tofu", "terraform"].find((name) => spawnSync(name, ["version"]).status === 0);
const title = "every resource type of the provider is made, read without drift, changed and deleted";

/** Resource types that the emulated API refuses, and says so. */
const notEmulated = {
  hcloud_certificate: "the old name of hcloud_uploaded_certificate",
  hcloud_managed_certificate: "no certificate authority is behind the cloud",
  hcloud_snapshot: "machines have no images of their own",
  hcloud_storage_box: "an API of its own",
  hcloud_storage_box_snapshot: "an API of its own",
  hcloud_storage_box_subaccount: "an API of its own",
  hcloud_zone: "names are Cloudflare's",
  hcloud_zone_record: "names are Cloudflare's",
  hcloud_zone_rrset: "names are Cloudflare's",
};

const schemas = z.object({
  provider_schemas: z.record(z.string(), z.object({ resource_schemas: z.record(z.string(), z.unknown()) })),
});

/** A configuration in a folder of its own, against an emulated API of its own. */
class Configuration {
  readonly #folder = mkdtempSync(join(tmpdir(), "orion-terraform-"));
  readonly #program: string;
  readonly #env: NodeJS.ProcessEnv;

  constructor(program: string, provider: string, endpoint: string) {
    this.#program = program;
    cpSync(join(__dirname, "terraform"), this.#folder, { recursive: true });
    const settings = join(this.#folder, "settings.tfrc");
    writeFileSync(
      settings,
      `provider_installation {\n  dev_overrides { "hetznercloud/hcloud" = ${JSON.stringify(dirname(provider))} }\n}\n`,
    );
    this.#env = {
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(TF_|HCLOUD_)/.test(name))),
      HCLOUD_TOKEN: hetznerToken,
      HCLOUD_ENDPOINT: endpoint,
      TF_CLI_CONFIG_FILE: settings,
      TF_IN_AUTOMATION: "1",
      CHECKPOINT_DISABLE: "1",
    };
  }

  /** The values that it is run with. */
  set(variables: Readonly<Record<string, unknown>>): void {
    writeFileSync(join(this.#folder, "terraform.tfvars.json"), JSON.stringify(variables));
  }

  /** Adds to what the configuration says. */
  add(text: string): void {
    writeFileSync(join(this.#folder, "more.tf"), text);
  }

  newPublicKey(): string {
    const path = join(this.#folder, "key");
    spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "probe", "-f", path]);
    return readFileSync(`${path}.pub`, "utf8").trim();
  }

  async run(...args: readonly string[]): Promise<Ran> {
    const {
      code = 1,
      stdout,
      stderr,
    } = await tryRun(this.#program, args, {
      cwd: this.#folder,
      environment: this.#env,
    });
    // `output` has only the last 64 KiB, and the provider's schema is longer.
    return { code, output: stdout + stderr };
  }

  async apply(): Promise<string> {
    return succeed(await this.run("apply", "-auto-approve", "-input=false", "-no-color"));
  }

  /** @throws when another apply would change anything */
  async isStill(): Promise<void> {
    succeed(await this.run("plan", "-detailed-exitcode", "-input=false", "-no-color"));
  }

  dispose(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function withConfiguration(work: (configuration: Configuration, api: HetznerApi) => Promise<void>) {
  const api = new HetznerApi();
  const provider = await ensureProgram(terraformProvider, { root });
  const configuration = new Configuration(String(terraform), provider, await api.endpoint);
  try {
    await work(configuration, api);
  } finally {
    configuration.dispose();
  }
}

/** A new SSH key and a new certificate, as variables of the configuration. */
const keysFor = async (configuration: Configuration) => ({
  public_key: configuration.newPublicKey(),
  ...keysOf(await ownCertificate("probe.example.com")),
});

if (terraform === undefined) {
  test.skip(title, () => undefined);
  process.stderr.write("Neither tofu nor terraform is on the PATH: the test of its provider is skipped.\n");
} else {
  // The provider may have to be built first.
  test(
    title,
    () =>
      withConfiguration(async (configuration, api) => {
        const common = await keysFor(configuration);
        configuration.set({ ...common, round: 1 });
        const plan = succeed(await configuration.run("plan", "-input=false", "-no-color"));
        const [, planned] = /Plan: (\d+) to add, 0 to change, 0 to destroy/.exec(plan) ?? [];
        expect(await configuration.apply()).toContain(`Apply complete! Resources: ${planned} added`);
        await configuration.isStill();

        // Nothing that the provider knows is left out but what is named here.
        const served = succeed(await configuration.run("state", "list"))
          .split("\n")
          .flatMap((address) => /^hcloud_\w+/.exec(address)?.[0] ?? []);
        expect([...new Set([...served, ...Object.keys(notEmulated)])].sort()).toEqual(await typesOf(configuration));

        configuration.set({ ...common, round: 2 });
        expect(await configuration.apply()).toMatch(/Resources: 0 added, \d+ changed, 0 destroyed/);
        await configuration.isStill();

        succeed(await configuration.run("destroy", "-auto-approve", "-input=false", "-no-color"));
        expect(leftIn(api)).toEqual([]);
        expect(api.failures).toEqual([]);
      }),
    900_000,
  );

  test(
    "what is not emulated is refused by name, and nothing of it is made",
    () =>
      withConfiguration(async (configuration, api) => {
        const common = await keysFor(configuration);
        configuration.set({ ...common, round: 1 });
        configuration.add('resource "hcloud_snapshot" "probe" { server_id = hcloud_server.probe.id }\n');
        const { code, output } = await configuration.run(
          ...["apply", "-auto-approve", "-input=false", "-no-color", "-target=hcloud_snapshot.probe"],
        );
        expect(code).not.toBe(0);
        expect(output).toMatch(/create_image is not emulated by the rehearsal cloud/);
        succeed(await configuration.run("destroy", "-auto-approve", "-input=false", "-no-color"));
        expect(leftIn(api)).toEqual([]);
      }),
    240_000,
  );
}

const keysOf = ({ certificate, privateKey }: { readonly certificate: string; readonly privateKey: string }) => ({
  certificate,
  private_key: privateKey,
});

async function typesOf(configuration: Configuration): Promise<string[]> {
  const text = await configuration.run("providers", "schema", "-json");
  const { provider_schemas: providers } = schemas.parse(JSON.parse(succeed(text)));
  return Object.values(providers)
    .flatMap(({ resource_schemas: types }) => Object.keys(types))
    .sort();
}

const leftIn = ({ store }: HetznerApi): unknown[] =>
  (
    [
      ...["hetzner.server", "hetzner.network", "hetzner.firewall", "hetzner.volume", "hetzner.primary_ip"],
      ...["hetzner.floating_ip", "hetzner.ssh_key", "hetzner.placement_group", "hetzner.certificate"],
      ...["hetzner.load_balancer"],
    ] as const
  ).flatMap((kind) => store.list(kind));
