/**
 * Any move between any two configurations of the real topology code, against what a person would say who looks at the two
 * plans: the guard calls a move safe exactly when nothing that holds data is lost, renamed or reached elsewhere.
 */
import fc from "fast-check";
import { parseConfig } from "../../../config/parse.ts";
import { locations, type Phase, phases, secretKeys, type Settings } from "../../../config/schema.ts";
import { isSafe, moveBetween } from "../../../policy/dangers.ts";
import { plan } from "../../../topology/plan.ts";
import type { Server } from "../../../topology/server.ts";
import type { Topology } from "../../../topology/topology.ts";
import { leastValues } from "../support/settings.ts";
import { outlineIn, serverPhases, titles } from "./support.ts";

type Overrides = Readonly<Record<string, unknown>>;

const some = (fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Overrides> =>
  fc.record(fields, { requiredKeys: [] });
const types = fc.constantFrom(["cpx22"], ["cpx32", "cx33"], ["ccx13"], ["cx23", "cpx22"]);
const pool = fc.record({ count: fc.integer({ min: 1, max: 10 }), types });
const mode = fc.constantFrom("provision", "provision", "provision", "external");
const overrides: fc.Arbitrary<Overrides> = some({
  app: some({ instances: fc.integer({ min: 1, max: 4 }), servers: pool }),
  workers: some({
    dedicated: fc.oneof(fc.boolean(), fc.subarray(["default", "imports", "emails", "reports"])),
    servers: pool,
  }),
  database: some({
    mode,
    servers: types,
    volumeGb: fc.integer({ min: 10, max: 200 }),
    availability: fc.constantFrom("single", "replica"),
    primary: fc.constantFrom("core-1", "core-1", "core-1", "db-2", "db-3"),
  }),
  cache: some({ mode }),
  hetzner: fc.record({ locations: fc.shuffledSubarray([...locations], { minLength: 1 }) }),
  storage: fc.record({ bucket: fc.constantFrom("orion-files", "orion-files", "other-files") }),
});
/** One thing that a person changes: what else changes with it would hide whether the guard looks at it. */
const oneChange: fc.Arbitrary<Overrides> = fc.oneof(
  ...(
    [
      ["database", { mode }],
      ["database", { servers: types }],
      ["database", { volumeGb: fc.integer({ min: 10, max: 200 }) }],
      ["database", { availability: fc.constantFrom("single", "replica") }],
      ["database", { primary: fc.constantFrom("core-1", "db-2", "db-3") }],
      ["app", { servers: pool }],
      ["workers", { servers: pool }],
      ["cache", { mode }],
      ["hetzner", { locations: fc.shuffledSubarray([...locations], { minLength: 1 }) }],
      ["storage", { bucket: fc.constantFrom("orion-files", "other-files") }],
    ] as const
  ).map(([section, fields]) =>
    fc.record<Record<string, unknown>>({ ...fields }).map((values): Overrides => ({ [section]: values })),
  ),
);
const withChange = (values: Overrides, change: Overrides): Overrides => ({
  ...values,
  ...Object.fromEntries(
    Object.entries(change).map(([key, fields]) => [key, { ...(values[key] as object), ...(fields as object) }]),
  ),
});
/** What a stack says later, from what it says before. */
const later: fc.Arbitrary<(values: Overrides) => Overrides> = fc.oneof(
  fc.constant((values: Overrides) => values),
  { arbitrary: oneChange.map((change) => (values: Overrides) => withChange(values, change)), weight: 2 },
  overrides.map((others) => () => others),
);
const serverPhase = fc.constantFrom(...serverPhases);

/** With every secret set, so that what is external has its address. */
function settingsWith(phase: Phase, values: Overrides): Settings {
  const hidden = Object.fromEntries(secretKeys.map((key) => [key, "hidden"]));
  const { primary, ...database } = (values["database"] ?? {}) as { primary?: string; mode?: string };
  // Where no replica can have been promoted, there is no other primary.
  const promoted = phase !== "mvp" && database.mode !== "external" && primary !== undefined && { primary };
  const { app, workers } = values as Record<string, Overrides | undefined>;
  // Several servers with edges need a load balancer in front of them.
  const edge = phase === "mvp" && app?.["servers"] !== undefined ? { balancing: "regional" } : {};
  const raw = {
    ...{ ...leastValues(phase), ...values, edge, ...hidden },
    // Little enough for any server, and for any number of processes.
    app: { ...app, memoryMb: 128 },
    workers: { ...workers, memoryMb: 64 },
    database: { ...database, ...promoted, memoryMb: 512, maxConnections: 5000 },
  };
  return parseConfig({ values: raw, secrets: new Set(secretKeys) }).settings;
}

interface Case {
  readonly topology: Topology;
  readonly settings: Settings;
}
const caseOf = (phase: Phase, values: Overrides): Case => {
  const settings = settingsWith(phase, values);
  return { settings, topology: plan("prod", settings) };
};
const moveOf = (before: Case, after: Case) => moveBetween(outlineIn(before.settings), outlineIn(after.settings));

/** What goes wrong, as a person finds it who compares two plans server by server. */
function lostBetween(before: Case, after: Case): string[] {
  const there = new Map(after.topology.servers.map((server) => [server.name, server]));
  const ofServer = (server: Server): string[] => {
    const later = there.get(server.name);
    const isKept = server.volumeGb > 0 || server.publicWeb;
    if (!later) return isKept ? [`${server.name} is gone`] : [];
    return [
      ...(later.location !== server.location ? [`${server.name} would have to go to ${later.location}`] : []),
      ...(later.volumeGb < server.volumeGb ? [`${server.name} has a Volume of ${later.volumeGb} GB`] : []),
      ...(isKept && later.privateAddress !== server.privateAddress ? [`${server.name} has another address`] : []),
    ];
  };
  const isAnother = (was: unknown, is: unknown, what: string) => (was === is ? [] : [`another ${what}`]);
  return [
    ...before.topology.servers.flatMap(ofServer),
    ...isAnother(before.settings.database.primary, after.settings.database.primary, "primary"),
    ...isAnother(before.settings.storage.bucket, after.settings.storage.bucket, "bucket"),
    ...isAnother(before.settings.database.mode, after.settings.database.mode, "database, without its data"),
    ...isAnother(before.settings.cache.mode, after.settings.cache.mode, "broker, without its tasks"),
  ];
}

const toReplica = (values: Overrides) => withChange(values, { database: { mode: "provision", primary: "db-2" } });

test("a move is called safe exactly when nothing is lost, whatever the phases and whatever changes with them", () => {
  const seen = { safe: 0, refused: 0 };
  fc.assert(
    fc.property(serverPhase, overrides, fc.option(serverPhase, { freq: 1 }), later, (from, had, to, has) => {
      const [before, after] = [caseOf(from, had), caseOf(to ?? from, has(had))];
      const move = moveOf(before, after);
      const lost = lostBetween(before, after);
      expect({ lost, titles: titles(move), safe: isSafe(move) }).toMatchObject({ safe: lost.length === 0 });
      seen[isSafe(move) ? "safe" : "refused"]++;
    }),
    {
      // Enough to find that a rule of policy/dangers.ts is missing; of the primary only this move shows it, which chance seldom makes.
      numRuns: 600,
      examples: [["scale", { database: { mode: "external" }, cache: { mode: "external" } }, null, toReplica]],
    },
  );
  // Neither answer is given always.
  expect(Math.min(seen.safe, seen.refused)).toBeGreaterThan(120);
});

test("growing with the same overrides loses nothing: no server that holds data is moved, renamed or has another address", () => {
  fc.assert(
    fc.property(serverPhase, serverPhase, overrides, (one, other, { database, ...rest }) => {
      const values = { ...rest, database: { ...(database as Overrides | undefined), primary: "core-1" } };
      const [from, to] = [one, other].sort((a, b) => phases.indexOf(a) - phases.indexOf(b)) as [Phase, Phase];
      const [before, after] = [caseOf(from, values), caseOf(to, values)];
      const move = moveOf(before, after);
      const refused = move.findings.filter(({ severity }) => severity !== "danger").map(({ name }) => name);
      expect(refused).toEqual([]);
      for (const server of before.topology.servers) {
        const { name, role, privateAddress, volumeGb } = server;
        const later = after.topology.servers.find((each) => each.name === name);
        if (volumeGb > 0) expect(later).toMatchObject({ location: server.location });
        expect(later).toMatchObject({ name, role, privateAddress });
        expect(later?.volumeGb).toBeGreaterThanOrEqual(volumeGb);
      }
    }),
    { numRuns: 200 },
  );
});

test("a move to where one is changes nothing, and there and back is as many changes", () => {
  fc.assert(
    fc.property(serverPhase, serverPhase, overrides, (from, to, values) => {
      const [here, there] = [caseOf(from, values), caseOf(to, values)];
      expect(moveOf(here, here)).toEqual({ changes: [], findings: [] });
      const count = (move: ReturnType<typeof moveOf>, action: string) =>
        move.changes.filter((change) => change.action === action).length;
      const [forth, back] = [moveOf(here, there), moveOf(there, here)];
      expect([count(back, "create"), count(back, "delete")]).toEqual([count(forth, "delete"), count(forth, "create")]);
    }),
    { numRuns: 60 },
  );
});
