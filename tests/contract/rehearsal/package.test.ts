/** The package `orion-rehearsal`, as somebody has it who does not have this project: installed from its archive alone. */
import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { tryRun } from "../../../common/process.ts";
import { blockWith } from "../../../testing/documented.ts";
import { temporaryFolder } from "../../../testing/folder.ts";
import { succeed } from "../../../testing/sandbox.ts";
import { packRehearsal } from "../../../tools/package.ts";

const root = resolve(__dirname, "..", "..", "..");
let archive = "";
let folder = "";

/** Without the project's own programs and settings. */
const run = async (program: string, ...args: string[]) => {
  const { code, output } = await tryRun(program, args, { cwd: folder, environment: { CLOUD: undefined } });
  return { code: code ?? 1, output };
};
const command = async (...args: string[]) => succeed(await run("npx", "--no-install", "orion-rehearsal", ...args));

beforeAll(async () => {
  archive = await packRehearsal(root);
  folder = temporaryFolder("package");
  writeFileSync(join(folder, "package.json"), '{"private": true}');
  succeed(await run("npm", "install", "--offline", "--no-audit", "--no-fund", archive));
}, 240_000);

test("it is small, and contains nothing of the platform", async () => {
  expect(statSync(archive).size).toBeLessThan(2 * 2 ** 20);
  const list = succeed(
    await tryRun("tar", ["--list", "--file", archive]).then(({ code, stdout }) => ({
      code: code ?? 1,
      output: stdout,
    })),
  );
  const paths = list.split("\n").map((path) => path.replace(/^package\//, ""));
  const folders = new Set(paths.flatMap((path) => (path.includes("/") ? (path.split("/")[0] ?? "") : [])));
  expect([...folders].sort()).toEqual(["common", "images", "node_modules", "rehearsal", "toolchain"]);
  // Of the images, what the machines are built from.
  expect(paths.filter((path) => path.startsWith("images/") && !path.startsWith("images/equivalents/debian/"))).toEqual(
    [],
  );
  expect(paths.filter((path) => /^rehearsal\/(cloudflare-plugin|load)\//.test(path))).toEqual([]);
  expect(paths.filter((path) => /^node_modules\/(@pulumi|@grpc|typescript)\//.test(path))).toEqual([]);
  expect(paths.filter((path) => path.endsWith(".ts"))).toEqual(["rehearsal/index.d.ts"]);
});

test("its command creates a cloud with which a client makes a server, and deletes it", async () => {
  expect((await command("--version")).trim()).toMatch(/^\d+\.\d+\.\d+$/);
  expect(await command("--help")).toContain("Usage: orion-rehearsal up");
  const up = await command("up", "--machines", "none", "--port", "0", "--name", "mine");
  const { HCLOUD_ENDPOINT: endpoint = "", HCLOUD_TOKEN: token = "" } = Object.fromEntries(
    [...up.matchAll(/export (\w+)=(\S+)/g)].map(([, name, value]) => [name ?? "", value]),
  );
  const response = await fetch(`${endpoint}/servers`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ name: "web-1", server_type: "cx23", image: "debian-12" }),
  });
  expect(response.status).toBe(201);
  expect(await command("status", "--name", "mine")).toMatch(/server web-1 +(running|starting|off)/);
  const [, page = ""] = /(http:\S+token=\w+)/.exec(up) ?? [];
  expect(await (await fetch(page)).text()).toContain("web-1");
  expect(await command("fault", "add", "reply", "api=hetzner", "status=503", "--name", "mine")).toMatch(/^1 {2}reply/);
  expect((await fetch(`${endpoint}/servers`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(503);
  expect(readdirSync(join(folder, ".orion", "cloud"))).toEqual(["mine"]);
  await command("down", "--name", "mine");
  expect(readdirSync(join(folder, ".orion", "cloud"))).toEqual([]);
  await expect(fetch(`${endpoint}/servers`)).rejects.toThrow();

  const refused = await run("npx", "--no-install", "orion-rehearsal", "status", "--name", "mine");
  expect(refused.code).toBe(1);
  expect(refused.output).toContain("There is no rehearsal cloud 'mine'. Make one: npx orion-rehearsal up");
});

const body = `
  const began = performance.now();
  const [one, two] = await Promise.all([rehearsalCloud({ machines: "none" }), rehearsalCloud({ zones: ["a.example:pro"] })]);
  const started = performance.now() - began;
  const ask = async (cloud, path) => {
    const response = await fetch(path, { headers: { authorization: "Bearer " + cloud.token } });
    return [response.status, await response.json()];
  };
  const [, { locations }] = await ask(one, one.hetzner + "/locations");
  const [, { result }] = await ask(two, two.cloudflare + "/zones");
  const fault = await one.fault('reply api=hetzner status=423 message="no luck"');
  const [status, { error }] = await ask(one, one.hetzner + "/servers");
  await one.removeFault(fault);
  const [later] = await ask(one, one.hetzner + "/servers");
  await Promise.all([one.stop(), two.stop()]);
  console.log(JSON.stringify({ started, locations: locations.length, zones: result.map(({ name }) => name), status, said: error.message, later,
    endpoints: [one.environment.HCLOUD_ENDPOINT === one.hetzner, one.hetzner !== two.hetzner] }));
`;

test.each([
  [
    "a CommonJS module",
    "start.cjs",
    `const { rehearsalCloud } = require("orion-rehearsal");\n(async () => {${body}})();`,
  ],
  ["an ES module", "start.mjs", `import { rehearsalCloud } from "orion-rehearsal";\n${body}`],
])("two clouds start inside %s within two seconds, each with ports of its own, and stop", async (_, file, text) => {
  writeFileSync(join(folder, file), text);
  const { started, ...found } = JSON.parse(succeed(await run(process.execPath, file))) as { readonly started: number };
  expect(started).toBeLessThan(2_000);
  expect(found).toEqual({
    ...{ locations: 6, zones: ["a.example"], status: 423, said: "no luck", later: 200, endpoints: [true, true] },
  });
});

test("a test with it, as the docs show it", async () => {
  writeFileSync(join(folder, "page.test.mjs"), blockWith("docs/rehearsal-clients.md", "node:test").text);
  expect(succeed(await run(process.execPath, "--test", "page.test.mjs"))).toMatch(/pass 1\n/);
});

test("its types describe the start", async () => {
  writeFileSync(
    join(folder, "typed.mts"),
    'import { rehearsalCloud, type RehearsalCloud } from "orion-rehearsal";\n' +
      'const cloud: RehearsalCloud = await rehearsalCloud({ machines: "none", zones: ["example.com:pro"] });\n' +
      "const key: string | undefined = cloud.storage?.accessKeyId;\n" +
      '// @ts-expect-error -- there is no such kind\nawait rehearsalCloud({ machines: "some" });\nawait cloud.stop();\nexport { key };\n',
  );
  const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2023", "--skipLibCheck", "typed.mts"];
  succeed(await run(join(root, "node_modules", ".bin", "tsc"), ...options));
  expect(existsSync(join(folder, "node_modules", "typescript"))).toBe(false);
});
