/** Judges what an external Redis has said about itself (guard/check-external.ts), as a cache and as Celery's broker. Pure. */
import type { Settings } from "../config/schema.ts";
import {
  isFacts,
  median,
  type NotReached,
  ofAddress,
  ofNotReached,
  ofTimes,
  type Reached,
  shown,
} from "./external-service.ts";
import { asAgreed, danger, type Finding, refused } from "./findings.ts";

/** `redisUrl`: sessions and cache; `brokerUrl`: tasks and results of Celery. */
export type RedisKey = "redisUrl" | "brokerUrl";

export interface RedisFacts extends Reached {
  /** As Redis says it: 7.0.15. */
  readonly version: string;
  /** Which process answers, so that two URLs of one server are seen. */
  readonly runId: string | undefined;
  readonly role: string;
  readonly cluster: boolean;
  /** `maxmemory-policy`; undefined when the provider does not tell. */
  readonly policy: string | undefined;
  /** Bytes; 0 without a limit. */
  readonly maxMemory: number;
  readonly usedMemory: number;
  /** Whether each change, or a copy now and then, is written to disk; undefined when the provider does not tell. */
  readonly appendOnly: boolean | undefined;
  readonly snapshots: boolean | undefined;
  readonly maxClients: number | undefined;
  readonly clients: number | undefined;
  /** Commands that the user needs and may not run: `brpop`. */
  readonly denied: readonly string[];
}

export type RedisSettings = Pick<Settings, "hosting" | "agreed">;
export type AskedRedis = Readonly<Partial<Record<RedisKey, RedisFacts | NotReached>>>;

/** Users in URLs need Redis 6; the platform is built on 7. */
const oldest = 6;
const own = 7;

const nameOf: Readonly<Record<RedisKey, string>> = { redisUrl: "cache", brokerUrl: "broker" };

export function judgeRedis(asked: AskedRedis, settings: RedisSettings): Finding[] {
  const findings = (["redisUrl", "brokerUrl"] as const).flatMap((key) => {
    const facts = asked[key];
    if (facts === undefined) return [];
    return isFacts(facts) ? ofOne(key, facts, settings) : ofNotReached(nameOf[key], key, facts);
  });
  return asAgreed([...findings, ...ofBoth(asked)], settings.agreed);
}

function ofOne(key: RedisKey, facts: RedisFacts, settings: RedisSettings): Finding[] {
  const what = nameOf[key];
  return [
    ...ofAddress(what, key, facts.url),
    ...ofTls(key, facts, settings),
    ...ofServer(what, key, facts),
    ...(key === "brokerUrl" ? ofBroker(facts) : ofCache(facts)),
    ...ofTimes(what, "Redis", facts),
  ];
}

function ofTls(key: RedisKey, { url, encrypted, offersTls }: RedisFacts, { hosting }: RedisSettings): Finding[] {
  const name = `${nameOf[key]}.tls`;
  const graver = hosting === "local" ? danger : refused;
  if (!encrypted)
    return [
      graver(
        name,
        `orion:${key} is redis://: password and data cross the network in clear text`,
        offersTls
          ? `the server speaks TLS there: rediss://...?ssl_cert_reqs=required`
          : "switch TLS on at the provider, and use rediss://...?ssl_cert_reqs=required",
      ),
    ];
  const { ssl_cert_reqs: verified } = url.parameters;
  if (verified === undefined && key === "brokerUrl")
    return [
      refused(
        name,
        "Celery accepts no rediss:// URL without ssl_cert_reqs",
        "add ?ssl_cert_reqs=required to orion:brokerUrl",
      ),
    ];
  return /none|optional/i.test(verified ?? "")
    ? [
        danger(
          name,
          `orion:${key} does not verify the server (ssl_cert_reqs=${verified ?? ""}): a server that impersonates it would receive the password`,
          "ssl_cert_reqs=required, and ssl_ca_certs with the certificate of its authority if that is no public one",
        ),
      ]
    : [];
}

