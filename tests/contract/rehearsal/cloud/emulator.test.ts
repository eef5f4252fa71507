/** The cloud as a process: what it listens to, what its faults do to calls, and what a crash leaves of it. */
import { setTimeout as sleep } from "node:timers/promises";
import { isRecord } from "../../../../common/record.ts";
import { records } from "../../../../rehearsal/cloudflare/body.ts";
import { EmulatorProcess } from "../support/emulator.ts";

jest.setTimeout(60_000);
let cloud: EmulatorProcess;
beforeAll(async () => {
  cloud = await EmulatorProcess.start({ zones: ["example.com", "example.org:pro"] });
});
afterAll(() => cloud.dispose());
afterEach(() => cloud.call("DELETE", "/rehearsal/faults"));

const hetzner = (method: string, path: string, payload?: unknown) => cloud.call(method, `/hetzner/v1${path}`, payload);
const fault = async (payload: unknown) => {
  expect((await cloud.call("POST", "/rehearsal/faults", payload)).status).toBe(201);
};

test("it listens on loopback, at one address", async () => {
  // Who listens to every address answers at these, too.
  for (const host of ["127.0.0.2", "[::1]"]) {
    const signal = AbortSignal.timeout(2000);
    await expect(cloud.call("GET", "/rehearsal/status", undefined, { host, signal })).rejects.toThrow("fetch failed");
  }
  expect((await cloud.call("GET", "/rehearsal/status")).status).toBe(200);
});

test.each(["/", "/rehearsal/status", "/rehearsal/faults", "/hetzner/v1/servers"])(
  "%s needs the token",
  async (path) => {
    expect((await cloud.call("GET", path, undefined, { token: "f".repeat(64) })).status).toBe(401);
  },
);

test("what is no call of either API says so", async () => {
  for (const path of ["/hetzner/v2/servers", "/client/v5/zones", "/servers"]) {
    const { status, body } = await cloud.call("GET", path);
    expect(status).toBe(501);
    expect(JSON.stringify(body)).toContain(`GET ${path} is not emulated`);
  }
});

test("its zones are on the plans that it was told", async () => {
  const { body } = await cloud.call("GET", "/client/v4/zones");
  expect(body["result"]).toMatchObject([
    { name: "example.com", plan: { legacy_id: "free" } },
    { name: "example.org", plan: { legacy_id: "pro" } },
  ]);
});

describe("faults", () => {
  test.each([
    [429, undefined, "rate_limit_exceeded"],
    [409, undefined, "conflict"],
    [423, undefined, "locked"],
    [502, undefined, "bad_gateway"],
    [504, undefined, "timeout"],
    [500, undefined, "server_error"],
    [422, "placement_error", "placement_error"],
  ])("Hetzner answers %i %s with the code %s", async (status, code, expected) => {
    await fault({ kind: "reply", api: "hetzner", path: "/servers", status, code, times: 1 });
    const refused = await hetzner("GET", "/servers");
    expect(refused.status).toBe(status);
    expect(refused.body["error"]).toEqual({ code: expected, message: "a fault of the rehearsal", details: null });
    expect((await hetzner("GET", "/servers")).status).toBe(200);
  });

  test("Cloudflare answers in its own envelope", async () => {
    await fault({ kind: "reply", api: "cloudflare", status: 400, code: "1004", message: "no" });
    const refused = await cloud.call("GET", "/client/v4/zones");
    expect(refused.status).toBe(400);
    expect(refused.body).toMatchObject({ success: false, errors: [{ code: 1004, message: "no" }], result: null });
    expect((await hetzner("GET", "/servers")).status).toBe(200);
  });

  test("a call waits, or is never answered", async () => {
    await fault({ kind: "delay", api: "hetzner", path: "/networks", seconds: 0.2, times: 1 });
    const before = performance.now();
    await hetzner("GET", "/networks");
    // Node's timers may be a millisecond early.
    expect(performance.now() - before).toBeGreaterThan(195);
    await fault({ kind: "timeout", api: "hetzner", times: 1 });
    const signal = AbortSignal.timeout(200);
    await expect(cloud.call("GET", "/hetzner/v1/servers", undefined, { signal })).rejects.toThrow(/timeout/i);
    expect((await hetzner("GET", "/servers")).status).toBe(200);
  });

  test("are listed, ended, and refused when they are none", async () => {
    await fault({ kind: "sold_out", locations: ["fsn1"] });
    const { faults } = (await cloud.call("GET", "/rehearsal/faults")).body;
    expect(faults).toMatchObject([{ kind: "sold_out" }]);
    const path = `/rehearsal/faults/${String(records(faults)[0]?.["id"])}`;
    expect((await cloud.call("DELETE", path)).status).toBe(200);
    expect((await cloud.call("DELETE", path)).status).toBe(404);
    expect((await cloud.call("POST", "/rehearsal/faults", { kind: "sold_out" })).status).toBe(422);
  });
});

