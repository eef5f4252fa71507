import { resolveFaultTargets } from "../../../../rehearsal/cloud/fault-targets.ts";
import { NoMachines } from "../../../../rehearsal/machines/none.ts";
import { HetznerApi } from "../support/hetzner.ts";

/** A cloud of two servers, the first with a volume. */
async function cloud() {
  const api = new HetznerApi();
  await api.server({ name: "core-1" });
  await api.server({ name: "db-2" });
  const volume = { size: 10, location: "fsn1" };
  await api.make("volume", { ...volume, name: "spare" });
  await api.make("volume", { ...volume, name: "data" });
  await api.do("POST", "/volumes/2/actions/attach", { server: 1 });
  // As if they could do something: what happens to machines is asked for below.
  const machines = Object.assign(new NoMachines(), { kind: "docker" });
  return { store: api.cloud.store, machines };
}

test.each([
  [
    { kind: "killed", server: "db-2" },
    { kind: "killed", server: 2 },
  ],
  [
    { kind: "killed", server: 2 },
    { kind: "killed", server: 2 },
  ],
  [
    { kind: "killed", server: "2" },
    { kind: "killed", server: 2 },
  ],
  [
    { kind: "partition", servers: ["core-1", 2] },
    { kind: "partition", servers: [1, 2] },
  ],
  [
    { kind: "volume_full", volume: "data" },
    { kind: "volume_full", volume: 2, server: 1 },
  ],
  [
    { kind: "action", resource: { type: "volume", id: "spare" } },
    { kind: "action", resource: { type: "volume", id: 1 } },
  ],
  [
    { kind: "sold_out", locations: ["fsn1"] },
    { kind: "sold_out", locations: ["fsn1"] },
  ],
])("%j is about what bears the name", async (asked, meant) => {
  expect(resolveFaultTargets(asked, await cloud())).toEqual(meant);
});

test.each([
  [{ kind: "killed", server: "web" }, "there is no server 'web'; the cloud has core-1, db-2"],
  [{ kind: "partition", servers: ["core-1", 7] }, "there is no server '7'; the cloud has core-1, db-2"],
  [{ kind: "volume_full", volume: "spare" }, "volume 'spare' is attached to no server"],
  [{ kind: "action", resource: { type: "network", id: "n" } }, "there is no network 'n'; the cloud has none"],
  [
    { kind: "action", resource: { type: "sever", id: "a" } },
    "got a resource of type 'sever', allowed: server, network",
  ],
])("%j: %s", async (asked, message) => {
  const found = await cloud();
  expect(() => resolveFaultTargets(asked, found)).toThrow(message);
});

test("a fault of machines is refused in a cloud without machines", () => {
  const { cloud: bare } = new HetznerApi();
  expect(() => resolveFaultTargets({ kind: "partition", servers: [1, 2] }, bare)).toThrow(
    "partition needs machines, and this cloud has none (machines: none)",
  );
});
