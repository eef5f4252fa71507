import { isRecord } from "../../../../common/record.ts";
import { records } from "../../../../rehearsal/cloudflare/body.ts";
import type { Json } from "../../../../rehearsal/json.ts";
import { NoMachines } from "../../../../rehearsal/machines/none.ts";
import { HetznerApi } from "../support/hetzner.ts";
import { Host } from "../support/host.ts";
import { Gate, hooked } from "../support/machines.ts";

const failing = { kind: "action", code: "action_failed", message: "no luck" };
const actionOf = (body: Json): Json => (isRecord(body["action"]) ? body["action"] : {});
/** A cloud on whose machines nothing happens while the gate is closed. */
function held() {
  const gate = new Gate();
  const machines = hooked(new NoMachines(), async (call, _, proceed) => {
    if (!["isRunning", "balancerHealth"].includes(call)) await gate.pass();
    return proceed();
  });
  return { gate, api: new HetznerApi({ machines }) };
}
const start = async (api: HetznerApi, path: string, body?: unknown) =>
  actionOf((await api.call("POST", path, body)).body);

test("an action runs, and says when it has ended", async () => {
  const { api, gate } = held();
  gate.close();
  const { body } = await api.call("POST", "/servers", { name: "a", server_type: "cx23", image: "debian-12" });
  const running = actionOf(body);
  expect(running).toEqual({
    id: 1,
    command: "create_server",
    status: "running",
    progress: 0,
    started: "2026-01-01T00:00:00+00:00",
    finished: null,
    resources: [{ id: 1, type: "server" }],
    error: null,
  });
  expect(body["server"]).toMatchObject({ status: "initializing", locked: true });
  api.now = new Date("2026-01-01T00:00:05Z");
  gate.open();
  await api.cloud.settled();
  const ended = { ...running, status: "success", progress: 100, finished: "2026-01-01T00:00:05+00:00" };
  expect(await api.show("action", 1)).toEqual(ended);
  expect(await api.show("server", 1)).toMatchObject({ status: "running", locked: false });
});

test("several actions are polled at once, and all that were asked for are there", async () => {
  const { api, gate } = held();
  await api.fault({ ...failing, resource: { id: 2, type: "volume" } });
  const make = (name: string) => api.call("POST", "/volumes", { name, size: 10, location: "fsn1" });
  const poll = async () => {
    const { body } = await api.call("GET", "/actions?id=3&id=1&id=2&page=1&sort=status&sort=id");
    return records(body["actions"]).map(({ id, status }) => [id, status]);
  };
  await make("a");
  await make("b");
  await api.cloud.settled();
  gate.close();
  await make("c");
  expect(await poll()).toEqual([
    [2, "error"],
    [3, "running"],
    [1, "success"],
  ]);
  gate.open();
  await api.cloud.settled();
  expect(await poll()).toEqual([
    [2, "error"],
    [1, "success"],
    [3, "success"],
  ]);
  const { actions } = await api.do("GET", "/actions?id=2&id=99&status=error");
  expect(records(actions).map(({ error }) => error)).toEqual([{ code: "action_failed", message: "no luck" }]);
});

test("a list of all actions was removed from the API, and is refused", async () => {
  const { body } = await new HetznerApi().call("GET", "/actions");
  expect(body["error"]).toMatchObject({
    code: "deprecated_api_endpoint",
    details: { announcement: expect.stringMatching(/^https:/) as string },
  });
});

test("an action is found where it belongs, and nowhere else", async () => {
  const api = new HetznerApi();
  await api.server({ name: "a" });
  await api.server({ name: "b" });
  await api.make("volume", { name: "v", size: 10, server: 1 });
  const commands = async (path: string) =>
    records((await api.do("GET", path))["actions"]).map(({ command }) => command);
  expect(await commands("/servers/1/actions")).toEqual(["create_server", "create_volume", "attach_volume"]);
  expect(await commands("/servers/2/actions")).toEqual(["create_server"]);
  expect(await commands("/volumes/actions?sort=id:desc")).toEqual(["attach_volume", "create_volume"]);
  expect(await commands("/networks/actions")).toEqual([]);
  // The first is server 1's alone; the third also the Volume's.
  for (const path of ["/servers/1/actions/1", "/servers/1/actions/3", "/volumes/1/actions/3", "/volumes/actions/3"]) {
    expect(await api.do("GET", path)).toHaveProperty("action");
  }
  for (const path of ["/servers/2/actions/1", "/volumes/actions/1", "/servers/3/actions/1", "/servers/1/actions/99"]) {
    expect(await api.refusal("GET", path)).toEqual([404, "not_found"]);
  }
});

