/** A Redis with Sentinel that could not work is refused, with the numbers. */
import { checkCache } from "../../../config/checks/cache.ts";
import { plan } from "../../../topology/plan.ts";
import { servicesOf } from "../../../topology/topology.ts";
import { settingsOf } from "../support/settings.ts";

const sentinel = { cache: { availability: "sentinel" } };
const scale = settingsOf("scale", sentinel);

test("two servers have no majority", () => {
  expect(checkCache({ ...scale, cache: { ...scale.cache, replicas: 1 } })).toEqual([
    "orion:cache.replicas: got 1, allowed: 2 or more with orion:cache.availability sentinel: 2 servers with Redis, the core server " +
      "and 1 more, have no majority when one of them is lost; it takes 3",
  ]);
  expect(checkCache(scale)).toEqual([]);
});

test("neither has one machine, and clients need the gateway", () => {
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
    /server cache-2: its containers may take 1984 MiB \(cache-replica-cache-2 1536, .*\) and the system 640, cpx12 or cx23 has 2048/,
  );
});
