/** The catalogue: every kind answers what the rest of the program asks, and what nothing admits is closed. */
import { imageRoles } from "../../../common/app-contract.ts";
import { type Phase, phases } from "../../../config/schema.ts";
import { catalogue, definitionOf, holdsData } from "../../../topology/catalogue.ts";
import { peersOf } from "../../../topology/peers.ts";
import { plan } from "../../../topology/plan.ts";
import type { ServiceKind } from "../../../topology/service.ts";
import { imageConfinement, imageKinds } from "../../../topology/services/image.ts";
import { settingsOf } from "../support/settings.ts";

const kinds = Object.keys(catalogue) as ServiceKind[];

test("the services of a definition have the kind that it is listed under", () => {
  // No preset has the server for metrics yet.
  const more = (phase: Phase) => ({ backups: { pointInTime: true }, monitoring: { enabled: phase === "ha" } });
  const planned = phases.flatMap((phase) => plan("prod", settingsOf(phase, more(phase))).services);
  expect(new Set(planned.map(({ kind }) => kind))).toEqual(new Set(kinds));
});

test("callers are kinds of the catalogue, or load balancers", () => {
  const known = new Set<string>([...kinds, "load-balancer"]);
  for (const kind of kinds) {
    expect(definitionOf(kind).callers.filter((caller) => !known.has(caller))).toEqual([]);
  }
});

test("published ports are ports of the definition, and have a scheme or no URL", () => {
  for (const { kind, published } of phases.flatMap((phase) => plan("prod", settingsOf(phase)).services)) {
    const own = new Set(Object.values(definitionOf(kind).ports));
    expect(published.filter(({ containerPort }) => !own.has(containerPort))).toEqual([]);
  }
});

test.each(["scale", "enterprise", "ha"] as const)(
  "in phase %s a port is open to servers with its callers alone",
  (phase) => {
    const topology = plan("prod", settingsOf(phase));
    for (const server of topology.servers) {
      const open = new Set(peersOf(topology, server).map(({ port }) => port));
      const closed = topology.services
        .filter((service) => service.server === server.name && definitionOf(service.kind).callers.length === 0)
        .flatMap(({ published }) => published.map(({ port }) => port));
      expect(closed.filter((port) => open.has(port))).toEqual([]);
    }
  },
);

test("etcd and Sentinel are closed to servers that have no member or client of theirs", () => {
  const topology = plan("prod", settingsOf("ha"));
  const core = topology.servers.find(({ name }) => name === "core-1");
  const from = (port: number) =>
    core ? peersOf(topology, core).flatMap((rule) => (rule.port === port ? [rule.from] : [])) : [];
  expect(from(2379)).toEqual(["10.20.1.21-10.20.1.30"]);
  expect(from(26_379)).not.toContain("10.20.1.81-10.20.1.90");
});

test("what stands on servers for apps or workers says that a move takes it there", () => {
  const planned = (["scale", "enterprise", "ha"] as const).map((phase) => plan("prod", settingsOf(phase)));
  for (const kind of kinds) {
    const roles = planned.flatMap(({ servers, services }) =>
      services.flatMap((service) => servers.filter(({ name }) => service.kind === kind && name === service.server)),
    );
    const moved = roles.map(({ role }) => role).filter((role) => role === "app" || role === "worker");
    expect([kind, [...new Set(moved)].sort()]).toEqual([kind, [...definitionOf(kind).movesTo].sort()]);
  }
});

test("a move that takes servers away closes no port to what still serves there", () => {
  const values = { gateway: { enabled: true }, database: { availability: "replica" } };
  const [before, after] = (["scale", "mvp"] as const).map((phase) => plan("prod", settingsOf(phase, values)));
  const rules = (topology = before) =>
    (topology?.servers ?? []).flatMap((server) =>
      (topology ? peersOf(topology, server) : []).map(({ from, port }) => `${server.name}:${port} from ${from}`),
    );
  const kept = new Set(rules(after));
  const staying = (after?.servers ?? []).map(({ name }) => name);
  const lost = rules(before).filter((rule) => staying.includes(rule.split(":")[0] ?? "") && !kept.has(rule));
  expect(rules(before)).toContain("db-2:8008 from 10.20.1.101-10.20.1.130");
  expect(lost).toEqual([]);
});

test("the kinds that run the platform's image are those that get its folders", () => {
  const { writable } = imageConfinement;
  const confined = kinds.filter((kind) => definitionOf(kind).confinement.writable === writable);
  expect([...imageKinds].sort()).toEqual(confined.sort());
  expect(imageRoles).toEqual(imageKinds.filter((kind) => definitionOf(kind).runs === "always"));
});

test("what holds data is what its definition says", () => {
  expect(kinds.filter(holdsData).sort()).toEqual(
    ["broker", "broker-replica", "cache", "cache-replica", "database", "etcd", "monitoring", "replica"].sort(),
  );
});

test("no kind has more privileges of root than the table of docs/containers.md says", () => {
  const entrypoint = ["CHOWN", "DAC_OVERRIDE", "KILL", "SETGID", "SETUID"];
  const privileged = Object.entries(catalogue).flatMap(([kind, { confinement }]) =>
    confinement.capabilities.length > 0 ? [[kind, confinement.capabilities]] : [],
  );
  const postgres = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID"];
  expect(Object.fromEntries(privileged)).toEqual({
    ...{ database: postgres, replica: postgres, "test-database": postgres },
    ...{ cache: entrypoint, broker: entrypoint, "cache-replica": entrypoint, "broker-replica": entrypoint },
    sentinel: entrypoint,
    edge: ["CHOWN", "SETGID", "SETUID"],
  });
});

test("the edge shares a network with the apps, and with nothing that keeps data", () => {
  const beside = Object.entries(catalogue).flatMap(([kind, { confinement }]) =>
    confinement.networks.includes("edge") ? [kind] : [],
  );
  expect(beside.sort()).toEqual(["app", "docs", "edge"]);
});
