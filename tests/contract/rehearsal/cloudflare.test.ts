/** The stand-in for the Cloudflare plugin, driven by the real engine against the emulated API. */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describeResources } from "../../../rehearsal/cloudflare-plugin/describe.ts";
import { resources } from "../../../rehearsal/cloudflare-plugin/resources.ts";
import { setQuirk } from "../../../rehearsal/cloudflare/quirks.ts";
import { ownedBy } from "../../../rehearsal/cloudflare/state.ts";
import { Api, ownerToken } from "./support/api.ts";
import { Project, succeed } from "./project.ts";

const root = resolve(__dirname, "..", "..", "..");
const zones = [
  { name: "example.com", plan: "pro" },
  { name: "biz.example", plan: "enterprise" },
] as const;
jest.setTimeout(180_000);

async function withStack(work: (project: Project, api: Api) => Promise<void>): Promise<void> {
  const api = new Api(zones);
  const project = new Project(root, "cloudflare.ts", {
    CLOUDFLARE_API_TOKEN: ownerToken,
    CLOUDFLARE_BASE_URL: `${await api.base}/client/v4`,
  });
  try {
    succeed(await project.pulumi("stack", "init", "probe"));
    await work(project, api);
  } finally {
    project.dispose();
  }
}

test("properties.json says what the SDK's types say", () => {
  const path = join(root, "rehearsal", "cloudflare-plugin", "properties.json");
  expect(JSON.parse(readFileSync(path, "utf8"))).toEqual(describeResources(root));
});

test("every resource is made, read, changed, replaced and deleted, and none of them drifts", () =>
  withStack(async (project, api) => {
    const up = ["up", "--yes", "--skip-preview"];
    const noChanges = async (): Promise<void> => {
      succeed(await project.pulumi("refresh", "--yes", "--expect-no-changes", "--diff"));
      succeed(await project.pulumi("preview", "--expect-no-changes", "--diff"));
    };
    expect(succeed(await project.pulumi(...up))).toContain(
      "using the rehearsal's cloudflare plugin instead of the official one",
    );
    const state = succeed(await project.pulumi("stack", "export"));
    for (const [name, { module }] of Object.entries(resources)) {
      expect(state).toContain(`"cloudflare:index/${module}:${name}"`);
    }
    // The client certificate for origins is deployed meanwhile, which is no change of the stack's.
    api.now = new Date(api.now.getTime() + 60_000);
    await noChanges();

    succeed(await project.pulumi("config", "set", "v2", "true"));
    const changed = succeed(await project.pulumi(...up));
    expect(changed).toMatch(/OriginCaCertificate origin replaced/);
    expect(changed).toMatch(/1 replaced/);
    await noChanges();

    // A record that somebody deleted is made again; one that somebody changed is set back.
    const [first] = ownedBy(api.store, "cloudflare.record", api.zone()).filter(
      ({ name }) => name === "www.example.com",
    );
    await api.call("DELETE", `/zones/${api.zone()}/dns_records/${String(first?.["id"])}`);
    expect(succeed(await project.pulumi("refresh", "--yes"))).toMatch(/DnsRecord www deleted/);
    expect(succeed(await project.pulumi(...up))).toMatch(/DnsRecord www created/);

    // With a quirk on, the same stack drifts: what it is for.
    setQuirk(api.store, "pool.port-zero", true);
    setQuirk(api.store, "pool.sorted-origins", true);
    expect((await project.pulumi("refresh", "--yes", "--expect-no-changes")).code).not.toBe(0);
    setQuirk(api.store, "pool.sorted-origins", false);
    setQuirk(api.store, "pool.port-zero", false);

    succeed(await project.pulumi("destroy", "--yes", "--skip-preview"));
    for (const kind of ["record", "ruleset", "certificate", "balancer", "pool", "monitor", "bucket-domain"] as const) {
      expect(api.store.list(`cloudflare.${kind}`)).toEqual([]);
    }
    expect(api.store.list("cloudflare.token")).toEqual([]);
    expect(api.store.list("cloudflare.bucket")).toEqual([]);
  }));

test("secrets are in no state and no output", () =>
  withStack(async (project) => {
    const output = succeed(await project.pulumi("up", "--yes", "--skip-preview"));
    const token = succeed(await project.pulumi("stack", "output", "value", "--show-secrets")).trim();
    expect(token).toHaveLength(40);
    expect(output).not.toContain(token);
    expect(succeed(await project.pulumi("stack", "export"))).not.toContain(token);
    succeed(await project.pulumi("destroy", "--yes", "--skip-preview"));
  }));

test("a token of the stack's configuration is taken, secret as it is", async () => {
  const api = new Api(zones);
  const project = new Project(root, "cloudflare.ts", { CLOUDFLARE_BASE_URL: `${await api.base}/client/v4` });
  try {
    succeed(await project.pulumi("stack", "init", "probe"));
    succeed(await project.pulumi("config", "set", "--secret", "cloudflare:apiToken", ownerToken));
    succeed(await project.pulumi("preview"));
  } finally {
    project.dispose();
  }
});

test("an address that is not loopback is refused", async () => {
  const project = new Project(root, "cloudflare.ts", {
    CLOUDFLARE_API_TOKEN: ownerToken,
    CLOUDFLARE_BASE_URL: "https://api.cloudflare.com/client/v4",
  });
  try {
    succeed(await project.pulumi("stack", "init", "probe"));
    const { code, output } = await project.pulumi("preview");
    expect(code).not.toBe(0);
    expect(output).toContain("https://api.cloudflare.com/client/v4 is not an address of this machine");
  } finally {
    project.dispose();
  }
});
