/** `pulumi up --target` on a stack that is made in part: the whole program runs, and most of what it refers to is missing. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { accountId, Api, ownerToken } from "./support/api.ts";
import { HetznerApi, hetznerToken } from "./support/hetzner.ts";
import { Project, type Ran, succeed } from "./project.ts";

const root = resolve(__dirname, "..", "..", "..");
jest.setTimeout(240_000);

let project: Project;
let hetzner: HetznerApi;

const configured = (folder: string, plan = "free"): void => {
  const key = join(folder, "key");
  if (!existsSync(key)) execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
  const config: Readonly<Record<string, unknown>> = {
    phase: "mvp",
    domain: "orion.example.com",
    app: { image: "example.com/orion/app:1" },
    storage: { bucket: "orion-files" },
    cloudflare: { accountId, plan },
    admin: {
      cidrs: ["203.0.113.0/24"],
      sshPublicKeys: [readFileSync(`${key}.pub`, "utf8").trim()],
      identityFile: key,
      sshFolder: join(folder, "ssh"),
    },
    email: { backend: "console" },
  };
  const entries = Object.entries(config).map(([key, value]): [string, unknown] => [`probe:${key}`, value]);
  const polling: [string, unknown][] = [
    ["hcloud:pollInterval", "50ms"],
    ["hcloud:pollFunction", "constant"],
  ];
  const all = Object.fromEntries<unknown>([...entries, ...polling]);
  writeFileSync(join(folder, "Pulumi.prod.yaml"), JSON.stringify({ config: all }));
};

beforeEach(async () => {
  hetzner = new HetznerApi();
  const cloudflare = new Api([{ name: "example.com", plan: "free" }]);
  project = new Project(root, "whole.ts", {
    HCLOUD_TOKEN: hetznerToken,
    HCLOUD_ENDPOINT: await hetzner.endpoint,
    CLOUDFLARE_API_TOKEN: ownerToken,
    CLOUDFLARE_BASE_URL: `${await cloudflare.base}/client/v4`,
  });
  configured(project.folder);
});
afterEach(() => {
  project.dispose();
});

const upOnly = (...targets: readonly string[]): Promise<Ran> =>
  project.pulumi(
    "up",
    "--yes",
    "--skip-preview",
    "--suppress-outputs",
    "--stack",
    "prod",
    ...targets.flatMap((one) => ["--target", one]),
  );

/** The key of the stack, as a person has put it into Hetzner's console under another name. */
const uploadKey = () =>
  hetzner.call("POST", "/ssh_keys", {
    name: "laptop",
    public_key: readFileSync(join(project.folder, "key.pub"), "utf8").trim(),
  });

/** All components of a stack, without a resource of a provider: as an update leaves it that was ended early. */
const components = ["index:Platform", "fleet:*", "storage:*", "runtime:*", "ingress:*"].map(
  (type) => `**orion:${type}::*`,
);

test("what is targeted is made, and what is missing is no unhandled exception", async () => {
  succeed(await project.pulumi("stack", "init", "prod"));
  await upOnly(...components);
  for (const [target, made] of [
    ["web-firewall", "Firewall"],
    ["storage-files-bucket", "R2Bucket"],
    ["core-1-ip", "PrimaryIp"],
  ]) {
    const { output } = await upOnly(`**::${target}`);
    expect(output).toMatch(new RegExp(`${made} ${target} created`));
    // The engine itself names what a provider still needs, as in "core-1-docker depends on core-1-ready".
    expect(output).not.toMatch(/TypeError|unhandled/);
  }
});

test("a key that Hetzner has already is used, and not made a second time", async () => {
  succeed(await project.pulumi("stack", "init", "prod"));
  const preview = async (): Promise<string> => succeed(await project.pulumi("preview", "--stack", "prod"));
  expect(await preview()).toMatch(/hcloud:index:SshKey admin-/);
  const { status } = await uploadKey();
  expect(status).toBe(201);
  const output = await preview();
  expect(output).toMatch(/hcloud:index:Server core-1-server/);
  expect(output).not.toMatch(/SshKey/);
});

test("another plan than the zone's is refused before anything is made, also without a preview", async () => {
  configured(project.folder, "pro");
  succeed(await project.pulumi("stack", "init", "prod"));
  const { code, output } = await upOnly();
  expect(code).not.toBe(0);
  expect(output).toContain(
    "but the zone example.com is on plan free; set it to free, or change the zone's plan at Cloudflare first. Nothing was changed.",
  );
  expect(hetzner.store.list("hetzner.network")).toEqual([]);
  expect(hetzner.store.list("hetzner.placement_group")).toEqual([]);
});
