/** The users of a Redis: what each purpose may do, as Redis' access control lists (ACL) say it. Pure. */
import { createHash } from "node:crypto";
import type { RedisUse } from "./redis-config.ts";

/** The purposes that a process of the platform's image connects for; Beat connects as `worker`. */
export type RedisClient = "app" | "worker" | "flower";

/** Roles of Redis' own processes; they have passwords where Sentinel watches. */
export type RedisRole = "replica" | "sentinel";

/** Users with a password of their own. */
export type RedisLogin = RedisClient | "monitor" | "admin";

export interface RedisUser {
  readonly name: string;
  /** @default - nobody can log in as this user */
  readonly password?: string;
  /** ACL rules, applied to a user without any right. */
  readonly rules: readonly string[];
}

export interface UsersArgs {
  readonly use: RedisUse;
  readonly passwords: Readonly<Record<RedisLogin, string>>;
  /** Key patterns of the broker that the app may use besides Celery's own. @default - none */
  readonly appKeys?: readonly string[];
  /** @default - no replica and no Sentinel logs in */
  readonly roles?: Readonly<Record<RedisRole, string>> | undefined;
}

/**
 * All commands for data, and none that deletes everything, reads or changes the configuration, stops the server, or stops it
 * for everybody else (`KEYS`). Of Redis' category `dangerous` clients get `INFO` and `SORT` back: libraries use them.
 */
const dataCommands = [
  ...["+@all", "-@admin", "-@dangerous", "+info", "+sort", "+sort_ro"],
  ...["-function", "-script|flush", "-script|kill", "-script|debug"],
];

/** Keys of Celery and kombu that every client reads and writes: bindings, answers of workers, results, locks. */
const celeryKeys = ["~_kombu.*", "~*.reply.celery.pidbox*", "~unacked_mutex"];
const resultKeys = ["~celery-task-meta-*", "~celery-taskset-meta-*", "~chord-unlock-*"];

/** kombu looks for tasks that were taken and not acknowledged in time, in every process that waits for an answer. */
const overdueTasks = "(%R~unacked_index +zrange +zrevrangebyscore)";

const everything = ["~*", "&*", ...dataCommands];

/** Nothing but to be connected: a URL that an image insists on works, and gives no access. */
const nothing = ["+@connection", "-@admin", "-@dangerous"];

const inBroker: Readonly<Record<RedisClient, (appKeys: readonly string[]) => readonly string[]>> = {
  // Adds tasks, and neither reads nor removes those of others.
  app: (appKeys) => [
    ...["&*", ...celeryKeys, ...resultKeys, ...appKeys.map((pattern) => `~${pattern}`), ...dataCommands],
    ...["(~* +lpush +llen +exists +type)", overdueTasks],
  ],
  worker: () => everything,
  // Sees events, queue lengths and results, and sends workers commands; adds and removes no task.
  flower: () => [
    ...["&*", ...celeryKeys, ...dataCommands],
    ...["(%R~* +llen +exists +type)", "(%R~celery-task-meta-* %R~celery-taskset-meta-* +get +mget)", overdueTasks],
  ],
};

/** The rights of a client: Redis' lists know no databases, so a Redis that is cache and broker gives the sum of both. */
export function rightsOf(client: RedisClient, use: RedisUse, appKeys: readonly string[] = []): readonly string[] {
  if (client === "flower") return use === "cache" ? nothing : inBroker.flower([]);
  return use === "broker" ? inBroker[client](appKeys) : everything;
}

const monitorRights = [
  ...["%R~*", "+ping", "+select", "+info", "+dbsize", "+llen", "+hlen", "+zcard", "+zcount"],
  ...["+acl|log", "+acl|whoami", "+slowlog|get", "+slowlog|len", "+latency|latest", "+memory|stats"],
];

/** The rights of Redis' own processes, as its documentation gives them. */
const roleRights: Readonly<Record<RedisRole, readonly string[]>> = {
  replica: ["+psync", "+replconf", "+ping"],
  sentinel: [
    ...["&*", "+multi", "+exec", "+ping", "+info", "+role", "+publish", "+subscribe", "+replicaof", "+slaveof"],
    ...["+config|rewrite", "+client|setname", "+client|kill", "+script|kill"],
  ],
};

const all = ["~*", "&*", "+@all"];

/**
 * The users of a Redis. `default` is off, so that nobody can log in as it. It needs its rights nevertheless: Redis reads the
 * append-only file as `default`, and leaves out every transaction in it that this user may not make.
 */
export const redisUsers = ({ use, passwords, appKeys, roles }: UsersArgs): readonly RedisUser[] => [
  { name: "default", rules: all },
  ...(["app", "worker", "flower"] as const).map((name) => ({
    ...{ name, password: passwords[name], rules: rightsOf(name, use, appKeys) },
  })),
  { name: "monitor", password: passwords.monitor, rules: monitorRights },
  { name: "admin", password: passwords.admin, rules: all },
  ...(["replica", "sentinel"] as const).map((name) => ({
    ...{ name, ...(roles && { password: roles[name] }), rules: roleRights[name] },
  })),
];

/** Dangerous commands that a transaction in an append-only file may have; a Redis that may not make them would leave them out. */
const inFormerData = ["+flushall", "+flushdb", "+restore", "+swapdb"];

/**
 * {@link redisUsers} while an update replaces the clients of the version without users: they connect as `default`, and keep
 * what they need. This Redis reads data that they have written when they might do anything.
 *
 * @param formerPassword the one password of that version
 */
export const withFormerClients = (users: readonly RedisUser[], formerPassword: string): readonly RedisUser[] =>
  users.map((user) =>
    user.name === "default" ? { ...user, password: formerPassword, rules: [...everything, ...inFormerData] } : user,
  );

const definitionOf = ({ password, rules }: RedisUser): readonly string[] => [
  ...(password === undefined ? ["off"] : ["on", `#${createHash("sha256").update(password).digest("hex")}`]),
  ...rules,
];

/** The text of Redis' ACL file; it has the passwords' SHA-256 only. */
export const aclText = (users: readonly RedisUser[]): string =>
  users.map((user) => `user ${[user.name, ...definitionOf(user)].join(" ")}\n`).join("");