test("an action that fails changes nothing, and says why", async () => {
  const api = new HetznerApi();
  const server = await api.server();
  await api.network();
  const before = await api.show("server", server);
  await api.fault(failing);
  for (const [command, body] of [
    ["poweroff", undefined],
    ["attach_to_network", { network: 1 }],
    ["rebuild", { image: "debian-13" }],
    ["enable_backup", undefined],
  ] as const) {
    const { id } = await start(api, `/servers/${server}/actions/${command}`, body);
    await api.cloud.settled();
    expect(await api.show("action", Number(id))).toMatchObject({
      status: "error",
      error: { code: "action_failed", message: "no luck" },
    });
  }
  await api.do("DELETE", `/servers/${server}`);
  expect(await api.show("server", server)).toEqual(before);
});

test("what fails to be created is there all the same, a server switched off", async () => {
  const host = new Host();
  const api = new HetznerApi({ machines: host });
  await api.fault(failing);
  await api.network();
  const server = await api.server({ networks: [1] });
  const volume = await api.make("volume", { name: "v", size: 10, location: "fsn1" });
  await api.make("load_balancer", { name: "lb", load_balancer_type: "lb11", location: "fsn1" });
  expect(api.cloud.actions.list().map(({ command, status }) => [command, status])).toEqual(
    ["create_server", "create_volume", "create_load_balancer"].map((command) => [command, "error"]),
  );
  expect(await api.show("server", server)).toMatchObject({ status: "off", locked: false });
  expect([...host.machines.values()]).toMatchObject([{ running: false, interfaces: [{ networkId: 1 }] }]);
  expect([[...host.volumes.keys()], [...host.balancers.keys()]]).toEqual([[volume], [1]]);

  await api.faults.remove();
  await api.do("POST", `/volumes/${volume}/actions/attach`, { server });
  await api.do("POST", `/servers/${server}/actions/poweron`);
  expect(await api.show("server", server)).toMatchObject({ status: "running", volumes: [volume] });
  expect(await host.isRunning(server)).toBe(true);
});

test("a server whose machine cannot be had is off, and can be deleted", async () => {
  const host = new Host();
  const api = new HetznerApi({ machines: host });
  host.create = () => Promise.reject(new Error("no room"));
  const server = await api.server();
  expect(await api.show("action", 1)).toMatchObject({ status: "error", error: { message: "no room" } });
  expect(await api.show("server", server)).toMatchObject({ status: "off", locked: false });
  await api.do("DELETE", `/servers/${server}`);
  expect([api.store.list("hetzner.server"), api.store.list("hetzner.primary_ip")]).toEqual([[], []]);
});

test("while an action runs, what it is about is locked", async () => {
  const { api, gate } = held();
  await api.server();
  await api.network();
  await api.make("volume", { name: "v", size: 10, location: "fsn1" });
  await api.make("load_balancer", { name: "lb", load_balancer_type: "lb11", location: "fsn1" });
  gate.close();
  const locked = [423, "locked"];
  await start(api, "/volumes/1/actions/attach", { server: 1 });
  expect((await api.call("GET", "/servers/1")).body["server"]).toMatchObject({ locked: true });
  expect(await api.refusal("POST", "/servers/1/actions/poweroff")).toEqual(locked);
  expect(await api.refusal("POST", "/servers/1/actions/attach_to_network", { network: 1 })).toEqual(locked);
  expect(await api.refusal("DELETE", "/servers/1")).toEqual(locked);
  expect(await api.refusal("POST", "/volumes/1/actions/detach")).toEqual(locked);
  expect(await api.refusal("DELETE", "/volumes/1")).toEqual(locked);
  expect(await api.refusal("POST", "/volumes", { name: "w", size: 10, server: 1 })).toEqual(locked);
  await start(api, "/load_balancers/1/actions/attach_to_network", { network: 1 });
  expect(await api.refusal("DELETE", "/networks/1")).toEqual(locked);
  expect(await api.refusal("POST", "/load_balancers/1/actions/change_type", { load_balancer_type: "lb21" })).toEqual(
    locked,
  );
  expect(await api.refusal("DELETE", "/load_balancers/1")).toEqual(locked);
  gate.open();
  await api.cloud.settled();
  expect(await api.show("server", 1)).toMatchObject({ locked: false, volumes: [1] });
});
