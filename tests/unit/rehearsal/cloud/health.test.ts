import { faultsOn, healthOfTarget, problemsOf, worstFirst } from "../../../../rehearsal/cloud/health.ts";
import { statusOf } from "./page/status.ts";

const target = (...states: readonly string[]) => ({
  name: "web",
  health: states.map((status, index) => ({ listen_port: index, status })),
});

test.each([
  [["healthy", "healthy"], "good"],
  [["healthy", "unhealthy"], "bad"],
  [["unknown", "healthy"], "busy"],
  [[], "good"],
] as const)("a target that is %j on its ports is %s", (states, health) => {
  expect(healthOfTarget(target(...states))).toBe(health);
});

test("what is not well is listed, the worst first, and what is well is not", () => {
  const status = statusOf((what) => what);
  const [one] = status.servers;
  if (!one) throw new Error("no server");
  const servers = (["initializing", "running", "off"] as const).map((is) => ({ ...one, name: is, status: is }));
  expect(problemsOf({ ...status, servers }).map(({ what, state, health }) => `${what}: ${state}, ${health}`)).toEqual([
    "server off: off, bad",
    "target core-1 of edge-1: unhealthy, bad",
    "Volume data: fault volume_full, bad",
    "server initializing: initializing, busy",
  ]);
  expect(problemsOf({ ...status, servers: [], balancers: [], faults: [] })).toEqual([]);
});

test("a fault is on what it concerns, and not on what only has the same name", () => {
  const status = statusOf((what) => what);
  expect(faultsOn(status, "volume", "data")).toEqual(["volume_full"]);
  expect(faultsOn(status, "server", "data")).toEqual([]);
});

test("the order of what is equally well stays", () => {
  expect(worstFirst(["good", "busy", "bad", "busy"] as const, (one) => one)).toEqual(["bad", "busy", "busy", "good"]);
});
