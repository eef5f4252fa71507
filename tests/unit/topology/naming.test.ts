/** Names and labels: what they say, and which stack names host names can be made of. */
import { labels, lastingLabels, physicalName, serviceName, stackNameProblem } from "../../../topology/naming.ts";

test("a physical name says the stack and what it is", () => {
  expect(physicalName({ stack: "prod" }, "app-fsn1-2")).toBe("orion-prod-app-fsn1-2");
});

test.each([
  ["edge", "local", undefined, "edge"],
  ["app", "local", "2", "app-2"],
  ["edge", "core-1", undefined, "edge-core-1"],
  ["app", "app-fsn1-1", "2", "app-fsn1-1-2"],
  ["worker", "core-1", "emails", "worker-core-1-emails"],
  ["pgbouncer", "app-nbg1-3", undefined, "pgbouncer-app-nbg1-3"],
])("a %s on %s (part %s) is called %4$s", (kind, server, part, name) => {
  expect(serviceName(kind, server, part)).toBe(name);
});

test("labels that last leave the phase out, so that a move replaces nothing", () => {
  const naming = { stack: "prod", phase: "scale" } as const;
  expect(labels(naming, "core")).toEqual({ app: "orion", stack: "prod", role: "core", phase: "scale" });
  expect(lastingLabels(naming, "core")).toEqual({ app: "orion", stack: "prod", role: "core" });
});

describe("a stack's name", () => {
  const problem = (stack: string) => stackNameProblem(stack, ["core-1", "worker-fsn1-1-default"]);

  test.each(["prod", "dev", "eu-1", "a", "a".repeat(35)])("%s makes host names", (stack) => {
    expect(problem(stack)).toBeUndefined();
  });

  test.each(["Prod_EU", "prod.eu", "-prod", "prod-", "", "a".repeat(36)])("%s is refused with the rule", (stack) => {
    expect(problem(stack)).toContain(
      `got "${stack}", allowed: up to 35 lower-case letters, digits and hyphens, a hyphen neither first nor last`,
    );
  });
});
