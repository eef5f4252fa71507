/** Tours of the emulated APIs by clients whose installation takes minutes: Ansible's collection, and Cloudflare's Wrangler. */
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { tryRun } from "../../common/process.ts";
import { temporaryFolder } from "../../testing/folder.ts";
import { pythonClients } from "../../testing/python-clients.ts";
import { succeed } from "../../testing/sandbox.ts";
import { createFolderAtomically } from "../../toolchain/src/install.ts";
import { publicKey } from "../contract/rehearsal/hetzner/tour.ts";
import { accountId, Api, ownerToken } from "../contract/rehearsal/support/api.ts";
import { ownCertificate } from "../contract/rehearsal/support/certificate.ts";
import { expectRecord } from "../contract/rehearsal/support/clients.ts";
import { HetznerApi, hetznerToken } from "../contract/rehearsal/support/hetzner.ts";

jest.setTimeout(1_200_000);

const root = resolve(__dirname, "..", "..");
const own = join(__dirname, "clients");
const collection = "hetzner/hcloud/MANIFEST.json";

test("Ansible: a playbook makes everything, changes nothing the second time but what it always writes, and removes it", async () => {
  const programs = await pythonClients(root, "tests/long/clients/requirements.txt");
  const folder = temporaryFolder("ansible");
  const { certificate, privateKey } = await ownCertificate("probe.example.com");
  writeFileSync(join(folder, "certificate.pem"), certificate);
  writeFileSync(join(folder, "private-key.pem"), privateKey);
  writeFileSync(join(folder, "key.pub"), publicKey);
  const api = new HetznerApi();
  const environment = {
    HCLOUD_TOKEN: hetznerToken,
    HCLOUD_ENDPOINT: await api.endpoint,
    ANSIBLE_HOME: folder,
    ANSIBLE_NOCOLOR: "1",
    ANSIBLE_INVENTORY_UNPARSED_WARNING: "false",
    ANSIBLE_LOCALHOST_WARNING: "false",
  };
  const play = async (name: string): Promise<string> => {
    const variables = { folder, ansible_python_interpreter: join(programs, "python") };
    const args = [join(own, `${name}.yml`), "--extra-vars", JSON.stringify(variables)];
    const { code, output } = await tryRun(join(programs, "ansible-playbook"), args, { cwd: folder, environment });
    return succeed({ code: code ?? 1, output });
  };
  expect(await play("ansible_tour")).toMatch(/changed=1\d /);
  // The module of a load balancer's services writes those with a health check each time.
  const again = await play("ansible_tour");
  expect([...again.matchAll(/TASK \[([^\]]+)\] \*+\nchanged/g)].map(([, task]) => task)).toEqual([
    "hetzner.hcloud.load_balancer_service",
  ]);
  expect(await play("ansible_end")).toMatch(/changed=1\d /);
  expect(api.failures).toEqual([]);
  const manifest = join(programs, "..", "lib", "python3.11", "site-packages", "ansible_collections", collection);
  const [, version = ""] = /"version": "([^"]+)"/.exec(readFileSync(manifest, "utf8")) ?? [];
  expectRecord("ansible", "Ansible's hetzner.hcloud", version);
});

/** The folder of Wrangler's program; it is installed when it is missing. */
async function wranglerFolder(): Promise<string> {
  const lock = join(own, "package-lock.json");
  const hash = createHash("sha256").update(readFileSync(lock)).digest("hex").slice(0, 16);
  const cache = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  const folder = join(cache, "orion", "node-clients", hash);
  if (!existsSync(folder)) {
    await createFolderAtomically(folder, async (unfinished) => {
      for (const file of ["package.json", "package-lock.json"]) copyFileSync(join(own, file), join(unfinished, file));
      const args = ["ci", "--no-fund", "--no-audit", "--loglevel=error"];
      const { code, output } = await tryRun("npm", args, { cwd: unfinished });
      succeed({ code: code ?? 1, output });
    });
  }
  return join(folder, "node_modules", ".bin");
}

test("Wrangler: buckets, their locks, lifecycle and domains", async () => {
  const program = join(await wranglerFolder(), "wrangler");
  const folder = temporaryFolder("wrangler");
  const api = new Api();
  const environment = {
    CLOUDFLARE_API_TOKEN: ownerToken,
    CLOUDFLARE_API_BASE_URL: `${await api.base}/client/v4`,
    CLOUDFLARE_ACCOUNT_ID: accountId,
    WRANGLER_SEND_METRICS: "false",
    XDG_CONFIG_HOME: folder,
    NO_COLOR: "1",
    CI: "1",
  };
  const wrangler = async (words: string, wanted = 0): Promise<string> => {
    const { code, output } = await tryRun(program, words.split(" "), { cwd: folder, environment });
    if (code !== wanted) throw new Error(`wrangler ${words}: code ${String(code)}\n${output}`);
    return output;
  };
  await wrangler("r2 bucket create files");
  expect(await wrangler("r2 bucket create files", 1)).toContain("[code: 10004]");
  expect(await wrangler("r2 bucket list")).toMatch(/name: +files/);
  expect(await wrangler("r2 bucket info files")).toMatch(/default_storage_class: +Standard/);
  expect(await wrangler("r2 bucket create archive --storage-class InfrequentAccess", 1)).toContain("[code: 7501]");
  await wrangler("r2 bucket create european --jurisdiction eu");
  expect(await wrangler("r2 bucket list --jurisdiction eu")).not.toContain("files");
  await wrangler("r2 bucket lock add files keep a/ --retention-days 1 --force");
  expect(await wrangler("r2 bucket lock list files")).toMatch(/prefix: +a\//);
  await wrangler("r2 bucket lock remove files --name keep");
  await wrangler("r2 bucket lifecycle add files old logs/ --expire-days 30 --force");
  expect(await wrangler("r2 bucket lifecycle list files")).toContain("Expire objects after 30 days");
  await wrangler(`r2 bucket domain add files --domain files.example.com --zone-id ${api.zone()} --force`);
  expect(await wrangler("r2 bucket domain list files")).toContain("files.example.com");
  await wrangler("r2 bucket domain remove files --domain files.example.com --force");
  expect(await wrangler("r2 bucket dev-url get files")).toContain("disabled");
  expect(await wrangler("r2 bucket sippy get files", 1)).toContain("not emulated");
  await wrangler("r2 bucket delete files");
  await wrangler("r2 bucket delete european --jurisdiction eu");
  expect(await wrangler("r2 bucket info files", 1)).toContain("[code: 10006]");
  expectRecord("wrangler", "Wrangler", "4.164.0");
});
