/** A Redis with Sentinel that could not work is refused, with the numbers. */
import { checkCache } from "../../../../config/checks/cache.ts";
import { plan } from "../../../../topology/plan.ts";
import { servicesOf } from "../../../../topology/topology.ts";
import { leastValues, refusalOf, settingsOf } from "../../support/settings.ts";

const sentinel = { cache: { availability: "sentinel" } };
const scale = settingsOf("scale", sentinel);

test.each([0, 1])("%d replicas leave no majority when a server is lost", (replicas) => {
  const values = { ...leastValues("enterprise"), cache: { replicas } };
  expect(refusalOf(values)).toContain(
    `orion:cache.replicas: got ${replicas}, allowed: 2 or more: with the core server that makes 3, ` +
      "so that a majority remains when one is lost",
  );
  expect(checkCache(scale)).toEqual([]);
});

test("neither does one machine, and clients need the gateway", () => {
  expect(checkCache({ ...scale, hosting: "local" })[0]).toContain(
    "Sentinel needs 3 servers, and this stack has one machine",
  );
  expect(checkCache({ ...scale, gateway: { ...scale.gateway, enabled: false } })[0]).toContain("orion:gateway.enabled");
});

test("three Sentinels watch, however many replicas there are", () => {
  const topology = plan("prod", settingsOf("scale", { cache: { ...sentinel.cache, replicas: 4 } }));
  expect(servicesOf(topology, "broker-replica")).toHaveLength(4);
  expect(servicesOf(topology, "sentinel").map(({ server }) => server)).toEqual(["core-1", "cache-2", "cache-3"]);
});

test("a server type that is too small for the memory of Redis is refused with the sum", () => {
  const settings = settingsOf("scale", { cache: { ...sentinel.cache, maxMemoryMb: 1024 } });
  expect(() => plan("prod", settings)).toThrow(
    /server cache-2: its containers may take 1984 MiB \(cache-replica-cache-2 1536, .*\) and the system 640, cpx12 of orion:cache.servers has 2048; name types with 2624 or more there, or lower orion:cache.maxMemoryMb \(1024\), orion:cache.brokerMaxMemoryMb \(256\)$/m,
  );
});
