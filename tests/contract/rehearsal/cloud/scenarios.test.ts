/** Scenarios of a cloud: what its APIs answer while one is played, and how the guard of an update sees it. */
import { hetznerBy } from "../../../../common/hetzner.ts";
import { tryRun } from "../../../../common/process.ts";
import { allowStock, judgeStock } from "../../../../guard/stock.ts";
import { changesBetween } from "../../../../policy/changes.ts";
import { records } from "../../../../rehearsal/cloudflare/body.ts";
import { blockWith, commandsOf } from "../../../../testing/documented.ts";
import { graphsBetween, stackOf } from "../../../unit/policy/support.ts";
import { physicalName } from "../../../../topology/naming.ts";
import { type Answer, EmulatorProcess } from "../support/emulator.ts";

jest.setTimeout(120_000);
let cloud: EmulatorProcess;
beforeAll(async () => {
  cloud = await EmulatorProcess.start();
});
afterAll(() => cloud.dispose());
afterEach(async () => {
  await cloud.call("DELETE", "/rehearsal/faults");
  const { body } = await hetzner("GET", "/servers");
  for (const { id } of records(body["servers"])) await hetzner("DELETE", `/servers/${String(id)}`);
});

const hetzner = (method: string, path: string, payload?: unknown): Promise<Answer> =>
  cloud.call(method, `/hetzner/v1${path}`, payload);
const play = async (scenarios: string) => {
  expect((await cloud.call("POST", "/rehearsal/scenarios", { scenarios })).status).toBe(201);
};
let made = 0;
const order = (location: string, server_type = "cx23") =>
  hetzner("POST", "/servers", { name: `s${(made += 1)}`, server_type, image: "debian-12", location });
const refusal = ({ status, body: { error } }: Answer) => ({ status, error });
const refused = (status: number, code: string, message: string) => ({
  ...{ status, error: { code, message, details: null } },
});

/** The locations where a type is available, as the API shows it. */
async function offered(type: string): Promise<unknown[]> {
  const { body } = await hetzner("GET", `/server_types?name=${type}`);
  const [found] = records(body["server_types"]);
  return records(found?.["locations"]).flatMap(({ name, available }) => (available === true ? [name] : []));
}

type Stacks = readonly [ReturnType<typeof stackOf>, ReturnType<typeof stackOf>];