function ofServer(what: string, key: RedisKey, { version, role, cluster, maxClients, clients }: RedisFacts): Finding[] {
  const major = Number(version.split(".")[0]);
  return [
    ...(version === ""
      ? [danger(`${what}.version`, "the server does not tell its version: the user may not run INFO")]
      : major < oldest
        ? [
            refused(
              `${what}.version`,
              `the server is Redis ${version}, and users in URLs need ${oldest} or later`,
              `create one with Redis ${own} at the provider`,
            ),
          ]
        : major !== own
          ? [danger(`${what}.version`, `the server is Redis ${version}; the platform is tested with ${own}`)]
          : []),
    ...(role === "master" || role === ""
      ? []
      : [
          refused(
            `${what}.writes`,
            "the server is a replica: it refuses every write",
            `put the address of the primary into orion:${key}`,
          ),
        ]),
    ...(cluster
      ? [
          refused(
            `${what}.cluster`,
            "the server is a cluster, which neither Celery nor several databases work with",
            "choose one without cluster mode",
          ),
        ]
      : []),
    ...(maxClients !== undefined && clients !== undefined && clients > maxClients * 0.9
      ? [danger(`${what}.clients`, `${clients} of ${maxClients} connections are in use`, "choose a larger plan")]
      : []),
  ];
}

function ofBroker({ policy, appendOnly, snapshots, denied, maxMemory, usedMemory }: RedisFacts): Finding[] {
  const name = "broker.policy";
  const set = "set maxmemory-policy to noeviction at the provider, or give the broker a Redis of its own";
  return [
    ...(policy === undefined
      ? [
          danger(
            name,
            "the provider does not tell its maxmemory-policy; any but noeviction deletes tasks when the memory is full",
            set,
          ),
        ]
      : policy === "noeviction"
        ? []
        : [
            refused(
              name,
              `maxmemory-policy is ${policy}: when its memory is full, Redis deletes waiting tasks without an error`,
              set,
            ),
          ]),
    ...(appendOnly === false && snapshots === false
      ? [
          danger(
            "broker.persistence",
            "it writes nothing to disk: a restart loses the waiting tasks",
            "switch persistence on at the provider",
          ),
        ]
      : appendOnly === false
        ? [
            danger(
              "broker.persistence",
              "it writes a copy to disk now and then: a crash loses the tasks since",
              "switch the append-only file on at the provider",
            ),
          ]
        : []),
    ...(maxMemory > 0 && usedMemory > maxMemory * 0.9
      ? [
          danger(
            "broker.memory",
            `${Math.round((usedMemory / maxMemory) * 100)} % of its memory is in use; when it is full, new tasks are refused`,
            "choose a larger plan, or find out why tasks pile up",
          ),
        ]
      : []),
    ...ofDenied("broker", "Celery", denied),
  ];
}

const ofCache = ({ policy, maxMemory, denied }: RedisFacts): Finding[] => [
  ...(policy === "noeviction" && maxMemory > 0
    ? [
        danger(
          "cache.policy",
          "maxmemory-policy is noeviction: when its memory is full, sessions and cached values are refused instead of the oldest being dropped",
          "set it to allkeys-lru at the provider",
        ),
      ]
    : []),
  ...ofDenied("cache", "the app", denied),
];

const ofDenied = (what: string, who: string, denied: readonly string[]): Finding[] =>
  denied.length === 0
    ? []
    : [
        refused(
          `${what}.rights`,
          `the user may not run what ${who} needs: ${denied.join("; ")}`,
          "give it all commands of the categories connection, keyspace, string, list, hash, set, sortedset, pubsub, transaction and scripting, and INFO and TIME, for all keys and channels",
        ),
      ];

/** Cache and broker in one server: what one of them wants, the other cannot have. */
function ofBoth({ redisUrl, brokerUrl }: AskedRedis): Finding[] {
  if (!redisUrl || !brokerUrl || !isFacts(redisUrl) || !isFacts(brokerUrl)) return [];
  if (redisUrl.runId === undefined || redisUrl.runId !== brokerUrl.runId) return [];
  const [cache, broker] = [redisUrl, brokerUrl].map(({ url }) => url.database || "0");
  return cache === broker
    ? [
        refused(
          "broker.database",
          `cache and broker are one server and one database (${broker ?? "0"}): clearing the cache deletes the tasks`,
          "give one of the URLs another number, or a server of its own",
        ),
      ]
    : [
        danger(
          "broker.database",
          "cache and broker are one server: a cache that fills its memory leaves no room for tasks",
          "give the broker a server of its own",
        ),
      ];
}

/** What is in order, for people. */
export function rowsOfRedis(facts: RedisFacts): string[] {
  const { host, port } = facts.url;
  return [
    `Redis ${facts.version} at ${host}:${port}, ${facts.encrypted ? "over TLS" : "without TLS"}, maxmemory-policy ${facts.policy ?? "not told"}`,
    `a round trip takes ${shown(median(facts.roundMs))}, a connection ${shown(median(facts.nextMs))}`,
  ];
}
