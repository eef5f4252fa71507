/** `make rehearse`: the production stack as it stands in this repository, on a cloud with real machines. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { officialImages } from "../../../config/images.ts";
import { cloudFolder, rehearsalFolder } from "../../../rehearsal/cloud/settings.ts";
import { Naming } from "../../../rehearsal/machines/docker/naming.ts";
import { RehearsalCloud } from "../../../testing/cloud.ts";
import { hostState } from "../../../testing/host.ts";
import { startLoad } from "../../../testing/load.ts";
import { succeed } from "../../../testing/sandbox.ts";

const root = resolve(__dirname, "..", "..", "..");
jest.setTimeout(900_000);

const own = { name: "rehearse", block: 81 };
const before = hostState(own);
const cloud = new RehearsalCloud(root, { ...own, port: 8485, machines: "docker" });
const folder = rehearsalFolder(root, own.name, "prod");
const tools = ["REHEARSAL=1"];

/** What somebody has set who works with real accounts: none of it may matter. */
const real = {
  HCLOUD_TOKEN: "real".repeat(16),
  CLOUDFLARE_API_TOKEN: "real".repeat(10),
  CLOUDFLARE_BASE_URL: "http://192.0.2.1/",
  PULUMI_BACKEND_URL: "file:///nonexistent/real",
  PULUMI_CONFIG_PASSPHRASE: "real",
};
const statePath = join(root, ".orion", "state", ".pulumi", "stacks", "orion", "prod.json");
const realState = () => (existsSync(statePath) ? readFileSync(statePath, "utf8") : "none");
const stateBefore = realState();
let report: string;

const accessSchema = z.object({ "core-1": z.object({ shell: z.string() }) });

/** Runs a command of the shell in the project's folder. */
function sh(command: string, environment: Readonly<Record<string, string>> = {}): string {
  const env = { ...process.env, ...environment };
  const { status, stdout, stderr } = spawnSync("sh", ["-c", command], { cwd: root, env, encoding: "utf8" });
  return succeed({ code: status ?? 1, output: stdout + stderr });
}

/** The command of the report that visits the platform, to be ended with more arguments and a path. */
const curl = (): string => {
  const [command] = /curl --resolve .*https:\/\/orion\.example\.com/.exec(report) ?? [];
  if (command === undefined) throw new Error(`the report says no curl:\n${report}`);
  return command.replace("curl", "curl --silent --fail --show-error");
};

/** Every file below a folder. */
const filesOf = (at: string): string[] =>
  readdirSync(at, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
  );

/** A bucket that has files cannot be deleted, at Cloudflare no more than here. */
function emptyBuckets(): void {
  const objects = join(cloudFolder(root, own.name), "objects", "objects");
  for (const bucket of readdirSync(objects)) {
    for (const name of readdirSync(join(objects, bucket))) rmSync(join(objects, bucket, name), { recursive: true });
  }
}

beforeAll(() => {
  report = cloud.rehearse("mvp", real);
});

afterAll(() => {
  cloud.dispose();
});

test("the platform answers through the edge, by the command that the report says", () => {
  expect(report).toContain("is up in phase mvp on the rehearsal cloud 'rehearse'");
  expect(report).toContain("orion/sample-app:");
  expect(sh(`${curl()}/health`)).toContain("ok");
});

test("files go to the cloud's object storage and come back", () => {
  const answer = sh(`echo hello | ${curl()}/uploads --form 'file=@-;filename=greeting.txt'`);
  const [, key = ""] = /"key": *"([^"]+)"/.exec(answer) ?? [];
  expect(sh(`${curl()}/uploads/${key}`)).toBe("hello\n");
  expect(filesOf(join(cloudFolder(root, own.name), "objects")).some((path) => path.endsWith(key))).toBe(true);
});

test("done again, it changes nothing, and neither does a look at what is really there", () => {
  expect(cloud.rehearse("mvp", real)).toMatch(/Resources:\n +\d+ unchanged\n/);
  sh(`npx pulumi -C '${folder}' preview --refresh --expect-no-changes --stack prod`, real);
});

test("a backup goes to its bucket and can be restored", () => {
  expect(succeed(cloud.runMake("backup", tools, real))).toMatch(/Z is complete \(\d+ s\); complete backups now: 1,/);
  expect(succeed(cloud.runMake("restore-drill", tools, real))).toMatch(/\d+ rows, all as they were backed up; \d+ s/);
});

test("the commands reach it with REHEARSAL=1", () => {
  const checked = succeed(cloud.runMake("doctor", tools, real));
  expect(checked).toMatch(/^ok +backup +1 complete, the newest 0 h old$/m);
  expect(checked).toContain("All of 'prod' is well.");
  const psql = `echo 'SELECT count(*) FROM alembic_version' | make --no-print-directory psql REHEARSAL=1 CLOUD=${own.name}`;
  expect(sh(psql)).toMatch(/^ +1$/m);
});

