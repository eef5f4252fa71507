/** The emulated Hetzner Cloud API, driven by Terraform or OpenTofu with the provider built from its Go module. */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { succeed } from "../../../testing/sandbox.ts";
import { Terraform, terraformProgram } from "../../../testing/terraform.ts";
import { ownCertificate } from "./support/certificate.ts";
import { expectRecord } from "./support/clients.ts";
import { HetznerApi, hetznerToken } from "./support/hetzner.ts";

const root = resolve(__dirname, "..", "..", "..");
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

async function withConfiguration(work: (configuration: Terraform, api: HetznerApi) => Promise<void>) {
  const api = new HetznerApi();
  const access = { endpoint: await api.endpoint, token: hetznerToken };
  const configuration = await Terraform.of(root, join(__dirname, "terraform"), access);
  try {
    await work(configuration, api);
  } finally {
    configuration.dispose();
  }
}

function providerVersion(): string {
  const text = readFileSync(join(root, "rehearsal/programs/terraform-provider-hcloud/go.mod"), "utf8");
  return /terraform-provider-hcloud v(\S+)/.exec(text)?.[1] ?? "";
}

function newPublicKey(folder: string): string {
  const path = join(folder, "key");
  spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "probe", "-f", path]);
  return readFileSync(`${path}.pub`, "utf8").trim();
}

/** A new SSH key and a new certificate, as variables of the configuration. */
const keysFor = async (configuration: Terraform) => ({
  public_key: newPublicKey(configuration.folder),
  ...keysOf(await ownCertificate("probe.example.com")),
});

if (terraformProgram === undefined) {
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
        const plan = await configuration.plan();
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

        await configuration.destroy();
        expect(leftIn(api)).toEqual([]);
        expect(api.failures).toEqual([]);
        expectRecord("terraform-hcloud", "Terraform's provider hcloud", providerVersion());
      }),
    900_000,
  );

  test(
    "what is not emulated is refused by name, and nothing of it is made",
    () =>
      withConfiguration(async (configuration, api) => {
        const common = await keysFor(configuration);
        configuration.set({ ...common, round: 1 });
        const snapshot = 'resource "hcloud_snapshot" "probe" { server_id = hcloud_server.probe.id }\n';
        writeFileSync(join(configuration.folder, "more.tf"), snapshot);
        const { code, output } = await configuration.run(
          ...["apply", "-auto-approve", "-input=false", "-no-color", "-target=hcloud_snapshot.probe"],
        );
        expect(code).not.toBe(0);
        expect(output).toMatch(/create_image is not emulated by the rehearsal cloud/);
        await configuration.destroy();
        expect(leftIn(api)).toEqual([]);
      }),
    240_000,
  );
}

const keysOf = ({ certificate, privateKey }: { readonly certificate: string; readonly privateKey: string }) => ({
  certificate,
  private_key: privateKey,
});

async function typesOf(configuration: Terraform): Promise<string[]> {
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
