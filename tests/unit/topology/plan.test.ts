/** Plans: what a stack has in each phase, and what stays when it moves. */
import { type Phase, phases } from "../../../config/schema.ts";
import { planServers } from "../../../topology/fleet.ts";
import { plan } from "../../../topology/plan.ts";
import { type Topology, servicesOf } from "../../../topology/topology.ts";
import { expectGolden, type Line } from "../../../testing/golden.ts";
import { settingsOf } from "../support/settings.ts";

describe("a local stack", () => {
  test("is one Docker Engine with the guide's ports, on loopback only", () => {
    const { servers, services, loadBalancers } = plan("dev", settingsOf("development"));
    expect({ servers, loadBalancers }).toEqual({ servers: [], loadBalancers: [] });
    expect(
      Object.fromEntries(
        services.map(({ name, published }) => [
          name,
          published.map(({ address, port }) => `${address}:${port}`).join(),
        ]),
      ),
    ).toEqual({
      database: "127.0.0.1:5432",
      "test-database": "127.0.0.1:5433",
      cache: "127.0.0.1:6380",
      release: "",
      "app-1": "127.0.0.1:8000",
      worker: "",
      beat: "",
      flower: "127.0.0.1:5555",
      edge: "127.0.0.1:8080",
      docs: "127.0.0.1:9991",
    });
  });

  test("listed queues get dedicated workers and the others share one; every queue has exactly one", () => {
    const workersOf = (dedicated: unknown) =>
      servicesOf(plan("dev", settingsOf("development", { workers: { dedicated } })), "worker").map(
        ({ name, queues, concurrency }) => `${name} ${queues.join("+")} ${concurrency}`,
      );
    expect(workersOf(["emails"])).toEqual(["worker-emails emails 1", "worker default+imports+reports 4"]);
    expect(workersOf([])).toEqual(workersOf(false));
    expect(workersOf(["reports", "emails", "imports", "default"])).toEqual(workersOf(true));
  });

  test("one worker takes all four queues with the sum of their concurrency", () => {
    expect(servicesOf(plan("dev", settingsOf("development")), "worker")).toMatchObject([
      { queues: ["default", "imports", "emails", "reports"], concurrency: 5 },
    ]);
  });

  test("without Celery there is no worker, Beat and Flower, on servers no broker and no server for workers either", () => {
    const namesOf = (phase: Phase) =>
      plan("prod", settingsOf(phase, { workers: { enabled: false } })).services.map(({ kind }) => kind);
    const ofCelery = new Set<string>(["worker", "beat", "flower", "broker", "broker-replica"]);
    for (const phase of phases) expect(namesOf(phase).filter((kind) => ofCelery.has(kind))).toEqual([]);
    expect(namesOf("development")).toEqual(expect.arrayContaining(["cache", "release", "app", "edge"]));
    const { servers } = plan("prod", settingsOf("scale", { workers: { enabled: false } }));
    expect(servers.map(({ role }) => role)).toEqual(["core", "db", "app", "app"]);
  });

  test("Beat and Flower are left out by an empty command, and the others begin with the stack's own", () => {
    const commands = { worker: ["python", "-m", "celery", "worker"], beat: [], flower: [] };
    const topology = plan("dev", settingsOf("development", { workers: { commands } }));
    expect(servicesOf(topology, "worker").map(({ command }) => command)).toEqual([commands.worker]);
    expect([...servicesOf(topology, "beat"), ...servicesOf(topology, "flower")]).toEqual([]);
  });

  test("the least is PostgreSQL alone", () => {
    const { services } = plan("dev", settingsOf("development", { services: [] }));
    expect(services.map(({ name }) => name)).toEqual(["database"]);
  });

  test("only the first of several instances has the well-known port", () => {
    const topology = plan("dev", settingsOf("development", { app: { instances: 3 } }));
    expect(servicesOf(topology, "app").map(({ published }) => published.length)).toEqual([1, 0, 0]);
  });
});

test.each(phases)("the plan of phase %s is the one that was looked at", (phase) => {
  expectGolden(`topology-${phase}`, linesOf(plan("prod", settingsOf(phase))));
});

/** In the plan's own order, which is part of it. */
const linesOf = ({ stack, phase, hosting, servers, services, loadBalancers }: Topology): Line[] => [
  { kind: "stack", name: stack, values: [{ phase, hosting }] },
  ...servers.map(({ name, ...rest }) => ({ kind: "server", name, values: [rest] })),
  ...services.map(({ name, ...rest }) => ({ kind: "service", name, values: [rest] })),
  ...loadBalancers.map(({ name, ...rest }) => ({ kind: "loadBalancer", name, values: [rest] })),
];

