import { type Fault, type FaultObjects, Faults, faultSchema } from "../../../rehearsal/faults.ts";
import type { Machines } from "../../../rehearsal/machines/machines.ts";
import { NoMachines } from "../../../rehearsal/machines/none.ts";
import { Store } from "../../../rehearsal/store.ts";
import { HetznerApi } from "./support/hetzner.ts";
import { hooked } from "./support/machines.ts";

/** Throws these, over and over. */
function chance(...throws: readonly number[]): () => number {
  let turn = 0;
  return () => throws[turn++ % throws.length] ?? 0;
}

/** Faults with chance of one's own, and what they asked of the machines. */
function faultsOf(random = chance(0), store = new Store<FaultObjects>(":memory:")) {
  const asked: unknown[][] = [];
  const machines = hooked(new NoMachines(), (call, args, proceed) => {
    asked.push([call, ...args]);
    return proceed();
  });
  const faults = new Faults(store, machines, random);
  const add = (fault: unknown) => faults.add(faultSchema.parse(fault));
  return { faults, add, asked, store };
}
const disturbed = { seconds: 0, hangs: false, reply: undefined };
const volume = { id: 1, type: "volume" };

describe("calls", () => {
  const reply = { kind: "reply", api: "hetzner", status: 503 };

  test.each([
    [reply, "GET", "/servers", true],
    [reply, "DELETE", "/", true],
    [{ ...reply, api: "cloudflare" }, "GET", "/servers", false],
    [{ ...reply, method: "POST" }, "POST", "/servers", true],
    [{ ...reply, method: "POST" }, "GET", "/servers", false],
    [{ ...reply, path: "/servers" }, "GET", "/servers", true],
    [{ ...reply, path: "/servers" }, "GET", "/servers/1/actions/poweron", true],
    [{ ...reply, path: "/servers" }, "GET", "/server_types", false],
    [{ ...reply, path: "/servers/1" }, "GET", "/servers/1", true],
    [{ ...reply, path: "/servers/1" }, "GET", "/servers/12", false],
    [{ ...reply, path: "/servers/" }, "GET", "/servers/12", true],
  ])("%j concerns %s %s: %s", async (fault, method, path, concerns) => {
    const { faults, add } = faultsOf();
    await add(fault);
    expect(faults.onCall("hetzner", method, path).reply?.status).toBe(concerns ? 503 : undefined);
  });

  test("are answered, delayed and left without an answer", async () => {
    const { faults, add } = faultsOf();
    expect(faults.onCall("hetzner", "GET", "/servers")).toEqual(disturbed);
    await add({ ...reply, status: 429, code: "rate_limit_exceeded", message: "slowly", path: "/servers" });
    await add({ kind: "delay", api: "hetzner", seconds: 2, path: "/servers" });
    await add({ kind: "timeout", api: "hetzner", path: "/volumes" });
    expect(faults.onCall("hetzner", "GET", "/servers")).toEqual({
      seconds: 2,
      hangs: false,
      reply: { status: 429, code: "rate_limit_exceeded", message: "slowly" },
    });
    expect(faults.onCall("hetzner", "GET", "/volumes/1")).toEqual({ ...disturbed, hangs: true });
  });

  test("happen as often as their rate and their times say", async () => {
    const { faults, add } = faultsOf(chance(0.2, 0.3, 0.1, 0.9, 0.25, 0));
    await add({ ...reply, rate: 0.25, times: 3 });
    const happened = Array.from({ length: 8 }, () => faults.onCall("hetzner", "GET", "/").reply !== undefined);
    // Below the rate: the first, the third, the sixth; after three times it is over.
    expect(happened).toEqual([true, false, true, false, false, true, false, false]);
    expect(faults.list()).toEqual([]);
  });

  test("of two faults one happens, and only that is counted", async () => {
    const { faults, add } = faultsOf();
    await add({ ...reply, status: 502, times: 1 });
    await add({ ...reply, status: 504, times: 1 });
    const next = () => faults.onCall("hetzner", "GET", "/").reply?.status;
    expect([next(), next(), next()]).toEqual([502, 504, undefined]);
  });
});