test("a crash loses nothing that was acknowledged, and every action ends", async () => {
  await fault({ kind: "action", command: "create_server", seconds: 0.3 });
  await fault({ kind: "action", command: "create_volume", rate: 0.5, seconds: 0.3, code: "action_failed" });
  const kinds = {
    volume: (name: string) => ({ name, size: 10, location: "fsn1" }),
    server: (name: string) => ({ name, server_type: "cx23", image: "debian-12" }),
    network: (name: string) => ({ name, ip_range: "10.20.0.0/16" }),
    placement_group: (name: string) => ({ name, type: "spread" }),
  };
  type Kind = keyof typeof kinds;
  const [asked, deleted] = [new Set<string>(), new Set<string>()];
  const acknowledged = new Map<string, { readonly kind: Kind; readonly id: number }>();
  const actions = new Map<number, unknown>();
  let count = 0;

  /** Makes things, and deletes every fourth of its networks, until the cloud is gone. */
  const client = async (kind: Kind): Promise<void> => {
    for (;;) {
      const name = `${kind.replace("_", "-")}-${++count}`;
      asked.add(name);
      const { status, body } = await hetzner("POST", `/${kind}s`, kinds[kind](name));
      expect(status).toBe(201);
      const { [kind]: made, action } = body;
      const id = isRecord(made) ? Number(made["id"]) : 0;
      acknowledged.set(name, { kind, id });
      if (isRecord(action)) actions.set(Number(action["id"]), action["command"]);
      if (kind === "network" && id % 4 === 0) {
        acknowledged.delete(name);
        if ((await hetzner("DELETE", `/networks/${id}`)).status === 204) deleted.add(name);
      }
    }
  };
  const clients = (Object.keys(kinds) as Kind[]).map((kind) => client(kind));
  while (acknowledged.size < 40) await Promise.race([...clients, sleep(5)]);
  await Promise.all([
    cloud.kill(),
    ...clients.map((one) => expect(one).rejects.toThrow(/fetch failed|terminated|socket/)),
  ]);

  await cloud.up();
  for (const kind of Object.keys(kinds) as Kind[]) {
    const listed: string[] = [];
    for (let page: unknown = 1; typeof page === "number";) {
      const { body } = await hetzner("GET", `/${kind}s?page=${page}`);
      listed.push(...records(body[`${kind}s`]).map((one) => `${String(one["name"])} ${String(one["id"])}`));
      const meta = isRecord(body["meta"]) ? body["meta"]["pagination"] : undefined;
      page = isRecord(meta) ? meta["next_page"] : null;
    }
    const kept = [...acknowledged].filter(([, one]) => one.kind === kind).map(([name, { id }]) => `${name} ${id}`);
    expect(kept.filter((one) => !listed.includes(one))).toEqual([]);
    const names = listed.map((one) => one.split(" ")[0] ?? "");
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => !asked.has(name) || deleted.has(name))).toEqual([]);
  }
  for (const [id, command] of actions) {
    let action: unknown;
    do {
      ({ action } = (await hetzner("GET", `/actions/${id}`)).body);
    } while (isRecord(action) && action["status"] === "running");
    expect(action).toMatchObject({ id, command, progress: 100 });
    if (command === "create_server") expect(action).toMatchObject({ status: "success" });
  }
  const { body } = await hetzner("GET", "/servers?per_page=50");
  expect(records(body["servers"]).filter(({ status, locked }) => status !== "running" || locked)).toEqual([]);
});