/** What the guard says to a move, from mvp to scale if none is named. */
async function verdict(limits = {}, [from, to]: Stacks = [stackOf("mvp"), stackOf("scale")]): Promise<string> {
  const { before, after } = await graphsBetween(from, to);
  const access = { endpoint: `http://127.0.0.1:${cloud.settings.port}/hetzner/v1`, token: cloud.settings.token };
  const args = { servers: to.topology.servers, before, changes: changesBetween(before, after), limits, agreed: [] };
  try {
    return allowStock(await judgeStock(args, access, hetznerBy(access)), []).join("\n");
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

test("sold-out: one location has none, or none of a type; the API shows it and refuses with Hetzner's text", async () => {
  await play("sold-out location=hel1 type=cx23");
  const soldOut = refused(412, "resource_unavailable", "error during placement");
  expect(refusal(await order("hel1"))).toEqual(soldOut);
  expect((await order("hel1", "cx33")).status).toBe(201);
  expect(await offered("cx23")).not.toContain("hel1");
  await play("sold-out location=hel1");
  expect(refusal(await order("hel1", "cx33"))).toEqual(soldOut);
  expect((await order("nbg1")).status).toBe(201);
});

test("closed: a location takes no servers, keeps those that it has, and the guard refuses a move before it begins", async () => {
  const { body } = await order("fsn1");
  expect(await verdict()).toBe("");
  const location = stackOf("scale").topology.servers.find(({ name }) => name === "db-2")?.location ?? "";
  await play(`closed location=fsn1, closed location=${location}`);
  expect(refusal(await order("fsn1"))).toEqual(refused(412, "resource_unavailable", "server location disabled"));
  expect(await offered("cx23")).not.toContain("fsn1");
  const path = `/servers/${String(records([body["server"]])[0]?.["id"])}/actions`;
  for (const command of ["poweroff", "poweron"]) expect((await hetzner("POST", `${path}/${command}`)).status).toBe(201);
  expect(await verdict()).toMatch(
    new RegExp(
      `^Hetzner cannot give what this update needs; nothing was changed:\\n {2}db-2 would be created.* in ${location}`,
    ),
  );
});

test("a server that was created with a large disk: the guard refuses a type with a smaller one, as the API does", async () => {
  const back: Stacks = [stackOf("enterprise"), stackOf("scale", { database: { volumeGb: 100 } })];
  const name = physicalName({ stack: "prod" }, "app-nbg1-1");
  const create = (server_type: string) =>
    hetzner("POST", "/servers", { name, server_type, image: "debian-12", location: "nbg1", start_after_create: false });
  const first = await create("cpx22");
  expect(await verdict({}, back)).toBe("");
  await hetzner("DELETE", `/servers/${String(records([first.body["server"]])[0]?.["id"])}`);
  const { body } = await create("cpx32");
  expect(await verdict({}, back)).toMatch(
    /nothing was changed:\n {2}app-nbg1-1 would be changed to another type, but its disk has 160 GB \(x86\).*cpx22 has 80 GB \(x86\), cx23 has 40 GB/,
  );
  const path = `/servers/${String(records([body["server"]])[0]?.["id"])}/actions/change_type`;
  const change = await hetzner("POST", path, { server_type: "cpx22", upgrade_disk: false });
  expect(change.body["error"]).toMatchObject({ message: "the disk of cpx22 is smaller than the server's" });
});

test("new-account: five servers and no more, and the guard knows it when the stack says so", async () => {
  await play("new-account primaryIps=8");
  for (let count = 0; count < 4; count += 1) expect((await order("nbg1")).status).toBe(201);
  const addresses = refused(403, "resource_limit_exceeded", "Primary IP limit exceeded");
  expect(refusal(await order("nbg1"))).toEqual(addresses);
  await play("new-account primaryIps=10");
  await cloud.call("DELETE", "/rehearsal/scenarios/new-account");
  await play("new-account");
  expect((await order("nbg1")).status).toBe(201);
  expect(refusal(await order("nbg1"))).toEqual(refused(403, "resource_limit_exceeded", "server limit exceeded"));
  expect(await verdict({ servers: 5 })).toMatch(/nothing was changed:\n[^]*servers would be \d+/);
  const { body } = await hetzner("GET", "/servers");
  expect(records(body["servers"])).toHaveLength(5);
});

test("slow-boots: a server takes long to be created", async () => {
  await play("slow-boots seconds=1");
  const before = performance.now();
  const action = records([(await order("nbg1")).body["action"]])[0];
  for (let status: unknown = action?.["status"]; status === "running";) {
    const { body } = await hetzner("GET", `/actions/${String(action?.["id"])}`);
    status = records([body["action"]])[0]?.["status"];
  }
  expect(performance.now() - before).toBeGreaterThan(990);
});

test("flaky-api: some calls fail, and a client that tries again gets what it wants", async () => {
  await play("flaky-api rate=0.5");
  await cloud.call("DELETE", "/rehearsal/scenarios/all");
  await play("flaky-api rate=0.5");
  const statuses = new Set<number>();
  const isSeen = () => statuses.has(200) && [...statuses].some((status) => status >= 429);
  for (let call = 0; call < 50 && !isSeen(); call += 1) {
    for (const path of ["/hetzner/v1/locations", "/client/v4/zones"])
      statuses.add((await cloud.call("GET", path)).status);
  }
  expect([isSeen(), [...statuses].sort()]).toEqual([true, expect.arrayContaining([200])]);
  expect([...statuses].filter((status) => ![200, 429, 500, 502].includes(status))).toEqual([]);
});

test("the documented commands do it", async () => {
  for (const command of commandsOf(blockWith("docs/rehearsal.md", "new-account servers=5"))) {
    const { code, stderr } = await tryRun("sh", ["-c", command], { environment: { CLOUD: cloud.settings.instance } });
    expect([command, code, stderr]).toEqual([command, 0, ""]);
  }
  const kinds = records((await cloud.call("GET", "/rehearsal/faults")).body["faults"]).map(({ kind }) => kind);
  expect(kinds).toEqual(["sold_out", "action", "action", "action", "action"]);
});

test("they are listed, several play at a time, and end by their names; faults of their own stay", async () => {
  const cli = (...words: string[]) => cloud.cli("scenario", ...words);
  await cloud.call("POST", "/rehearsal/faults", { kind: "sold_out", locations: ["nbg1"] });
  expect((await cli("add", "sold-out location=hel1, slow-boots")).stdout).toBe(
    "Scenario 'sold-out location=hel1' is played.\nScenario 'slow-boots' is played.\n",
  );
  expect((await cli()).stdout).toMatch(
    / plays: sold-out location=hel1, slow-boots\. [^]*\n {2}flaky-api \[rate=0\.1\]\n/,
  );
  expect((await cli("remove", "sold-out")).code).toBe(0);
  expect((await cli("list")).stdout).toContain("plays: slow-boots.");
  const again = await cli("remove", "sold-out");
  expect([again.code, again.stderr]).toEqual([
    1,
    "Scenario sold-out could not be ended: it is not played at present\n",
  ]);
  expect((await cli("remove", "all")).code).toBe(0);
  expect((await cloud.call("GET", "/rehearsal/faults")).body["faults"]).toMatchObject([{ locations: ["nbg1"] }]);
  expect((await cli("add", "moonlight")).stderr).toMatch(
    /^The scenario cannot be played: There is no scenario 'moonlight'/,
  );
});
