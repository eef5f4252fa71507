/** The emulated Hetzner Cloud API, driven by the real engine with the real hcloud plugin. */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { driftOf, wordsOf } from "../../../tools/drift/findings.ts";
import { changesIn } from "../../../tools/engine-preview.ts";
import { expectRecord } from "./support/clients.ts";
import { HetznerApi, hetznerToken } from "./support/hetzner.ts";
import { Project, succeed } from "./project.ts";

const root = resolve(__dirname, "..", "..", "..");
jest.setTimeout(240_000);

const kinds = [
  "server",
  "network",
  "firewall",
  "volume",
  "primary_ip",
  "floating_ip",
  "ssh_key",
  "placement_group",
  "certificate",
  "load_balancer",
] as const;

function pluginVersion(): string {
  const text = readFileSync(join(root, "node_modules/@pulumi/hcloud/package.json"), "utf8");
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}

test("every resource type is made, read without drift, changed and deleted", async () => {
  const api = new HetznerApi();
  const project = new Project(root, "hcloud.ts", {
    HCLOUD_TOKEN: hetznerToken,
    HCLOUD_ENDPOINT: await api.endpoint,
  });
  const noChanges = async (): Promise<void> => {
    succeed(await project.pulumi("refresh", "--yes", "--expect-no-changes", "--diff"));
    succeed(await project.pulumi("preview", "--expect-no-changes", "--diff"));
  };
  const up = async (): Promise<string> => succeed(await project.pulumi("up", "--yes", "--skip-preview"));
  try {
    succeed(await project.pulumi("stack", "init", "probe"));
    for (const [key, value] of [
      ["pollInterval", "50ms"],
      ["pollFunction", "constant"],
    ] as const) {
      succeed(await project.pulumi("config", "set", `hcloud:${key}`, value));
    }
    await up();
    await noChanges();
    expect(kinds.map((kind) => [kind, api.store.count(`hetzner.${kind}`) > 0])).toEqual(
      kinds.map((one) => [one, true]),
    );

    succeed(await project.pulumi("config", "set", "v2", "true"));
    succeed(await project.pulumi("config", "set", "protect", "true"));
    const changed = await up();
    expect(changed).not.toMatch(/replaced/);
    await noChanges();

    // What somebody changes by hand is drift, in words; what is as it was is not named.
    const id = api.store.list("hetzner.firewall").find(({ name }) => name === "probe")?.id;
    await api.do("POST", `/firewalls/${String(id)}/actions/set_rules`, { rules: [] });
    const placement = api.store.list("hetzner.floating_ip").find(({ name }) => name === "probe")?.id;
    await api.do("PUT", `/floating_ips/${String(placement)}`, { description: "by hand" });
    const seen = succeed(await project.pulumi("preview", "--refresh", "--json"));
    expect(driftOf(changesIn(seen), []).drifted.map(wordsOf).sort()).toEqual(
      ["FloatingIp probe differs in description", "Firewall probe differs in rules"].sort(),
    );
    succeed(await project.pulumi("up", "--yes", "--skip-preview", "--refresh"));
    await noChanges();

    // Delete protection goes first, then what it kept.
    const refused = await project.pulumi("destroy", "--yes", "--skip-preview");
    expect(refused.output).toContain("deletion is protected");
    expect(refused.code).not.toBe(0);
    succeed(await project.pulumi("config", "set", "protect", "false"));
    await up();
    succeed(await project.pulumi("destroy", "--yes", "--skip-preview"));
    expect(kinds.map((kind) => [kind, api.store.list(`hetzner.${kind}`)])).toEqual(kinds.map((one) => [one, []]));
    expect(api.failures).toEqual([]);
    expectRecord("pulumi-hcloud", "Pulumi's plugin hcloud", pluginVersion());
  } finally {
    project.dispose();
  }
});
