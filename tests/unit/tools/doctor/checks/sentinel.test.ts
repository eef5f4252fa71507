/** What `make doctor` says of Sentinels, and of the servers that they watch. */
import { replicationOf } from "../../../../../tools/doctor/checks/redis.ts";
import { checkSentinel } from "../../../../../tools/doctor/checks/sentinel.ts";
import { plan } from "../../../../../topology/plan.ts";
import { servicesOf } from "../../../../../topology/topology.ts";
import { settingsOf } from "../../../support/settings.ts";

const topology = plan("prod", settingsOf("scale", { cache: { availability: "sentinel" } }));
const [service] = servicesOf(topology, "sentinel");
const master = (more: object = {}) => ({
  ...{ name: "cache", ip: "10.20.1.11", port: "6381", flags: "master", "num-slaves": "2", "num-other-sentinels": "2" },
  ...more,
});

/** @param others what the other Sentinels see */
function check(own: object, others: object = own, quorum = "OK 3 usable Sentinels.") {
  if (!service) throw new Error("there is no Sentinel");
  return checkSentinel({
    ...{ service, topology },
    workers: () => Promise.reject(new Error("no worker is asked")),
    exec: (of, ...command) =>
      Promise.resolve({
        ok: true,
        output: command.includes("ckquorum") ? quorum : JSON.stringify([of.name === service.name ? own : others]),
      }),
  });
}

test("a Sentinel that agrees with the others and sees the master is well", async () => {
  expect(await check(master())).toEqual({ detail: "cache: core-1, 2 replicas, 2 other Sentinels" });
});

test.each([
  ["sentinel-quorum", check(master(), master(), "NOQUORUM 1 usable Sentinels.")],
  ["sentinel-disagree", check(master(), master({ ip: "10.20.1.32" }))],
  ["redis-master-down", check(master({ flags: "s_down,master" }))],
])("%s", async (problem, found) => {
  expect(await found).toMatchObject({ problem });
});

test("who names whom is said", async () => {
  expect((await check(master(), master({ ip: "10.20.1.32" }))).detail).toContain(
    "sentinel-cache-2 names 10.20.1.32:6381 as the master of cache, this one 10.20.1.11:6381",
  );
});

describe("a server that Sentinels watch", () => {
  const replica = (n: number, lag = 0) => `slave${n}:ip=10.20.1.3${n},port=6381,state=online,offset=1,lag=${lag}\r\n`;
  const asMaster = (...replicas: string[]) => `role:master\r\nmin_slaves_good_slaves:2\r\n${replicas.join("")}`;

  test.each([
    [asMaster(replica(2), replica(3)), undefined],
    [asMaster(replica(2)), "redis-replica-behind"],
    [asMaster(replica(2), replica(3, 60)), "redis-replica-behind"],
    [`role:master\r\n${replica(2)}${replica(3)}`, "redis-unguarded"],
    ["role:slave\r\nmaster_host:10.20.1.11\r\nmaster_link_status:up\r\n", undefined],
    ["role:slave\r\nmaster_host:10.20.1.11\r\nmaster_link_status:down\r\n", "redis-replica-behind"],
  ])("%#: %j", (info, problem) => {
    expect(replicationOf(info, 2).problem).toBe(problem);
  });
});
