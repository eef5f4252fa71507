/** Any valid configuration composes; any invalid one fails with a message that names the key, the value and what is allowed. */
import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { accessOf } from "../../../components/access-output.ts";
import { ConfigError, parseConfig } from "../../../config/parse.ts";
import { presets } from "../../../config/presets.ts";
import {
  locations,
  optionalServices,
  type OptionalService,
  type Phase,
  phases,
  secretKeys,
  type Settings,
} from "../../../config/schema.ts";
import type { Graph } from "../../../policy/graph.ts";
import { programOf } from "../../../policy/program.ts";
import { plan } from "../../../topology/plan.ts";
import { commandsFor } from "../../../topology/service-commands.ts";
import type { Topology } from "../../../topology/topology.ts";
import { type Mistake, mistakes, valueOf } from "../support/arbitrary.ts";
import { leastValues, refusalOf } from "../support/settings.ts";
import { images } from "../support/graphs.ts";

/** Checks a property without anything to wait for; assert() of an asynchronous one returns a promise. */
function check<T>(property: fc.IProperty<T>, numRuns: number): void {
  fc.assert(property, { numRuns });
}

/** Services that can run without each other's lack being an error. */
const services = fc.subarray([...optionalServices]).map((wanted) => {
  const on = new Set<OptionalService>(wanted);
  if (on.has("edge")) on.add("app");
  if ((["app", "workers", "beat", "flower"] as const).some((name) => on.has(name))) on.add("cache");
  return [...on];
});

const ports = fc
  .uniqueArray(fc.integer({ min: 1, max: 65535 }), { minLength: 7, maxLength: 7 })
  .map(([database, testDatabase, cache, app, flower, edge, docs]) => ({
    ...{ database, testDatabase, cache, app, flower, edge, docs },
  }));

/**
 * Its own secrets have tests of their own (parse.test.ts): a stack gives values, and the settings have the names alone. So have
 * variables within the environment's values: chance writes none that is one.
 */
const app = valueOf("app").map((values) => {
  const {
    environment = {},
    writable = [],
    ...own
  } = values as { environment?: Readonly<Record<string, unknown>>; writable?: readonly string[] };
  const plain = Object.entries(environment).map(([name, value]) => [
    name,
    typeof value === "string" ? value.replaceAll("$", "$$$$") : value,
  ]);
  return Object.fromEntries(
    Object.entries({
      ...{ ...own, writable: [...new Set(writable)] },
      environment: Object.fromEntries(plain) as object,
    }).filter(([key]) => key !== "secrets"),
  );
});

/** Each queue once, and what belongs to a queue to one of them. */
const workers = valueOf("workers").map((values) => {
  const {
    queues: said,
    dedicated,
    concurrency,
    ...rest
  } = values as {
    queues?: string[];
    dedicated?: boolean | string[];
    concurrency?: Record<string, number>;
  };
  const queues = [...new Set(said ?? presets.mvp.workers.queues)];
  return {
    ...{ ...rest, queues },
    ...(dedicated !== undefined && {
      dedicated: Array.isArray(dedicated) ? queues.slice(0, dedicated.length) : dedicated,
    }),
    ...(concurrency !== undefined && {
      concurrency: Object.fromEntries(
        Object.values(concurrency).map((tasks, at) => [queues[at % queues.length] ?? "", tasks]),
      ),
    }),
  };
});

/** With what each way of sending needs. */
const email = valueOf("email").map((values) => ({
  ...(values as Record<string, unknown>),
  ...{ smtpHost: "smtp.example.com", mailgunDomain: "mg.example.com", sesRegion: "eu-central-1" },
  sesAccessKeyId: "AKIA0123456789ABCDEF",
}));

/** On servers with memory and connections for most of what a stack may say. */
const database = (phase: Phase) =>
  valueOf("database").map((values) => {
    const said = values as {
      memoryMb?: number;
      primary?: string;
      mode?: string;
      availability?: string;
      pooler?: boolean;
    };
    const { memoryMb = 512, primary, availability, pooler, ...rest } = said;
    const large = { servers: ["ccx63"], maxConnections: 5000, memoryMb: Math.min(memoryMb, 32_768) };
    // PgBouncer needs it where an external database can be moved.
    const authority = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n";
    const own = {
      ...{ ...rest, ...large, authority },
      ...(phase !== "development" && availability !== undefined && { availability }),
      // It needs a gateway.
      ...(phase !== "development" && phase !== "mvp" && pooler !== undefined && { pooler }),
    };
    // Where no replica can have been promoted, the primary is the first one.
    const isFirst = phase === "development" || phase === "mvp" || said.mode === "external";
    return isFirst || primary === undefined ? own : { ...own, primary };
  });

