/** Time that passes in a cloud at once: what its APIs refuse afterwards, and that a restart does not turn it back. */
import { tryRun } from "../../../../common/process.ts";
import { records } from "../../../../rehearsal/cloudflare/body.ts";
import { permissionGroups } from "../../../../rehearsal/cloudflare/permissions.ts";
import { blockWith, commandsOf } from "../../../../testing/documented.ts";
import { EmulatorProcess } from "../support/emulator.ts";

jest.setTimeout(60_000);
let cloud: EmulatorProcess;
beforeAll(async () => {
  cloud = await EmulatorProcess.start();
});
afterAll(() => cloud.dispose());

const day = 86_400_000;
const inDays = (days: number) => new Date(Date.now() + days * day).toISOString().replace(/\.\d+Z$/, "Z");
const ahead = (text: unknown) => (Date.parse(String(text)) - Date.now()) / day;
const cli = (...words: string[]) => cloud.cli("time", ...words);

async function token(more: object): Promise<string> {
  const id = permissionGroups.find(({ name }) => name === "Zone Read")?.id;
  const resources = { [`com.cloudflare.api.account.zone.*`]: "*" };
  const policies = [{ effect: "allow", permission_groups: [{ id }], resources }];
  const { body } = await cloud.call("POST", "/client/v4/user/tokens", { name: "t", policies, ...more });
  return String(records([body["result"]])[0]?.["value"]);
}
const zonesWith = async (value: string) => {
  const { status, body } = await cloud.call("GET", "/client/v4/zones", undefined, { token: value });
  return [status, records(body["errors"])[0]?.["code"]];
};

test("tokens end and begin, and what is made afterwards is of the later time, also after a restart", async () => {
  const [ending, beginning, lasting] = [
    await token({ expires_on: inDays(30) }),
    await token({ not_before: inDays(35) }),
    await token({ expires_on: inDays(50) }),
  ];
  for (const value of [ending, lasting]) expect(await zonesWith(value)).toEqual([200, undefined]);
  expect(await zonesWith(beginning)).toEqual([403, 9109]);

  for (const command of commandsOf(blockWith("docs/rehearsal.md", "FORWARD=40d"))) {
    const { stdout } = await tryRun("sh", ["-c", command], { environment: { CLOUD: cloud.settings.instance } });
    expect(stdout).toMatch(/^The cloud's clock: .*Z, 40d ahead of this machine's\n$/);
  }
  expect(await zonesWith(ending)).toEqual([403, 9109]);
  for (const value of [beginning, lasting]) expect(await zonesWith(value)).toEqual([200, undefined]);
  const { body } = await cloud.call("POST", "/hetzner/v1/networks", { name: "net", ip_range: "10.0.0.0/16" });
  expect(ahead(records([body["network"]])[0]?.["created"])).toBeCloseTo(40, 2);
  const zone = records((await cloud.call("GET", "/client/v4/zones")).body["result"])[0]?.["id"];
  const record = { type: "A", name: "www.example.com", content: "192.0.2.1" };
  const added = await cloud.call("POST", `/client/v4/zones/${String(zone)}/dns_records`, record);
  expect(ahead(records([added.body["result"]])[0]?.["created_on"])).toBeCloseTo(40, 2);

  await cloud.kill();
  await cloud.up();
  expect(await zonesWith(ending)).toEqual([403, 9109]);
  await cli("--forward", "12h");
  expect((await cli()).stdout).toContain("40d12h ahead");
});

test.each(["-1d", "soon", "2000d"])("'%s' is refused", async (text) => {
  const { code, stderr } = await cli(`--forward=${text}`);
  expect([code, stderr]).toEqual([1, expect.stringMatching(/^Time could not be moved: Got '.*', expected a duration/)]);
});
