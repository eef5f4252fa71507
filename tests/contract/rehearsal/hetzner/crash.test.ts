/** What a crash in the middle of something leaves to be done, and that it is done. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { Host } from "../support/host.ts";
import { Lives } from "../support/lives.ts";

jest.setTimeout(60_000);
let host: Host;
let lives: Lives;
beforeEach(() => {
  host = new Host();
  lives = new Lives(host);
});
afterEach(() => lives.dispose());

/** Calls while nothing can happen on the host, and crashes. */
async function crashDuring(...calls: readonly (readonly [method: string, path: string, body?: unknown])[]) {
  lives.gate.close();
  for (const call of calls) {
    const { status, body } = await lives.api.call(...call);
    if (status >= 300) throw new Error(`${call.join(" ")}: ${JSON.stringify(body)}`);
  }
  await lives.crash();
  expect(lives.api.failures).toEqual([]);
}
const endsOf = () => lives.api.cloud.actions.list().map(({ command, status }) => [command, status]);
const smallest = { server_type: "cx23", image: "debian-12" };
const balancer = { name: "lb", load_balancer_type: "lb11", location: "fsn1" };

test("a server is made, in its network and with its Volumes", async () => {
  await lives.api.network();
  for (const name of ["v", "w"]) await lives.api.make("volume", { name, size: 10, location: "fsn1" });
  // A machine takes longer than all the rest.
  const create = host.create.bind(host);
  host.create = async (spec, running) => {
    for (let turn = 0; turn < 200; turn++) await nextTurn();
    return create(spec, running);
  };
  await crashDuring(
    ["POST", "/servers", { ...smallest, name: "a", networks: [1], volumes: [1, 2] }],
    ["POST", "/volumes", { name: "x", size: 10, location: "fsn1" }],
    ["POST", "/load_balancers", { ...balancer, network: 1, targets: [{ type: "server", server: { id: 1 } }] }],
  );
  expect(host.machines.get(1)).toMatchObject({
    running: true,
    publicAddress: "127.78.0.5",
    interfaces: [{ networkId: 1, address: "10.20.1.1" }],
  });
  expect([...host.volumes.values()].map(({ server }) => server)).toEqual([1, 1, undefined]);
  expect(host.balancers.get(1)?.targets).toEqual([{ name: "server-1", address: "127.78.0.5" }]);
  expect(endsOf().filter(([, status]) => status !== "success")).toEqual([]);
  expect(await lives.api.show("server", 1)).toMatchObject({ status: "running", locked: false, volumes: [1, 2] });
});

test("what was deleted is gone, from the host as well", async () => {
  await lives.api.network();
  await lives.api.server();
  await lives.api.server({ name: "stays" });
  await lives.api.make("volume", { name: "v", size: 10, server: 1 });
  await lives.api.make("volume", { name: "w", size: 10, location: "fsn1" });
  await lives.api.make("load_balancer", { ...balancer, network: 1 });
  const targets = [1, 2].map((id) => ({ type: "server", server: { id } }));
  await lives.api.make("load_balancer", { ...balancer, name: "stays", targets });
  await crashDuring(
    ["DELETE", "/servers/1"],
    ["DELETE", "/volumes/2"],
    ["DELETE", "/load_balancers/1"],
    ["DELETE", "/networks/1"],
  );
  expect([...host.machines.keys()]).toEqual([2]);
  expect([...host.volumes]).toEqual([[1, { sizeGb: 10, server: undefined }]]);
  expect([...host.networks]).toEqual([]);
  expect([...host.balancers.keys()]).toEqual([2]);
  expect(host.balancers.get(2)?.targets.map(({ name }) => name)).toEqual(["server-2"]);
  expect(lives.api.store.list("hetzner.removal")).toEqual([]);
  expect(await lives.api.show("volume", 1)).toMatchObject({ server: null });
});

test("a Volume goes from one server to the other", async () => {
  await lives.api.server();
  await lives.api.server({ name: "b" });
  await lives.api.make("volume", { name: "v", size: 10, server: 1 });
  await crashDuring(["POST", "/volumes/1/actions/detach"]);
  expect(host.volumes.get(1)).toMatchObject({ server: undefined });
  await crashDuring(["POST", "/volumes/1/actions/attach", { server: 2, automount: true }]);
  expect(host.volumes.get(1)).toMatchObject({ server: 2 });
  await crashDuring(["POST", "/volumes/1/actions/resize", { size: 30 }]);
  expect(host.volumes.get(1)).toMatchObject({ sizeGb: 30 });
});