/** The same, as far as this version builds it. */
const built = (values: Record<string, unknown>): Record<string, unknown> => {
  const { availability, ...own } = (values["database"] ?? {}) as { availability?: string };
  const isBuilt = availability !== undefined && availability !== "patroni";
  return {
    ...values,
    database: { ...own, ...(isBuilt && { availability }) },
  };
};

interface Planned {
  readonly settings: Settings;
  readonly topology: Topology;
}

/** A plan takes most of the time of these tests, so that each is made once. */
const plans = new WeakMap<Record<string, unknown>, Planned>();

/** Whether a plan has the memory, the connections and the room in placement groups that it needs. */
function fits(values: Record<string, unknown>): boolean {
  const settings = settingsFrom(values);
  try {
    plans.set(values, { settings, topology: plan("test", settings) });
    return true;
  } catch (error) {
    if (error instanceof ConfigError) return false;
    throw error;
  }
}

/** The plan of values that fit. */
function plannedOf(values: Record<string, unknown>): Planned {
  const planned = plans.get(values);
  if (!planned) throw new Error("there is a plan of values that fit only");
  return planned;
}

const hetzner = fc.record(
  { locations: fc.shuffledSubarray([...locations], { minLength: 1 }), loadBalancerType: fc.constant("lb21") },
  { requiredKeys: [] },
);

/**
 * What needs each other at Cloudflare has tests of its own (parse.test.ts).
 *
 * @param change what is changed in all values
 */
const validValues = (
  phase: Phase,
  change: typeof built = (values) => values,
): fc.Arbitrary<Record<string, unknown>> => {
  const generic = ["images", "cache"].map((key) => [key, valueOf(key)]);
  const sections = { ...Object.fromEntries(generic), app, workers, email, database: database(phase) } as Record<
    string,
    fc.Arbitrary<unknown>
  >;
  const more = phase === "development" ? { services, ports, dockerHost: valueOf("dockerHost") } : { hetzner };
  return fc
    .record<Record<string, unknown>>({ ...sections, ...more }, { requiredKeys: [] })
    .map((values) => change({ ...leastValues(phase), ...values, ...roomy(phase, values), ...watched(phase, values) }))
    .filter((values) => !isEmpty(values) && fits(values));
};

/** Sentinel needs three servers with Redis, and the gateway, which phase mvp and a local stack have not. */
const watched = (phase: Phase, { cache }: Record<string, unknown>) => {
  if (cache === undefined) return {};
  const { replicas = 2, ...own } = cache as { readonly replicas?: number };
  const single = (phase === "development" || phase === "mvp") && { availability: "single" };
  return { cache: { ...own, replicas: Math.max(2, replicas), ...single } };
};

/** A database that names no servers is on those of the preset, which are too small for most of the rest. */
const roomy = (phase: Phase, { database: said, app, edge }: Record<string, unknown>) => {
  const onServers = phase !== "development" && (app as { servers?: unknown } | undefined)?.servers !== undefined;
  return {
    database: { servers: ["ccx63"], memoryMb: 512, maxConnections: 5000, ...(said as object | undefined) },
    // Several servers with edges need a load balancer in front of them.
    ...(onServers && { edge: { balancing: "regional", ...(edge as object | undefined) } }),
  };
};

/** No container at all, which is refused (parse.test.ts): the database elsewhere, and no service that runs. */
const isEmpty = (values: Record<string, unknown>): boolean => {
  const isExternal = (own: unknown) => (own as { mode?: string } | undefined)?.mode === "external";
  const { enabled = true, commands = {} } = (values["workers"] ?? {}) as {
    enabled?: boolean;
    commands?: Readonly<Record<string, readonly string[]>>;
  };
  const runs = (service: string) => {
    if (service === "cache") return !isExternal(values["cache"]);
    return !["workers", "beat", "flower"].includes(service) || (enabled && commands[service]?.length !== 0);
  };
  const listed = values["services"] as readonly string[] | undefined;
  return listed !== undefined && !listed.some(runs) && isExternal(values["database"]);
};