describe("what is closed", () => {
  const isOpen = (address: string, port: number): boolean =>
    spawnSync("timeout", ["3", "bash", "-c", `</dev/tcp/${address}/${port}`]).status === 0;
  const ports = [22, 80, 443, 2375, 5432, 5555, 6379, 6380, 8000, 8080];

  test("from this machine, an operator's, the server lets SSH in and nothing else: visitors come through the edge", async () => {
    const address = await cloud.address("orion-prod-core-1");
    expect(ports.filter((port) => isOpen(address, port))).toEqual([22]);
  });

  test("from another server, neither the private nor the public address lets anything in", async () => {
    const [core] = (await cloud.status()).servers;
    const [network] = await cloud.list("/networks", "networks");
    await cloud.make("/ssh_keys", "ssh_key", { name: "probe", public_key: cloud.publicKey });
    await cloud.make("/servers", "server", {
      ...{ name: "probe", server_type: "cx23", image: "debian-12", ssh_keys: ["probe"], networks: [network?.["id"]] },
    });
    const probe = await cloud.address("probe");
    await cloud.booted(probe);
    const open = (address: string) =>
      ports.filter((port) => cloud.ssh(probe, `timeout 2 bash -c '</dev/tcp/${address}/${port}'`).code === 0);
    expect(open(core?.private[0] ?? "")).toEqual([]);
    // A public address is one of loopback: from a server, the other one is where its packets would have to go.
    expect(open(new Naming(own.name, own.block).behind(core?.address ?? "").host)).toEqual([]);
    // It is the filter that closes them, not the network: packets that ask for an answer get one.
    expect(cloud.ssh(probe, `ping -c 1 -W 2 ${core?.private[0] ?? ""}`).output).toContain("1 received");
    const [server] = await cloud.list("/servers?name=probe", "servers");
    await cloud.hetzner("DELETE", `/servers/${String(server?.["id"])}`);
  });
});

test("a deploy under load fails no request, loses no order and runs every task", async () => {
  const load = startLoad(root, cloud.settings, "https://orion.example.com");
  sh(`npx pulumi -C '${folder}' config set --path orion:app.environment.GREETING hello --stack prod`, real);
  sh(`npx pulumi -C '${folder}' up --yes --skip-preview --stack prod`, real);
  const { answered, failures, reconnected, ledger } = await load.stop();
  expect(failures).toEqual([]);
  expect(ledger).toMatchObject({ lost: [], doubled: [], unconfirmed: [] });
  expect(ledger.acknowledged).toBe(answered["order"]);
  expect(ledger.acknowledged).toBeGreaterThan(20);
  expect(reconnected).toBeGreaterThan(0);
  const environment = sh(
    `echo 'echo $GREETING' | make --no-print-directory shell SERVICE=app REHEARSAL=1 CLOUD=${own.name}`,
  );
  expect(environment).toContain("hello");
});

test("certificates from another authority, their renewal and a setting of the edge cost no request either", async () => {
  // Settings of the rehearsal alone: `make rehearse` would bring the image along.
  const image = officialImages.certbot;
  sh("node images/build.ts certbot");
  expect((await cloud.call("POST", "/rehearsal/images", { image })).status).toBe(201);
  const load = startLoad(root, cloud.settings, "https://orion.example.com");
  sh(`npx pulumi -C '${folder}' config set --path orion:edge.tls acme --stack prod`, real);
  sh(`npx pulumi -C '${folder}' config set --path orion:edge.bodyLimitMb 40 --stack prod`, real);
  sh(`npx pulumi -C '${folder}' up --yes --skip-preview --stack prod`, real);
  const access = sh(`npx pulumi -C '${folder}' stack output access --json --stack prod`, real);
  const { "core-1": core } = accessSchema.parse(JSON.parse(access));
  const current = "/var/lib/orion/acme/edge/current/edge.crt";
  const certificate = () => sh(`${core.shell} openssl x509 -in ${current} -noout -issuer -serial`);
  const first = certificate();
  expect(first).toContain("Pebble");
  expect(sh(`${core.shell} orion-certificate renew`)).toContain("The certificate of orion.example.com is valid until");
  expect(certificate()).not.toBe(first);
  const { answered, failures, ledger } = await load.stop();
  expect(failures).toEqual([]);
  expect(ledger).toMatchObject({ lost: [], doubled: [], unconfirmed: [] });
  expect(answered["order"]).toBeGreaterThan(10);
});

test("the real stack is not touched, and no file of the rehearsal has the token in clear text", () => {
  expect(realState()).toBe(stateBefore);
  const { token } = cloud.settings;
  const files = filesOf(folder);
  expect(files.some((path) => path.endsWith("stacks/orion/prod.json"))).toBe(true);
  expect(files.filter((path) => readFileSync(path, "utf8").includes(token))).toEqual([]);
});

test("nothing is deleted while it is protected; with the protection off, the engine takes everything away again", async () => {
  const destroy = `npx pulumi -C '${folder}' destroy --yes --skip-preview --stack prod`;
  const asked = destroy.replace("--yes --skip-preview", "--preview-only");
  const { status, stdout } = spawnSync("sh", ["-c", asked], { cwd: root, env: process.env, encoding: "utf8" });
  expect(status).not.toBe(0);
  expect(stdout).toMatch(/cannot be deleted\s+because it is protected/);
  emptyBuckets();
  sh(`npx pulumi -C '${folder}' config set orion:protection false --stack prod`, real);
  sh(`npx pulumi -C '${folder}' up --yes --skip-preview --stack prod`, real);
  sh(destroy, real);
  expect(await cloud.status()).toMatchObject({ servers: [], balancers: [], records: [], buckets: [] });
  for (const kind of ["volumes", "networks", "primary_ips", "firewalls", "placement_groups", "ssh_keys"]) {
    expect((await cloud.list(`/${kind}`, kind)).map(({ name }) => name)).toEqual(kind === "ssh_keys" ? ["probe"] : []);
  }
});

test("it goes with its cloud", () => {
  cloud.down();
  expect(existsSync(cloudFolder(root, own.name))).toBe(false);
  const { code, output } = cloud.runMake("doctor", tools);
  expect(code).not.toBe(0);
  expect(output).toContain("make rehearse STACK=prod CLOUD=rehearse");
  expect(hostState(own)).toEqual(before);
});
