/** Builds redis.conf for the cache, the broker, or a Redis that is both, and the commands that apply it to a running one. Pure. */
import { redisFile } from "../../common/redis-contract.ts";
import { type GroupMember, replicaLagSeconds } from "./redis-group.ts";
import { redisPorts } from "../../topology/services/redis.ts";

/** `cache` may evict, `broker` must not: it would lose tasks. `all` is both, so it must not evict either. */
export type RedisUse = "cache" | "broker" | "all";

export interface RedisSettings {
  readonly use: RedisUse;
  /** Memory for the data, in MiB. */
  readonly maxMemoryMb: number;
  /** Whether clients have to speak TLS. */
  readonly tls: boolean;
  /** Whether clients of the version without users are let in: by their password, and without TLS. */
  readonly formerClients: boolean;
  /** The group that it belongs to. @default - it stands alone */
  readonly member?: GroupMember | undefined;
}

/** In memory, and writable for every user of the container: the health check and people connect there. */
export const redisSocket = "/dev/shm/redis.sock";

/** Names of the live files with certificate, key and authority. */
export const tlsFiles = { certificate: "tls.crt", key: "tls.key", authority: "ca.crt" } as const;

/** The live file with the login at a master: secrets, in the form of redis.conf. */
export const replicationFile = "replication.conf";

/** What is read at the start only. */
const fixedSettings = ({ formerClients, member }: RedisSettings): Readonly<Record<string, string>> => ({
  // The start script says which server is the master; it asks the Sentinels.
  ...(member && { include: redisFile(replicationFile) }),
  dir: "/data",
  unixsocket: redisSocket,
  unixsocketperm: "777",
  aclfile: redisFile(formerClients ? "former.acl" : "users.acl"),
  bind: "* -::*",
});

/** What a running Redis takes over. */
const liveSettings = ({
  use,
  maxMemoryMb,
  tls,
  formerClients,
  member,
}: RedisSettings): Readonly<Record<string, string>> => ({
  port: String(tls && !formerClients ? 0 : redisPorts.redis),
  maxmemory: `${maxMemoryMb}mb`,
  "maxmemory-policy": use === "cache" ? "allkeys-lru" : "noeviction",
  appendonly: "yes",
  // A task that was acknowledged is on the disk; a cache may lose its last second.
  appendfsync: use === "broker" ? "always" : "everysec",
  // When the server runs out of memory, the kernel kills PostgreSQL last, and a process that saves or rewrites first.
  "oom-score-adj": "absolute",
  "oom-score-adj-values": "200 200 800",
  ...(tls && {
    "tls-cert-file": redisFile(tlsFiles.certificate),
    "tls-key-file": redisFile(tlsFiles.key),
    "tls-ca-cert-file": redisFile(tlsFiles.authority),
    // Clients show a password, not a certificate.
    "tls-auth-clients": "no",
    "tls-protocols": "TLSv1.2 TLSv1.3",
    "tls-port": String(redisPorts.tls),
  }),
  ...(member && {
    // The container's own address means nothing to others.
    "replica-announce-ip": member.own.host,
    "replica-announce-port": String(member.own.port),
    "tls-replication": "yes",
    "min-replicas-max-lag": String(replicaLagSeconds),
    // A replica that was away for seconds gets what it missed, not all data again.
    "repl-backlog-size": "16mb",
    // Until a replica has all data, a new master takes no writes: it does not wait five seconds for other replicas to share the transfer.
    "repl-diskless-sync-delay": "0",
    // Within the container's memory: a replica that cannot follow is dropped, and begins again.
    "client-output-buffer-limit": "replica 64mb 32mb 60",
  }),
});

/** The text of redis.conf. */
export const redisConfig = (settings: RedisSettings): string =>
  Object.entries({ ...fixedSettings(settings), ...liveSettings(settings) })
    .map(([key, value]) => `${key} ${value.includes(" ") && key.startsWith("tls-") ? `"${value}"` : value}\n`)
    .join("");

/** The command that applies redis.conf to a running server, in one step; it reads certificates again even if their names are the same. */
export const configCommand = (settings: RedisSettings): string =>
  `CONFIG SET ${Object.entries(liveSettings(settings))
    .map(([key, value]) => `${key} "${value}"`)
    .join(" ")}\n`;