/** With every secret set, so that external services and providers have theirs. */
const settingsFrom = (values: Record<string, unknown>): Settings =>
  parseConfig({
    values: { ...values, ...Object.fromEntries(secretKeys.map((key) => [key, "hidden"])) },
    secrets: new Set(secretKeys),
  }).settings;

/** The program's graph, which has a container for each lasting service of the plan and breaks no rule, or it throws. */
const composed = (planned: Planned): Promise<Graph> =>
  programOf({ ...planned, secrets: secretKeys }, "preview", images);

test.each([
  ["development", 10],
  ["mvp", 5],
  ["scale", 3],
] as const)(
  "any valid configuration of phase %s composes, with a container for each service of its plan, and breaks no rule",
  async (phase, numRuns) => {
    await fc.assert(
      fc.asyncProperty(validValues(phase, built), async (values) => {
        const { resources } = await composed(plannedOf(values));
        expect(resources.length).toBeGreaterThan(1);
      }),
      { numRuns },
    );
  },
  180_000,
);

test.each(phases)("any valid configuration of phase %s gives a plan without contradictions", (phase) => {
  check(
    fc.property(validValues(phase), (values) => {
      const { topology } = plannedOf(values);
      const { servers, services: planned, loadBalancers } = topology;
      const unique = (list: readonly unknown[]) => new Set(list).size === list.length;
      expect(unique(planned.map(({ name }) => name))).toBe(true);
      expect(unique(planned.map(({ container }) => container))).toBe(true);
      expect(unique(servers.map(({ privateAddress }) => privateAddress))).toBe(true);
      const places = planned.flatMap(({ server, published }) => published.map(({ port }) => `${server}:${port}`));
      expect(unique(places)).toBe(true);
      expect(unique(loadBalancers.map(({ name }) => name))).toBe(true);
      const known = new Set([...servers.map(({ name }) => name), ...(phase === "development" ? ["local"] : [])]);
      expect(planned.filter(({ server }) => !known.has(server))).toEqual([]);
      expect(commandsIn(topology)).toBe(commandsOf(topology));
    }),
    100,
  );
});

/** Commands in the output `access` of a stack whose servers all have a login. */
const commandsIn = (topology: Topology): number =>
  Object.values(
    accessOf(topology, Object.fromEntries(topology.servers.map(({ name }) => [name, pulumi.output([name])]))),
  ).reduce((sum, commands) => sum + Object.keys(commands).length, 0);

/** Five of each server, one of the server with Flower, and those of each service: no name may hide another one's. */
const commandsOf = (topology: Topology): number =>
  topology.services
    .filter(({ kind }) => kind !== "release")
    .reduce((sum, service) => sum + commandsFor(topology, service).length, 5 * topology.servers.length) +
  topology.services.filter(({ kind, server }) => kind === "flower" && server !== "local").length;

test("phase ha says that it is not built yet", async () => {
  const { settings } = parseConfig({ values: leastValues("ha"), secrets: new Set() });
  await expect(composed({ settings, topology: plan("test", settings) })).rejects.toThrow(
    /which this version plans but cannot bring up yet. Nothing was changed. Choose one of the phases development, mvp, scale, enterprise,/,
  );
});

test("any mistake is refused with its key, its value and what is allowed", () => {
  // Every key in every phase, instead of twice as many by chance, among which an eighth of these pairs would be missing.
  const all = mistakes();
  expect(all.length).toBeGreaterThan(150);
  const isTold = (phase: Phase, { path, value }: Mistake): boolean => {
    if (path[0] === "app" && path[1] === "secrets") return true;
    const message = refusalOf(withMistake(leastValues(phase), path, value));
    const names = message.includes(`orion:${path.join(".")}: got ${JSON.stringify(value)}, allowed: `);
    return names && !/allowed: *($|undefined)|\[object|Invalid/m.test(message);
  };
  check(
    fc.property(fc.tuple(...all), (each) => {
      const untold = phases.flatMap((phase) =>
        each.filter((one) => !isTold(phase, one)).map((one) => ({ phase, one })),
      );
      expect(untold).toEqual([]);
    }),
    1,
  );
});

function withMistake(
  values: Record<string, unknown>,
  path: readonly string[],
  value: unknown,
): Record<string, unknown> {
  const [key = "", ...rest] = path;
  if (rest.length === 0) return { ...values, [key]: value };
  if (rest[0] === "0" && rest.length === 1) return { ...values, [key]: [value] };
  return { ...values, [key]: withMistake((values[key] ?? {}) as Record<string, unknown>, rest, value) };
}
