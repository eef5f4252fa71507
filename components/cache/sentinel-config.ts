/** Sentinel's configuration and users. Pure. */
import { sentinelFile } from "../../common/redis-contract.ts";
import { sentinelPorts } from "../../topology/services/sentinel.ts";
import type { Address } from "../published-address.ts";
import { tlsFiles } from "./redis-config.ts";
import { downAfterSeconds, failoverTimeoutSeconds, type RedisGroup, sentinelQuorum, written } from "./redis-group.ts";
import type { RedisUser } from "./users.ts";

/**
 * Users of the Sentinels. `peer`: the other Sentinels; `server`: a Redis, which asks for its master; `gateway`: the proxies, which ask
 * for the master as well; `monitor`: health check and `make doctor`; `admin`: people.
 */
export type SentinelLogin = "peer" | "server" | "gateway" | "monitor" | "admin";

/** In memory, and writable for every user of the container: the health check and people connect there. */
export const sentinelSocket = "/dev/shm/sentinel.sock";

/** The folder with what a Sentinel has learnt: masters, replicas, other Sentinels and elections. */
export const sentinelData = "/data";

const readRights = ["masters", "master", "replicas", "slaves", "sentinels", "ckquorum", "get-master-addr-by-name"].map(
  (command) => `+sentinel|${command}`,
);

const rights: Readonly<Record<SentinelLogin, readonly string[]>> = {
  peer: ["&__sentinel__:hello", "+ping", "+publish", "+client|setname", "+hello", "+sentinel|is-master-down-by-addr"],
  // `failover`: for the script `lead`, with which people make this server the master.
  server: ["+ping", "+sentinel|get-master-addr-by-name", "+sentinel|replicas", "+sentinel|failover"],
  gateway: ["+ping", "+sentinel|get-master-addr-by-name"],
  monitor: ["+ping", "+info", "+acl|log", "+acl|whoami", ...readRights],
  admin: ["&*", "+@all"],
};

/** The users of a Sentinel. The user `default` is off, so that every client needs a name and a password. */
export const sentinelUsers = (passwords: Readonly<Record<SentinelLogin, string>>): readonly RedisUser[] => [
  { name: "default", rules: [] },
  ...(["peer", "server", "gateway", "monitor", "admin"] as const).map((name) => ({
    ...{ name, password: passwords[name], rules: rights[name] },
  })),
];

const lines = (settings: readonly (readonly string[])[]): string =>
  settings.map((words) => `${words.join(" ")}\n`).join("");

/** The settings that only the program changes; a Sentinel reads them at each start. @param own where others reach the Sentinel */
export const sentinelBase = (own: Address): string =>
  lines([
    ["dir", sentinelData],
    ["unixsocket", sentinelSocket],
    ["unixsocketperm", "777"],
    ["port", "0"],
    ["tls-port", String(sentinelPorts.sentinel)],
    ["tls-cert-file", sentinelFile(tlsFiles.certificate)],
    ["tls-key-file", sentinelFile(tlsFiles.key)],
    ["tls-ca-cert-file", sentinelFile(tlsFiles.authority)],
    // Clients show a password, not a certificate.
    ["tls-auth-clients", "no"],
    ["tls-protocols", '"TLSv1.2 TLSv1.3"'],
    // Its own connections to servers and other Sentinels speak TLS too.
    ["tls-replication", "yes"],
    ["protected-mode", "no"],
    ["aclfile", sentinelFile("users.acl")],
    ["sentinel", "announce-ip", own.host],
    ["sentinel", "announce-port", String(own.port)],
    // Addresses alone: a name that cannot be resolved when its container is gone would stop a failover.
    ["sentinel", "resolve-hostnames", "no"],
    ["sentinel", "deny-scripts-reconfig", "yes"],
  ]);

/** The masters that a Sentinel begins with. */
export const firstMasters = (groups: readonly RedisGroup[]): string =>
  lines(groups.map(({ name, first }) => ["sentinel", "monitor", name, written(first), String(sentinelQuorum)]));

/** How the groups are watched, with the Sentinels' logins. @param roles password of the user `sentinel` of each group's servers */
export const groupSettings = (
  groups: readonly RedisGroup[],
  peerPassword: string,
  roles: Readonly<Record<string, string>>,
): string =>
  lines([
    ["sentinel", "sentinel-user", "peer"],
    ["sentinel", "sentinel-pass", peerPassword],
    ...groups.flatMap(({ name }) => [
      ["sentinel", "auth-user", name, "sentinel"],
      ["sentinel", "auth-pass", name, roles[name] ?? ""],
      ["sentinel", "down-after-milliseconds", name, String(downAfterSeconds * 1000)],
      ["sentinel", "failover-timeout", name, String(failoverTimeoutSeconds * 1000)],
      ["sentinel", "parallel-syncs", name, "1"],
    ]),
  ]);
