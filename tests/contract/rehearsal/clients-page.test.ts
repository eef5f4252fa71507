/** The blocks of docs/rehearsal-clients.md, each run as it stands with the variables that a cloud prints for its clients. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { tryRun } from "../../../common/process.ts";
import { type RehearsalCloud, rehearsalCloud } from "../../../rehearsal/index.ts";
import { type Block, blocksOf, blockWith } from "../../../testing/documented.ts";
import { temporaryFolder } from "../../../testing/folder.ts";
import { pythonClients } from "../../../testing/python-clients.ts";
import { succeed } from "../../../testing/sandbox.ts";
import { Terraform, terraformProgram } from "../../../testing/terraform.ts";

const root = resolve(__dirname, "..", "..", "..");
const page = "docs/rehearsal-clients.md";
const own = "tests/contract/rehearsal/clients-page.test.ts";
const run = new Set<string>();
let programs = "";
let folder = "";
let cloud: RehearsalCloud;

// Clients, object storage and the Terraform provider may have to be installed or built first.
beforeAll(async () => {
  programs = await pythonClients(root);
  folder = temporaryFolder("page");
  cloud = await rehearsalCloud({ storage: true });
}, 900_000);
afterAll(() => cloud.stop());

function shown({ text }: Block): string {
  run.add(text);
  return text;
}

async function output(program: string, ...args: string[]): Promise<string> {
  const path = `${programs}:${process.env["PATH"] ?? ""}`;
  const { code, output: said } = await tryRun(program, args, {
    cwd: folder,
    environment: { ...cloud.environment, PATH: path, RCLONE_CONFIG: join(folder, "rclone.conf") },
  });
  return succeed({ code: code ?? 1, output: said });
}
const python = (text: string) => output("python", "-W", "ignore", "-c", text);

test("Hetzner's Python library", async () => {
  expect(await python(shown(blockWith("docs/rehearsal-clients.md", "from hcloud import Client")))).toBe("['web-2']\n");
});

test("Cloudflare's Python library", async () => {
  expect(await python(shown(blockWith("docs/rehearsal-clients.md", "from cloudflare import Cloudflare")))).toBe(
    "['www.example.com']\n",
  );
});

test("octoDNS", async () => {
  writeFileSync(
    join(folder, "octodns.yaml"),
    shown(blockWith("docs/rehearsal-clients.md", "octodns_cloudflare.CloudflareProvider")),
  );
  mkdirSync(join(folder, "zones"));
  writeFileSync(join(folder, "zones", "example.com.yaml"), "www: {type: A, value: 192.0.2.1}\n");
  const sync = () => output("octodns-sync", "--config-file", "octodns.yaml", "--doit");
  expect(await sync()).toContain("Creates=1, Updates=0, Deletes=0");
  expect(await sync()).toContain("No changes were planned");
});

test("boto3", async () => {
  const address = (await python(shown(blockWith("docs/rehearsal-clients.md", "import boto3")))).trim();
  expect(await (await fetch(address)).text()).toBe("hello");
});

test("aws and rclone", async () => {
  await output("sh", "-e", "-c", shown(blockWith("docs/rehearsal-clients.md", "aws s3 mb")));
  expect(readFileSync(join(folder, "copy", "hello.txt"), "utf8")).toBe("hello\n");
}, 120_000);

const whereTerraform = terraformProgram === undefined ? test.skip : test;
whereTerraform(
  "Terraform",
  async () => {
    const configuration = join(folder, "terraform");
    mkdirSync(configuration);
    writeFileSync(join(configuration, "main.tf"), shown(blockWith("docs/rehearsal-clients.md", "hcloud_server")));
    const terraform = await Terraform.of(root, configuration, { endpoint: cloud.hetzner, token: cloud.token });
    try {
      expect(await terraform.apply()).toContain("Apply complete! Resources: 2 added");
      await terraform.isStill();
      await terraform.destroy();
    } finally {
      terraform.dispose();
    }
  },
  900_000,
);

test("every block of the page that this file is named for was run", () => {
  if (terraformProgram === undefined) shown(blockWith("docs/rehearsal-clients.md", "hcloud_server"));
  expect(blocksOf(page).filter(({ runs, text }) => runs === own && !run.has(text))).toEqual([]);
});