describe("actions", () => {
  const failing = { kind: "action", code: "action_failed", message: "no luck" };
  const failure = { code: "action_failed", message: "no luck" };

  test("fail by command and by resource", async () => {
    const { faults, add } = faultsOf();
    await add({ ...failing, command: "attach_volume", resource: volume });
    const fails = (command: string, ...subjects: { id: number; type: string }[]) =>
      faults.onAction(command, subjects).failure;
    expect(fails("attach_volume", volume, { id: 2, type: "server" })).toEqual(failure);
    expect(fails("attach_volume", { id: 2, type: "volume" }, { id: 1, type: "server" })).toBeUndefined();
    expect(fails("detach_volume", volume)).toBeUndefined();
  });

  test("are only slow without a code", async () => {
    const { faults, add } = faultsOf();
    await add({ kind: "action", seconds: 3, times: 1 });
    expect(faults.onAction("create_server", [])).toEqual({ seconds: 3, failure: undefined });
    expect(faults.onAction("create_server", [])).toEqual({ seconds: 0, failure: undefined });
  });

  test("of the API fail, and what they were to change stays", async () => {
    const api = new HetznerApi({ random: chance(0.4, 0.6) });
    await api.server();
    await api.fault({ ...failing, command: "stop_server", rate: 0.5 });
    const stop = async () => {
      await api.do("POST", "/servers/1/actions/poweroff");
      return (await api.show("server", 1))["status"];
    };
    expect([await stop(), await stop()]).toEqual(["running", "off"]);
  });
});

test("stock: a type is sold out where the fault says", async () => {
  const api = new HetznerApi();
  const { id } = await api.faults.add({ kind: "sold_out", serverType: "cx23", locations: ["fsn1"] });
  await api.fault({ kind: "sold_out", locations: ["hel1"] });
  const post = (server_type: string, location: string) =>
    api.refusal("POST", "/servers", { name: "a", image: "debian-12", server_type, location });
  const unavailable = [412, "resource_unavailable"];
  expect(await post("cx23", "fsn1")).toEqual(unavailable);
  expect(await post("cx33", "hel1")).toEqual(unavailable);
  await api.server({ server_type: "cx33" });
  await api.faults.remove(id);
  await api.server({ name: "b" });
});

describe("machines", () => {
  test.each<[Fault, unknown[], unknown[] | undefined]>([
    [{ kind: "never_boots", server: 1 }, ["setNeverBoots", 1, true], ["setNeverBoots", 1, false]],
    [{ kind: "partition", servers: [1, 2] }, ["setPartition", 1, 2, true], ["setPartition", 1, 2, false]],
    [{ kind: "volume_full", volume: 3, server: 1 }, ["setVolumeFull", 3, 1, true], ["setVolumeFull", 3, 1, false]],
    [{ kind: "killed", server: 1 }, ["powerOff", 1], undefined],
  ])("%j begins and ends", async (fault, begin, end) => {
    const { faults, add, asked, store } = faultsOf();
    const { id } = await add(fault);
    expect(asked).toEqual([begin]);
    // What a machine forgets over a restart is said to it again.
    const later = faultsOf(chance(0), store);
    await later.faults.resume();
    expect(later.asked).toEqual(end ? [begin] : []);
    expect(await faults.remove(id)).toBe(end !== undefined);
    expect(asked).toEqual([begin, end].filter((call) => call !== undefined));
    expect(faults.list()).toEqual([]);
  });

  test("that cannot do it leave no fault behind", async () => {
    const refuse = () => Promise.reject(new Error("no such server"));
    const machines: Machines = Object.assign(new NoMachines(), { setPartition: refuse });
    const faults = new Faults(new Store<FaultObjects>(":memory:"), machines);
    await expect(faults.add({ kind: "partition", servers: [1, 2] })).rejects.toThrow("no such server");
    expect(faults.list()).toEqual([]);
  });
});

test("one is ended, or all; numbers are not given out again", async () => {
  const { faults, add } = faultsOf();
  const first = await add({ kind: "timeout", api: "cloudflare" });
  await add({ kind: "timeout", api: "hetzner", times: 2 });
  expect(await faults.remove(first.id)).toBe(true);
  expect(await faults.remove(first.id)).toBe(false);
  expect(faults.list()).toMatchObject([{ kind: "timeout", api: "hetzner", left: 2 }]);
  expect(await faults.remove()).toBe(true);
  expect(await faults.remove()).toBe(false);
  expect((await add({ kind: "timeout", api: "hetzner" })).id).toBe(3);
});

test.each([
  { kind: "unknown" },
  { kind: "reply", api: "hetzner", status: 200 },
  { kind: "reply", api: "hetzner" },
  { kind: "reply", api: "aws", status: 503 },
  { kind: "reply", api: "hetzner", status: 503, rate: 0 },
  { kind: "reply", api: "hetzner", status: 503, rate: 1.1 },
  { kind: "reply", api: "hetzner", status: 503, times: 0 },
  { kind: "reply", api: "hetzner", status: 503, path: "servers" },
  { kind: "delay", api: "hetzner", seconds: -1 },
  { kind: "sold_out", locations: [] },
  { kind: "partition", servers: [1] },
  { kind: "killed", server: "a" },
])("%j is no fault", (fault) => {
  expect(faultSchema.safeParse(fault).success).toBe(false);
});