describe("a move adds", () => {
  const order = ["mvp", "scale", "enterprise", "ha"] as const;
  const steps = order.slice(1).map((to, index) => [order[index] ?? "mvp", to] as const);

  test.each(steps)("%s to %s keeps every server with its name, its address and its location", (from, to) => {
    const after = planServers(settingsOf(to));
    for (const server of planServers(settingsOf(from))) {
      const kept = after.find(({ name }) => name === server.name);
      const { privateAddress, role, location, placementGroup } = server;
      expect(kept).toMatchObject({ privateAddress, role, location, placementGroup });
    }
  });

  test.each(steps)("%s to %s leaves the database and the caches where they are", (from, to) => {
    const [before, after] = [plan("prod", settingsOf(from)), plan("prod", settingsOf(to))];
    for (const kind of ["database", "replica", "cache", "broker"] as const) {
      for (const service of servicesOf(before, kind)) {
        expect(servicesOf(after, kind)).toContainEqual(service);
      }
    }
  });

  test.each(order)("in phase %s Beat and Flower run once", (phase) => {
    const topology = plan("prod", settingsOf(phase));
    expect([servicesOf(topology, "beat").length, servicesOf(topology, "flower").length]).toEqual([1, 1]);
  });

  test.each(order)("in phase %s nothing but the edge listens on a public address", (phase) => {
    const open = plan("prod", settingsOf(phase)).services.filter(({ published }) =>
      published.some(({ address }) => address === "0.0.0.0"),
    );
    expect(new Set(open.map(({ kind }) => kind))).toEqual(new Set(phase === "mvp" ? ["edge"] : []));
  });
});

describe("a replica in the primary's place", () => {
  const promoted = (primary: string, availability = "replica") =>
    plan("prod", settingsOf("scale", { database: { primary, availability } }));

  test("is the core, and keeps name, address, Volume, location and container; replicas go on with the next number", () => {
    const { servers, services } = promoted("db-2");
    const [before, after] = [planServers(settingsOf("scale")), servers].map(
      (all) => new Map(all.map((one) => [one.name, one])),
    );
    expect([...(after?.keys() ?? [])]).toEqual(["db-2", "db-3", "app-nbg1-1", "app-hel1-1", "worker-nbg1-1"]);
    expect(after?.get("db-2")).toEqual({ ...before?.get("db-2"), role: "core" });
    expect(after?.get("db-3")).toMatchObject({ role: "db", privateAddress: "10.20.1.23", location: "fsn1" });
    const ofReplica = servicesOf(plan("prod", settingsOf("scale")), "replica")[0];
    expect(services.filter(({ server }) => server === "db-2")).toMatchObject([
      { ...ofReplica, kind: "database" },
      { kind: "archive" },
      { kind: "cache" },
      { kind: "broker" },
      { kind: "gateway" },
      { kind: "release" },
    ]);
    expect(services.filter(({ server }) => server === "db-3")).toMatchObject([
      { kind: "replica", name: "replica-2", container: "orion-prod-replica-2", follows: "10.20.1.22:5432" },
      { kind: "replica-health", name: "replica-health-db-3" },
      { kind: "replica-files", name: "replica-files-db-3" },
      { kind: "backup" },
    ]);
  });

  test("may be lost itself: no name comes again", () => {
    const { servers, services } = promoted("db-3");
    expect(servers.slice(0, 2).map(({ name, role }) => [name, role])).toEqual([
      ["db-3", "core"],
      ["db-4", "db"],
    ]);
    expect(services.find(({ kind }) => kind === "database")).toMatchObject({
      ...{ name: "replica-2", container: "orion-prod-replica-2", follows: "10.20.1.22:5432" },
    });
  });

  test("takes its own backups as long as it has no replica", () => {
    const backup = promoted("db-2", "single").services.find(({ kind }) => kind === "backup");
    expect(backup?.server).toBe("db-2");
  });
});

describe("backups", () => {
  const homes = (phase: Phase, values = {}) =>
    servicesOf(plan("prod", settingsOf(phase, values)), "backup").map(({ server }) => server);

  test.each([
    ["development", []],
    ["mvp", ["core-1"]],
    // Where a replica is, it is the one that is read.
    ["scale", ["db-2"]],
    ["enterprise", ["db-2"]],
    ["ha", ["db-2"]],
  ] as const)("in phase %s are taken on %j", (phase, expected) => {
    expect(homes(phase)).toEqual(expected);
  });

  test("are not taken where there is no other place for them", () => {
    expect(homes("mvp", { storage: { backend: "local", noBackups: true } })).toEqual([]);
  });
});

test("a plan that does not fit is refused with every problem at once", () => {
  const settings = settingsOf("mvp", { database: { memoryMb: 65_536, maxConnections: 30 } });
  expect(() => plan("Prod_EU", settings)).toThrow(
    /the stack's name: got "Prod_EU"[^]*server core-1:[^]*orion:database.maxConnections/,
  );
});
