/** Any valid configuration composes; any invalid one fails with a message that names the key, the value and what is allowed. */
import fc from "fast-check";
import { Platform } from "../../../components/platform.ts";
import { parseConfig } from "../../../config/parse.ts";
import { optionalServices, type OptionalService, type Phase, phases, type Settings } from "../../../config/schema.ts";
import { plan } from "../../../topology/plan.ts";
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

const concurrency = fc.integer({ min: 1, max: 64 });
const common = {
  app: fc.record(
    {
      image: fc.constantFrom("registry.example.com/team/app:1.2.3", "localhost:5000/app", "app:1"),
      instances: fc.integer({ min: 1, max: 16 }),
      uvicornWorkers: fc.integer({ min: 1, max: 64 }),
      memoryMb: fc.integer({ min: 32, max: 262_144 }),
      environment: fc.dictionary(fc.stringMatching(/^[A-Z][A-Z0-9_]{0,9}$/), fc.string()),
    },
    { requiredKeys: [] },
  ),
  workers: fc.record(
    {
      dedicated: fc.boolean(),
      concurrency: fc.record(
        { default: concurrency, imports: concurrency, emails: concurrency, reports: concurrency },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  ),
  database: fc.record({ memoryMb: fc.integer({ min: 32, max: 65_536 }) }, { requiredKeys: [] }),
  email: fc.record(
    {
      backend: fc.constantFrom("console", "smtp", "sendgrid", "mailgun", "ses"),
      smtpHost: fc.constant("smtp.example.com"),
      smtpPort: fc.integer({ min: 1, max: 65535 }),
    },
    { requiredKeys: ["smtpHost"] },
  ),
};

const validValues = (phase: Phase): fc.Arbitrary<Record<string, unknown>> =>
  fc
    .record<Record<string, unknown>>(phase === "development" ? { ...common, services, ports } : common, {
      requiredKeys: [],
    })
    .map((values) => ({ ...leastValues(phase), ...values }));

const composed = (settings: Settings) =>
  compose("preview", () => {
    const topology = plan("test", settings);
    return new Platform("orion", { settings, topology, builtImages, secret: () => undefined });
  });

test.each([
  ["development", 15],
  ["mvp", 8],
] as const)(
  "any valid configuration of phase %s composes, with a container for each service of its plan",
  async (phase, numRuns) => {
    await fc.assert(
      fc.asyncProperty(validValues(phase), async (values) => {
        const { settings } = parseConfig({ values, secrets: new Set() });
        const { resources } = await composed(settings);
        const made = resources.filter(({ type }) => type === "docker:index/container:Container").map(serviceOf);
        const planned = plan("test", settings).services.filter(({ kind }) => kind !== "release");
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
      const { settings } = parseConfig({ values, secrets: new Set() });
      const { servers, services: planned } = plan("test", settings);
      const unique = (list: readonly unknown[]) => new Set(list).size === list.length;
      expect(unique(planned.map(({ name }) => name))).toBe(true);
      expect(unique(planned.map(({ container }) => container))).toBe(true);
      expect(unique(servers.map(({ privateAddress }) => privateAddress))).toBe(true);
      const places = planned.flatMap(({ server, published }) => published.map(({ port }) => `${server}:${port}`));
      expect(unique(places)).toBe(true);
      const known = new Set([...servers.map(({ name }) => name), ...(phase === "development" ? ["local"] : [])]);
      expect(planned.filter(({ server }) => !known.has(server))).toEqual([]);
    }),
    100,
  );
});

test.each(["scale", "enterprise", "ha"] as const)("phase %s says that it is not built yet", async (phase) => {
  const { settings } = parseConfig({ values: leastValues(phase), secrets: new Set() });
  await expect(composed(settings)).rejects.toThrow(/not built yet/);
});

/** One mistake in an otherwise valid configuration: the key that the message has to name, and the wrong value. */
const mistakes: fc.Arbitrary<{ readonly key: string; readonly value: unknown }> = fc.oneof(
  fc.record({
    key: fc.stringMatching(/^[a-z]{3,9}X$/),
    value: fc.oneof(fc.integer(), fc.string({ minLength: 1 }), fc.boolean()),
  }),
  fc.record({
    key: fc.constantFrom("app.instances", "app.uvicornWorkers", "workers.concurrency.emails", "ports.edge"),
    value: fc.oneof(
      fc.integer({ max: 0 }),
      fc.integer({ min: 65_536 }),
      fc.double({ min: 1.1, max: 1.9 }),
      fc.boolean(),
    ),
  }),
  fc.record({
    key: fc.constantFrom(
      "database.mode",
      "cache.mode",
      "edge.tls",
      "storage.backend",
      "cloudflare.plan",
      "email.backend",
    ),
    value: fc.oneof(fc.stringMatching(/^[a-z]{3,8}X$/), fc.integer()),
  }),
  fc.record({ key: fc.constantFrom("services.0"), value: fc.stringMatching(/^[a-z]{3,8}X$/) }),
  fc.record({ key: fc.constantFrom("dockerHost", "app.image"), value: fc.stringMatching(/^[A-Z]{3,8} !$/) }),
);

test("any mistake is refused with its key, its value and what is allowed", () => {
  check(
    fc.property(fc.constantFrom(...phases), mistakes, (phase, { key, value }) => {
      const message = refusalOf(withMistake(leastValues(phase), key.split("."), value));
      expect(message).toContain(`orion:${key}: got ${JSON.stringify(value)}, allowed: `);
    }),
    300,
  );
});

function withMistake(
  values: Record<string, unknown>,
  path: readonly string[],
  value: unknown,
): Record<string, unknown> {
  const [key = "", ...rest] = path;
  if (rest.length === 0) return { ...values, [key]: value };
  if (rest[0] === "0") return { ...values, [key]: [value] };
  return { ...values, [key]: withMistake((values[key] ?? {}) as Record<string, unknown>, rest, value) };
}
