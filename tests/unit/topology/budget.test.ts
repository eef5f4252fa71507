/** Budgets: memory of a server and connections of PostgreSQL, added up and refused with the sum. */
import fc from "fast-check";
import type { Phase, Settings } from "../../../config/schema.ts";
import { smallestMemoryMb } from "../../../config/server-types.ts";
import { budgetNotes, budgetProblems, memoryOf, systemMemoryMb } from "../../../topology/budget.ts";
import { definitionOf } from "../../../topology/catalogue.ts";
import { poolOf, reservedConnections } from "../../../topology/pools.ts";
import { lastingServices, servicesOf } from "../../../topology/topology.ts";
import type { ServiceKind } from "../../../topology/service.ts";
import { plan } from "../../../topology/plan.ts";
import { settingsOf } from "../support/settings.ts";

const refusal = (phase: Phase, values: Record<string, unknown>): string => {
  try {
    plan("prod", settingsOf(phase, values));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return "accepted";
};

const notesOf = (phase: Phase, values: Record<string, unknown>): string[] => {
  const settings = settingsOf(phase, values);
  return budgetNotes(plan("prod", settings), settings);
};

test.each(["mvp", "scale", "enterprise", "ha"] as const)("the containers of phase %s fit into its servers", (phase) => {
  const topology = plan("prod", settingsOf(phase));
  for (const { name, types } of topology.servers) {
    expect(memoryOf(topology, name) + systemMemoryMb).toBeLessThanOrEqual(smallestMemoryMb(types) ?? 0);
  }
});

describe("memory", () => {
  test.each([
    ["mvp", { database: { memoryMb: 65_536 } }, /server core-1: its containers may take 69984 MiB \(database 65536,/],
    [
      "mvp",
      { cache: { maxMemoryMb: 262_144 } },
      /\(cache 393216, .*cpx32 and cx33 of orion:database.servers have 8192/,
    ],
    ["scale", { app: { instances: 16 } }, /server app-nbg1-1: its containers may take 10080 MiB/],
    ["mvp", { app: { servers: { count: 1, types: ["cx23"] } }, edge: { balancing: "regional" } }, /accepted/],
    [
      "enterprise",
      { workers: { servers: { types: ["cpx22", "cpx12"] } } },
      /server worker-nbg1-1: .* 192, beat 128, flower 128\) and the system 640, cpx12 of orion:workers.servers.types has 2048; name types with 2752 or more there, or lower orion:workers.memoryMb \(320\), orion:workers.beatMemoryMb \(128\), orion:workers.flowerMemoryMb \(128\)$/,
    ],
  ] as const)("phase %s with %j", (phase, values, expected) => {
    expect(refusal(phase, values)).toMatch(expected);
  });

  test("of what runs for a while the largest is counted, and what always runs as a whole", () => {
    const topology = plan("prod", settingsOf("mvp"));
    const limit = (kind: ServiceKind) => servicesOf(topology, kind).reduce((sum, { memoryMb }) => sum + memoryMb, 0);
    const always = lastingServices(topology).reduce((sum, { memoryMb }) => sum + memoryMb, 0);
    expect([limit("backup"), limit("release")]).toEqual([768, 608]);
    expect(memoryOf(topology, "core-1")).toBe(always + 768);
  });

  test("that servers of one role lack is said once, for the one that lacks the most", () => {
    const lacking = refusal("enterprise", { app: { memoryMb: 4096 }, workers: { memoryMb: 2048 } });
    expect(lacking.match(/server \S+: its/g)).toEqual(["server worker-nbg1-1: its", "server app-nbg1-1: its"]);
    expect(lacking).toContain("or lower orion:app.memoryMb (4096), orion:app.instances (2), orion:edge.memoryMb (160)");
  });

  test("of a server whose containers no setting makes smaller asks for larger types alone", () => {
    expect(refusal("ha", { monitoring: { enabled: true, servers: ["cpx12"] } })).toMatch(
      /server monitor-1: .*cpx12 of orion:monitoring.servers has 2048; name types with 2752 or more there$/,
    );
  });

  test.each([
    ["app", "memoryMb"],
    ["edge", "memoryMb"],
    ["workers", "memoryMb"],
    ["workers", "beatMemoryMb"],
    ["workers", "flowerMemoryMb"],
    ["database", "memoryMb"],
    ["cache", "maxMemoryMb"],
    ["cache", "brokerMaxMemoryMb"],
  ] as const)("a kind whose memory follows from orion:%s.%s names it", (section, key) => {
    const memory = (values: Record<string, unknown>) => {
      const settings = settingsOf("enterprise", { database: { servers: ["ccx63"], memoryMb: 3072 }, ...values });
      const { services } = plan("prod", settings);
      return services
        .filter(({ kind }) => kind !== "release")
        .map(({ kind, memoryMb }) => ({ settings, kind, memoryMb }));
    };
    const before = memory({});
    const after = memory({ [section]: { ...(section === "database" && { servers: ["ccx63"] }), [key]: 300 } });
    const changed = after.filter(({ memoryMb }, index) => memoryMb !== before[index]?.memoryMb);
    expect(changed.length).toBeGreaterThan(0);
    for (const { settings, kind } of changed) {
      expect(definitionOf(kind).memorySettings(settings)).toContain(`orion:${section}.${key} (300)`);
    }
  });

  test("of a server type that is not known is not judged, and that is noted", () => {
    const database = { servers: ["zz99"], memoryMb: 65_536 };
    expect(refusal("mvp", { database })).toBe("accepted");
    expect(notesOf("mvp", { database })).toEqual([
      "orion:database.servers: the memory of zz99 is not known here, so that it was not checked; containers and system may take 70624 MiB there",
    ]);
    expect(notesOf("mvp", {})).toEqual([]);
  });

  test("of the known ones of several types is judged", () => {
    expect(refusal("enterprise", { workers: { servers: { types: ["cpx12", "cpx21"] } } })).toContain(
      "cpx12 of orion:workers.servers.types has 2048; name types with 2752 or more there",
    );
  });
});

describe("connections", () => {
  const processesOf = ({ app }: Settings, servers: number) => 2 * servers * app.instances * app.uvicornWorkers;

  test.each([
    ["mvp", {}, { size: 2, overflow: 2 }],
    ["scale", {}, { size: 1, overflow: 1 }],
    ["scale", { gateway: { enabled: false }, database: { availability: "single" } }, { size: 1, overflow: 1 }],
    ["scale", { app: { servers: { count: 3, types: ["cpx22"] } } }, { size: 1, overflow: 0 }],
    ["scale", { app: { servers: { count: 4, types: ["cpx22"] } } }, { size: 1, overflow: 0 }],
    ["scale", { database: { maxConnections: 300 } }, { size: 2, overflow: 1 }],
    ["development", {}, undefined],
    ["development", { app: { instances: 4, uvicornWorkers: 4 } }, { size: 2, overflow: 2 }],
  ] as const)("a process of phase %s with %j may open %j", (phase, values, expected) => {
    const settings = settingsOf(phase, values);
    expect(poolOf(plan("prod", settings), settings)).toEqual(expected);
  });

  test.each([
    [
      "mvp",
      { app: { instances: 4, uvicornWorkers: 16, memoryMb: 256 }, database: { memoryMb: 2048 } },
      "128 processes of the app and 14 of workers, old and new ones during a rollout, with a connection each need 142 connections, and 80 of 100 are available to them",
    ],
    ["scale", { app: { servers: { count: 5, types: ["cpx22"] } } }, "80 processes of the app and 14 of workers"],
    ["development", { app: { instances: 16, uvicornWorkers: 64 } }, "1024 processes of the app and 5 of workers with"],
  ] as const)("phase %s with %j needs more than there are", (phase, values, expected) => {
    expect(refusal(phase, values)).toContain(`orion:database.maxConnections: ${expected}`);
  });

  test("that are too few are said with everything that helps: a pooler, and for an external database what it accepts", () => {
    const app = { uvicornWorkers: 5 };
    expect(refusal("enterprise", { app, database: { pooler: false } })).toMatch(
      /need 88 connections, and 80 of 100 .*; lower orion:app\.instances \(2\), orion:app\.uvicornWorkers \(5\), orion:workers\.concurrency or the counts of orion:app\.servers or orion:workers\.servers, set orion:database\.pooler to true, or raise orion:database\.maxConnections, which restarts PostgreSQL$/,
    );
    const settings = settingsOf("enterprise", { app, database: { mode: "external" } }, ["databaseUrl"]);
    expect(() => plan("prod", settings)).toThrow(
      /orion:workers\.servers, or set orion:database\.maxConnections to what the external database accepts, if that is more$/,
    );
  });

  test("all processes of an accepted plan, old and new, get what they may open", () => {
    const some = { instances: fc.integer({ min: 1, max: 4 }), uvicornWorkers: fc.integer({ min: 1, max: 8 }) };
    const servers = fc.record({ count: fc.integer({ min: 1, max: 6 }), types: fc.constant(["cpx52"]) });
    const database = fc.record({ maxConnections: fc.integer({ min: 30, max: 600 }) });
    let fitting = 0;
    fc.assert(
      fc.property(fc.record({ ...some, servers }), servers, database, (app, pool, own) => {
        const values = { app, workers: { servers: pool }, database: own };
        const settings = settingsOf("scale", values);
        if (refusal("scale", values) !== "accepted") return;
        const { size, overflow } = poolOf(plan("prod", settings), settings) ?? { size: 0, overflow: 0 };
        const tasks = 2 * 7 * pool.count;
        const processes = processesOf(settings, app.servers.count);
        const all = processes * (size + overflow) + tasks;
        expect(all + reservedConnections).toBeLessThanOrEqual(own.maxConnections);
        // While no replica can be read, each has a second pool there, of one connection at least.
        if (size + overflow > 2) expect(2 * all + reservedConnections).toBeLessThanOrEqual(own.maxConnections);
        else if (2 * (processes + tasks) > own.maxConnections - 3) expect(notesOf("scale", values)).toHaveLength(1);
        fitting++;
      }),
    );
    expect(fitting).toBeGreaterThan(20);
  });
});

test("that reads may take more connections than there are while no replica can be read is noted, where the least pools need more", () => {
  expect(notesOf("scale", {})).toEqual([]);
  expect(notesOf("enterprise", {})).toEqual([]);
  expect(notesOf("scale", { app: { servers: { count: 3, types: ["cpx22"] } } })).toEqual([
    "orion:database.maxConnections: during a rollout while no replica can be read, 48 processes of the app and 14 of workers need at " +
      "least 124, one for writes and one for reads each, and PostgreSQL has 100: some requests would fail; lower orion:app.instances (2), " +
      "orion:app.uvicornWorkers (4), orion:workers.concurrency or the counts of orion:app.servers or orion:workers.servers, set " +
      "orion:database.pooler to true, or raise orion:database.maxConnections, which restarts PostgreSQL",
  ]);
});

test("a placement group with more servers than it has room for is refused", () => {
  const settings = settingsOf("scale");
  const topology = plan("prod", settings);
  const [app] = topology.servers.filter(({ role }) => role === "app");
  const many = Array.from({ length: 10 }, (_, index) => ({ ...app, name: `app-nbg1-${index + 2}` }));
  const servers = [...topology.servers, ...many] as typeof topology.servers;
  expect(budgetProblems({ ...topology, servers }, settings)).toEqual([
    "placement group spread-app: 12 servers, and Hetzner's placement groups have room for 10; fewer and larger servers do the same work",
  ]);
});
