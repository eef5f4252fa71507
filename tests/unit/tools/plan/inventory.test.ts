import { readFileSync } from "node:fs";
import { priceList } from "../../../../config/prices.ts";
import { chosenStack } from "../../../../tools/chosen-stack.ts";
import { builtPhases } from "../../../../config/presets.ts";
import { phases, type Phase } from "../../../../config/schema.ts";
import { costOf } from "../../../../policy/cost.ts";
import { inventoryOf } from "../../../../tools/plan/inventory.ts";
import { reportOfPlan } from "../../../../tools/plan/report.ts";
import { plan } from "../../../../topology/plan.ts";
import { graphsBetween } from "../../policy/support.ts";
import { settingsOf } from "../../support/settings.ts";

const stackOf = (phase: Phase) => {
  const settings = settingsOf(phase);
  return { settings, topology: plan("prod", settings), secrets: [] };
};

test.each(builtPhases.filter((phase) => phase !== "development"))(
  "the price of phase %s is that of the resources that the program makes",
  async (phase) => {
    const stack = stackOf(phase);
    const { after } = await graphsBetween(stack, stack);
    expect(inventoryOf(stack).cost.monthly).toBeCloseTo(costOf(after).monthly, 2);
  },
);

test.each(phases)("phase %s: every service stands on a machine of the inventory", (phase) => {
  const { servers, services, hosting } = inventoryOf(stackOf(phase));
  const machines = hosting === "local" ? ["local"] : servers.map(({ name }) => name);
  expect(services.filter(({ server }) => !machines.includes(server))).toEqual([]);
});

test("the document of a service says where it runs, what it may use and how it is reached", () => {
  const { services, version } = inventoryOf(stackOf("mvp"));
  expect(version).toBe(1);
  expect(services.find(({ kind }) => kind === "database")).toEqual({
    ...{ name: "database", kind: "database", server: "core-1", runs: "always", keeps: "data", memoryMb: 3072 },
    ports: [{ address: "10.20.1.11", port: 5432, containerPort: 5432 }],
  });
});

test("the report names each server once, with instances together, the price and the account's limits", () => {
  const report = reportOfPlan(inventoryOf(stackOf("enterprise")));
  expect(report.match(/^cache-2 .*cpx12/gm)).toHaveLength(1);
  expect(report).toMatch(/app × 2 +608 MiB each/);
  expect(report).toMatch(/€ per month: \d+\.\d\d/);
  expect(report).toContain("A new account has 5 servers: have the limit raised to 9 or more");
});

test("a local stack costs nothing and needs no account", () => {
  const report = reportOfPlan(inventoryOf(stackOf("development")));
  expect(report).toContain("No cost: it runs on this machine.");
  expect(report).not.toContain("account");
});

test("the prices that README shows are those of the stack file's phases", () => {
  const readme = readFileSync("README.md", "utf8");
  const project = process.cwd();
  for (const phase of ["mvp", "scale", "enterprise", "ha"]) {
    const { servers, cost } = inventoryOf(chosenStack({ root: project, project, stack: "prod" }, phase));
    expect(readme).toMatch(
      new RegExp(`^\\| ${phase}\\b.*\\| ${servers.length} \\| ${cost.monthly.toFixed(2)} \\|`, "m"),
    );
  }
  expect(readme).toContain(priceList.date);
});
