/** Names and labels: what they say, and which stack names host names can be made of. */
import {
  labels,
  lastingLabels,
  longestStackName,
  physicalName,
  serviceName,
  stackNameProblem,
} from "../../../topology/naming.ts";
import { plan } from "../../../topology/plan.ts";
import { servicesOf } from "../../../topology/topology.ts";
import { settingsOf } from "../support/settings.ts";

test("a physical name says the stack and what it is", () => {
  expect(physicalName({ stack: "prod" }, "app-nbg1-2")).toBe("orion-prod-app-nbg1-2");
});

test.each([
  ["edge", "local", undefined, "edge"],
  ["app", "local", "2", "app-2"],
  ["edge", "core-1", undefined, "edge-core-1"],
  ["app", "app-nbg1-1", "2", "app-nbg1-1-2"],
  ["worker", "core-1", "emails", "worker-core-1-emails"],
  ["pgbouncer", "app-hel1-3", undefined, "pgbouncer-app-hel1-3"],
])("a %s on %s (part %s) is called %4$s", (kind, server, part, name) => {
  expect(serviceName(kind, server, part)).toBe(name);
});

test("labels that last leave the phase out, so that a move replaces nothing", () => {
  const naming = { stack: "prod", phase: "scale" } as const;
  expect(labels(naming, "core")).toEqual({ app: "orion", stack: "prod", role: "core", phase: "scale" });
  expect(lastingLabels(naming, "core")).toEqual({ app: "orion", stack: "prod", role: "core" });
});

/** The longest label of a host name (RFC 1123). */
const longestLabel = 63;

describe("a stack's name", () => {
  test.each(["prod", "dev", "eu-1", "a", "a".repeat(32)])("%s makes host names", (stack) => {
    expect(stackNameProblem(stack)).toBeUndefined();
  });

  test.each(["Prod_EU", "prod.eu", "-prod", "prod-", "", "a".repeat(33)])("%s is refused with the rule", (stack) => {
    expect(stackNameProblem(stack)).toContain(
      `got "${stack}", allowed: up to 32 lower-case letters, digits and hyphens, a hyphen neither first nor last`,
    );
  });

  test("is refused with the command that gives an allowed one", () => {
    expect(stackNameProblem("Prod_EU")).toContain("npx pulumi stack rename prod-eu --stack Prod_EU");
    expect(stackNameProblem(`${"a".repeat(31)}-b`)).toContain(`rename ${"a".repeat(31)} --stack`);
  });

  test("of the greatest length leaves room for every name of the largest stack", () => {
    const most = { servers: { count: 10, types: ["cpx42"] } };
    const values = { app: most, workers: most, database: { maxConnections: 5000 }, hetzner: { locations: ["nbg1"] } };
    const cache = { replicas: 9, servers: ["cpx42"] };
    const { servers, services } = plan("a".repeat(longestStackName), settingsOf("ha", { ...values, cache }));
    const names = [...servers, ...services].map(({ name }) => physicalName({ stack: "a".repeat(32) }, name));
    expect(Math.max(...names.map(({ length }) => length))).toBe(longestLabel);
    expect(names.filter((name) => !/^[a-z0-9-]+$/.test(name))).toEqual([]);
  });

  test("and a queue's of the greatest length make a container's name and label, of characters that Docker takes", () => {
    const queue = `Q_.${"-".repeat(59)}z`;
    const { services } = plan("a".repeat(32), settingsOf("scale", { workers: { queues: [queue], concurrency: {} } }));
    const [worker] = servicesOf({ services }, "worker");
    expect(worker?.name).toBe(`worker-nbg1-1-${queue}`);
    expect(worker?.container).toMatch(/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/);
    expect(worker?.published).toEqual([]);
  });
});
