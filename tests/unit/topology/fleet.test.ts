/** Servers: a count that changes creates or deletes what it says, and no address is given twice. */
import fc from "fast-check";
import { locations, type Settings } from "../../../config/schema.ts";
import { addressesAround, planLoadBalancers, planServers } from "../../../topology/fleet.ts";
import type { Server } from "../../../topology/server.ts";
import { settingsOf } from "../support/settings.ts";

const types = ["cpx42"];
const count = fc.integer({ min: 1, max: 10 });

const fleetOf = (phase: "scale" | "ha", apps: number, workers: number, order: readonly string[]): Server[] =>
  planServers(
    settingsOf(phase, {
      app: { servers: { count: apps, types } },
      workers: { servers: { count: workers, types } },
      hetzner: { locations: [...order] },
    }),
  );

test("another count creates or deletes as many servers, and changes no other one", () => {
  const order = fc.shuffledSubarray([...locations], { minLength: 1 });
  fc.assert(
    fc.property(fc.constantFrom("scale", "ha"), order, count, count, count, (phase, at, was, is, workers) => {
      const [before, after] = [fleetOf(phase, was, workers, at), fleetOf(phase, is, workers, at)];
      const kept = new Map(after.map((server) => [server.name, server]));
      const shared = before.filter(({ name }) => kept.has(name));
      expect(shared.map(({ name }) => kept.get(name))).toEqual(shared);
      expect([before.length - shared.length, after.length - shared.length]).toEqual([
        Math.max(0, was - is),
        Math.max(0, is - was),
      ]);
    }),
  );
});

test("every server has a name, and an address that no other server or load balancer can have", () => {
  fc.assert(
    fc.property(fc.constantFrom("scale", "ha"), count, count, (phase, apps, workers) => {
      const fleet = fleetOf(phase, apps, workers, locations);
      expect(new Set(fleet.map(({ name }) => name)).size).toBe(fleet.length);
      expect(new Set(fleet.map(({ privateAddress }) => privateAddress)).size).toBe(fleet.length);
    }),
  );
});

test("a load balancer stays what it is, whatever the order of the locations after the first one", () => {
  const balancersIn = (order: readonly string[], balancing: string) =>
    planLoadBalancers(settingsOf("ha", { edge: { balancing }, hetzner: { locations: [...order] } }));
  const known = balancersIn(["nbg1", "fsn1", "hel1"], "global");
  expect(new Set(known.map(({ name }) => name)).size).toBe(3);
  expect(new Set(known.map(({ privateAddress }) => privateAddress)).size).toBe(3);
  for (const order of [["nbg1"], ["nbg1", "hel1"], ["nbg1", "hel1", "fsn1"]]) {
    for (const balancing of ["regional", "global"]) {
      expect(known).toEqual(expect.arrayContaining(balancersIn(order, balancing)));
    }
  }
});

test("servers spread over all locations in turn", () => {
  const names = fleetOf("scale", 5, 1, ["hel1", "nbg1"]).flatMap(({ role, name }) => (role === "app" ? [name] : []));
  expect(names).toEqual(["app-hel1-1", "app-nbg1-1", "app-hel1-2", "app-nbg1-2", "app-hel1-3"]);
});

test("what is around a server are its role's addresses in every location", () => {
  const around = (phase: "scale" | "ha", name: string, values: Partial<Record<keyof Settings, unknown>> = {}) => {
    const server = planServers(settingsOf(phase, values)).find((one) => one.name === name);
    return server && addressesAround(server);
  };
  expect(around("ha", "app-fsn1-1")).toBe("10.20.1.101-10.20.1.130");
  expect(around("ha", "worker-hel1-1")).toBe("10.20.1.131-10.20.1.160");
  expect(around("ha", "cache-2")).toBe("10.20.1.31-10.20.1.40");
  expect(around("scale", "core-1")).toBe("10.20.1.11-10.20.1.20");
  // A promoted replica has the core's part and the address of a replica.
  expect(around("scale", "db-2", { database: { primary: "db-2" } })).toBe("10.20.1.21-10.20.1.30");
});

test("what holds data keeps its placement group; each stateless role has its own", () => {
  const groups = new Map(
    planServers(settingsOf("ha", { monitoring: { enabled: true } })).map(({ role, placementGroup }) => [
      role,
      placementGroup,
    ]),
  );
  expect(Object.fromEntries(groups)).toEqual({
    ...{ core: "spread", db: "spread", app: "spread-app", worker: "spread-worker" },
    ...{ cache: "spread-cache", monitor: "spread-monitor" },
  });
});
