/** A local stack has at least one container: settings with which it would have none are refused. */
import { ConfigError, parseConfig } from "../../../../config/parse.ts";
import { secretKeys } from "../../../../config/schema.ts";
import { plan } from "../../../../topology/plan.ts";
import { lastingServices } from "../../../../topology/topology.ts";

/** Those that settings other than `orion:services` can switch off, and one that they cannot. */
const services = ["cache", "workers", "beat", "flower", "docs"] as const;
const workers = [{}, { enabled: false }, { commands: { beat: [] } }, { commands: { beat: [], flower: [] } }];

/** Every list of some of the services. */
const lists = services.reduce<readonly (readonly string[])[]>(
  (all, service) => [...all, ...all.map((list) => [...list, service])],
  [[]],
);

const cases = lists.flatMap((list) =>
  ["provision", "external"].flatMap((mode) =>
    workers.map((own) => ({ services: list, workers: own, cache: { mode }, database: { mode: "external" } })),
  ),
);

/** The number of its containers; `empty` when it is refused because it would have none, `refused` for another reason. */
function containersOf(values: Readonly<Record<string, unknown>>): number | "empty" | "refused" {
  const secrets = Object.fromEntries(secretKeys.map((key) => [key, "hidden"]));
  try {
    const { settings } = parseConfig({
      values: { phase: "development", ...values, ...secrets },
      secrets: new Set(secretKeys),
    });
    return lastingServices(plan("test", settings)).length;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.includes("at least one service") ? "empty" : "refused";
  }
}

test("an accepted stack with an external database has a container, whatever else is switched off", () => {
  const counts = cases.map((values) => ({ values, containers: containersOf(values) }));
  expect(counts.filter(({ containers }) => containers === 0)).toEqual([]);
  expect(counts.filter(({ containers }) => containers === "empty").length).toBeGreaterThan(10);
});
