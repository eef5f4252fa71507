/** Any valid configuration composes; any invalid one fails with a message that names the key, the value and what is allowed. */
import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { Platform } from "../../../components/platform.ts";
import { parseConfig } from "../../../config/parse.ts";
import {
  locations,
  optionalServices,
  type OptionalService,
  type Phase,
  phases,
  type SecretKey,
  secretKeys,
  type Settings,
} from "../../../config/schema.ts";
import { plan } from "../../../topology/plan.ts";
import { lastingServices } from "../../../topology/topology.ts";
import { mistakes, valueOf } from "../support/arbitrary.ts";
import { compose, type Recorded } from "../support/compose.ts";
import { leastValues, refusalOf } from "../support/settings.ts";

const builtImages = { app: "orion/sample-app:test", docs: "orion/docs:test" };
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

/** With what each way of sending needs. */
const email = valueOf("email").map((values) => ({
  ...(values as Record<string, unknown>),
  ...{ smtpHost: "smtp.example.com", mailgunDomain: "mg.example.com", sesRegion: "eu-central-1" },
  sesAccessKeyId: "AKIA0123456789ABCDEF",
}));

const database = (phase: Phase) =>
  valueOf("database").map((values) => {
    // The memory of server types that nobody has heard of has to be said.
    const said = values as { replicas?: number; memoryMb?: number; primary?: string; mode?: string };
    const { replicas = 0, memoryMb = 512, primary, ...rest } = said;
    const own = { ...rest, memoryMb, replicas: Math.min(replicas, phase === "ha" ? 2 : 1) };
    // Where no replica can have been promoted, there is no other primary.
    const isFirst = phase === "development" || phase === "mvp" || said.mode === "external";
    return isFirst || primary === undefined ? own : { ...own, primary };
  });

const hetzner = fc.record(
  { locations: fc.shuffledSubarray([...locations], { minLength: 1 }), loadBalancerType: fc.constant("lb21") },
  { requiredKeys: [] },
);

/** What needs each other at Cloudflare has tests of its own (parse.test.ts). */
const validValues = (phase: Phase): fc.Arbitrary<Record<string, unknown>> => {
  const generic = ["images", "app", "workers", "cache"].map((key) => [key, valueOf(key)]);
  const sections = { ...Object.fromEntries(generic), email, database: database(phase) } as Record<
    string,
    fc.Arbitrary<unknown>
  >;
  const more = phase === "development" ? { services, ports, dockerHost: valueOf("dockerHost") } : { hetzner };
  return fc
    .record<Record<string, unknown>>({ ...sections, ...more }, { requiredKeys: [] })
    .map((values) => ({ ...leastValues(phase), ...values }))
    .filter((values) => !isEmpty(values));
};

/** Nothing at all: the database elsewhere, and no other service. */
const isEmpty = (values: { database?: unknown; services?: unknown; cache?: unknown }): boolean => {
  const isExternal = (own: unknown) => (own as { mode?: string } | undefined)?.mode === "external";
  const runs = (service: unknown) => service !== "cache" || !isExternal(values.cache);
  return Array.isArray(values.services) && !values.services.some(runs) && isExternal(values.database);
};

/** With every secret set, so that external services and providers have theirs. */
const settingsFrom = (values: Record<string, unknown>): Settings =>
  parseConfig({
    values: { ...values, ...Object.fromEntries(secretKeys.map((key) => [key, "hidden"])) },
    secrets: new Set(secretKeys),
  }).settings;

const composed = (settings: Settings) =>
  compose("preview", () => {
    const topology = plan("test", settings);
    const secret = (key: SecretKey) =>
      pulumi.secret(key === "databaseUrl" ? "postgresql://u:p@db.example.com/o" : "hidden");
    return new Platform("orion", { settings, topology, builtImages, secret });
  });

test.each([
  ["development", 10],
  ["mvp", 5],
  ["scale", 3],
] as const)(
  "any valid configuration of phase %s composes, with a container for each service of its plan",
  async (phase, numRuns) => {
    await fc.assert(
      fc.asyncProperty(validValues(phase), async (values) => {
        const settings = settingsFrom(values);
        const { resources } = await composed(settings);
        const made = resources.filter(({ type }) => type === "docker:index/container:Container").map(serviceOf);
        const planned = lastingServices(plan("test", settings));
        expect(made.sort()).toEqual(planned.map(({ name }) => name).sort());
      }),
      { numRuns },
    );
  },
  60_000,
);

/** The service that a container is of, as its label says. */
function serviceOf({ inputs }: Recorded): string {
  const labels = inputs["labels"] as { readonly label: string; readonly value: string }[];
  return labels.find(({ label }) => label === "service")?.value ?? "";
}

test.each(phases)("any valid configuration of phase %s gives a plan without contradictions", (phase) => {
  check(
    fc.property(validValues(phase), (values) => {
      const { servers, services: planned, loadBalancers } = plan("test", settingsFrom(values));
      const unique = (list: readonly unknown[]) => new Set(list).size === list.length;
      expect(unique(planned.map(({ name }) => name))).toBe(true);
      expect(unique(planned.map(({ container }) => container))).toBe(true);
      expect(unique(servers.map(({ privateAddress }) => privateAddress))).toBe(true);
      const places = planned.flatMap(({ server, published }) => published.map(({ port }) => `${server}:${port}`));
      expect(unique(places)).toBe(true);
      expect(unique(loadBalancers.map(({ name }) => name))).toBe(true);
      const known = new Set([...servers.map(({ name }) => name), ...(phase === "development" ? ["local"] : [])]);
      expect(planned.filter(({ server }) => !known.has(server))).toEqual([]);
    }),
    100,
  );
});

test.each(["enterprise", "ha"] as const)("phase %s says that it is not built yet", async (phase) => {
  const { settings } = parseConfig({ values: leastValues(phase), secrets: new Set() });
  await expect(composed(settings)).rejects.toThrow(/not built yet/);
});

test("any mistake is refused with its key, its value and what is allowed", () => {
  check(
    fc.property(fc.constantFrom(...phases), mistakes(), (phase, { path, value }) => {
      const message = refusalOf(withMistake(leastValues(phase), path, value));
      expect(message).toContain(`orion:${path.join(".")}: got ${JSON.stringify(value)}, allowed: `);
      expect(message).not.toMatch(/allowed: *($|undefined)|\[object|Invalid/m);
    }),
    2000,
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