test("a server that changes comes out changed", async () => {
  await lives.api.network();
  await lives.api.server();
  await crashDuring(["POST", "/servers/1/actions/attach_to_network", { network: 1, ip: "10.20.1.9" }]);
  expect(host.machines.get(1)?.interfaces).toMatchObject([{ address: "10.20.1.9" }]);
  await crashDuring(["POST", "/servers/1/actions/rebuild", { image: "debian-13" }]);
  expect(host.machines.get(1)).toMatchObject({ running: true, spec: { image: "debian-13", instanceId: "1-2" } });
  await crashDuring(["POST", "/servers/1/actions/shutdown"]);
  expect(host.machines.get(1)).toMatchObject({ running: false });
  await crashDuring(["POST", "/servers/1/actions/change_type", { server_type: "cx33", upgrade_disk: false }]);
  expect(host.machines.get(1)).toMatchObject({ running: true, spec: { cores: 4, memoryGb: 8 } });
  await crashDuring(["POST", "/servers/1/actions/poweroff"]);
  await crashDuring(["POST", "/primary_ips/1/actions/unassign"]);
  expect(host.machines.get(1)).toMatchObject({ publicAddress: undefined });
  await crashDuring(["POST", "/servers/1/actions/poweron"]);
  expect(await lives.api.show("server", 1)).toMatchObject({ status: "running", server_type: { name: "cx33" } });
});

test("an action that was to fail still fails, and has changed nothing", async () => {
  await lives.api.server();
  await lives.api.make("volume", { name: "v", size: 10, location: "fsn1" });
  await lives.api.fault({ kind: "action", command: "attach_volume", code: "action_failed", seconds: 0.1 });
  await crashDuring(["POST", "/volumes/1/actions/attach", { server: 1 }]);
  expect(endsOf().at(-1)).toEqual(["attach_volume", "error"]);
  expect(host.volumes.get(1)).toMatchObject({ server: undefined });
  expect(lives.api.store.list("hetzner.failure")).toEqual([]);
});

test("a server whose creation was to fail is there, and off", async () => {
  await lives.api.fault({ kind: "action", command: "create_server", code: "action_failed" });
  await crashDuring(["POST", "/servers", { ...smallest, name: "a" }]);
  expect(endsOf()).toEqual([["create_server", "error"]]);
  expect(await lives.api.show("server", 1)).toMatchObject({ status: "off", locked: false });
  expect(host.machines.get(1)).toMatchObject({ running: false, publicAddress: "127.78.0.5" });
  // Nor does a later start take it for one that is to run.
  await lives.restart();
  expect(await lives.api.show("server", 1)).toMatchObject({ status: "off" });
  expect(host.machines.get(1)).toMatchObject({ running: false });
});

test("a machine that ended is started again also when the action on its server was to fail", async () => {
  await lives.api.server();
  await lives.api.fault({ kind: "action", command: "stop_server", code: "action_failed", seconds: 0.1 });
  await lives.api.call("POST", "/servers/1/actions/poweroff");
  await host.powerOff(1);
  await lives.crash();
  expect(endsOf().at(-1)).toEqual(["stop_server", "error"]);
  expect(await lives.api.show("server", 1)).toMatchObject({ status: "running" });
  expect(await host.isRunning(1)).toBe(true);
});

test("a machine that ended while nobody looked is started again", async () => {
  await lives.api.server();
  await lives.api.server({ name: "off", start_after_create: false });
  await host.powerOff(1);
  await lives.restart();
  expect([...host.machines.values()].map(({ running }) => running)).toEqual([true, false]);
});

test("a server whose machine cannot be had keeps the others from nothing", async () => {
  await lives.api.server();
  await lives.api.server({ name: "b" });
  const create = host.create.bind(host);
  host.create = (spec, running) => (spec.id === 1 ? Promise.reject(new Error("no room")) : create(spec, running));
  await host.powerOff(2);
  await lives.restart();
  expect(lives.api.failures).toEqual([new Error("no room")]);
  expect(await host.isRunning(2)).toBe(true);
});
