/** What is said of an external Redis, as a cache and as Celery's broker, from facts about it. */
import { lineOf } from "../../../policy/findings.ts";
import { judgeRedis, type RedisFacts } from "../../../policy/external-redis.ts";
import { externalSettings, redisFacts, urlOf } from "../support/external.ts";

const settings = externalSettings("mvp");

test("cache and broker that fit are told nothing", () => {
  const cache = redisFacts({
    url: urlOf("rediss://app:x@c.example.com/0"),
    runId: "b",
    policy: "allkeys-lru",
    maxMemory: 1,
  });
  expect(judgeRedis({ brokerUrl: redisFacts(), redisUrl: cache }, settings)).toEqual([]);
});

test.each<[string, Partial<RedisFacts>, RegExp]>([
  ["an eviction", { policy: "allkeys-lru" }, /^refused broker\.policy maxmemory-policy is allkeys-lru/],
  ["an unknown policy", { policy: undefined }, /^danger broker\.policy/],
  ["no TLS", { url: urlOf("redis://a:x@h/1"), encrypted: false }, /^refused broker\.tls .*the server speaks TLS there/],
  ["Celery's parameter", { url: urlOf("rediss://a:x@h/1") }, /^refused broker\.tls Celery accepts no/],
  [
    "an unverified server",
    { url: urlOf("rediss://a:x@h/1?ssl_cert_reqs=none") },
    /^danger broker\.tls .*does not verify/,
  ],
  ["a replica", { role: "slave" }, /^refused broker\.writes/],
  ["a cluster", { cluster: true }, /^refused broker\.cluster/],
  ["a user who may not run INFO", { version: "" }, /^danger broker\.version/],
  ["an old version", { version: "5.0.14" }, /^refused broker\.version/],
  ["a newer version", { version: "8.0.1" }, /^danger broker\.version/],
  ["no persistence", { appendOnly: false, snapshots: false }, /^danger broker\.persistence .*nothing to disk/],
  ["snapshots alone", { appendOnly: false }, /^danger broker\.persistence .*now and then/],
  ["rights", { denied: ["brpop", "eval"] }, /^refused broker\.rights .*brpop; eval/],
  ["clients", { clients: 950 }, /^danger broker\.clients/],
])("the broker: %s", (_, change, expected) => {
  expect(
    judgeRedis({ brokerUrl: redisFacts(change) }, settings).map((one) => `${one.severity} ${lineOf(one)}`),
  ).toEqual([expect.stringMatching(expected)]);
});

test("cache and broker in one server", () => {
  const names = (cache: string) =>
    judgeRedis(
      { brokerUrl: redisFacts(), redisUrl: redisFacts({ url: urlOf(`rediss://a:x@h/${cache}`) }) },
      settings,
    ).map(({ severity, name }) => `${severity} ${name}`);
  expect(names("0")).toEqual(["danger broker.database"]);
  expect(names("1")).toEqual(["refused broker.database"]);
});
