/**
 * Checks that a Redis server answers and uses at most 90 % of its maxmemory, and that its users are the program's. What it has
 * refused within a day is told, but is no problem of its own: an app that tries a command for people looks the same as a stranger.
 */
import { z } from "zod";
import { formerClientsFile, redisAdmin, redisFile, redisMonitor } from "../../../common/redis-contract.ts";
import type { Checked } from "../advice.ts";
import { servicesOf } from "../../../topology/topology.ts";
import type { Question } from "../question.ts";

const daySeconds = 24 * 3600;
const mostRefusals = 5;

export async function checkRedis({ service, topology, exec }: Question): Promise<Checked> {
  const { ok, output } = await exec(service, ...redisMonitor.split(" "), "info");
  if (!ok || !output.includes("used_memory_human")) return { problem: "cache-refuses", detail: output.slice(0, 200) };
  const value = (key: string) => new RegExp(`^${key}:(.*?)\\r?$`, "m").exec(output)?.[1] ?? "?";
  const use = `${value("used_memory_human")} of ${value("maxmemory_human")}, ${value("connected_clients")} clients`;
  if (Number(value("used_memory")) > Number(value("maxmemory")) * 0.9) return { problem: "cache-full", detail: use };

  const kind = service.kind.startsWith("broker") ? "broker-replica" : "cache-replica";
  const replicas = servicesOf(topology, kind).length;
  const replication = replicas > 0 ? replicationOf(output, replicas) : undefined;
  if (replication?.problem) return { ...replication, detail: `${use}; ${replication.detail}` };

  const { output: users } = await exec(service, "sh", "-c", usersScript);
  const wrong = wrongUsers(users);
  if (wrong.length > 0) return { problem: "redis-users", detail: wrong.join("; ") };
  const refused = refusals((await exec(service, ...redisMonitor.split(" "), "--json", "acl", "log")).output);
  const isFormer = /^state (open|leaving)$/m.test(users);
  return {
    detail: [
      use,
      ...(replication ? [replication.detail] : []),
      ...(isFormer ? ["clients of the version without users are still let in"] : []),
      ...(refused.length > 0 ? [`refused within a day: ${refused.join(", ")}`] : []),
    ].join("; "),
  };
}

/** A replica reports every second. */
const lateSeconds = 10;

/**
 * Whether a server of a group that Sentinels watch follows its master, or is one that replicas follow and that takes no write
 * when none does. Pure.
 *
 * @param info Redis' answer to INFO
 * @param replicas how many there are
 */
export function replicationOf(info: string, replicas: number): Checked {
  const value = (key: string) => new RegExp(`^${key}:(.*?)\\r?$`, "m").exec(info)?.[1];
  if (value("role") === "slave") {
    const from = `replica of ${value("master_host") ?? "?"}`;
    if (value("master_link_status") !== "up")
      return { problem: "redis-replica-behind", detail: `${from}, not connected` };
    return { detail: `${from}, ${value("master_last_io_seconds_ago") ?? "?"} s ago` };
  }
  const lags = [...info.matchAll(/^slave\d+:.*state=online.*lag=(\d+)/gm)].map(([, lag]) => Number(lag));
  const following = lags.filter((lag) => lag <= lateSeconds).length;
  const detail = `master of ${following} replicas`;
  if (following < replicas) return { problem: "redis-replica-behind", detail };
  return value("min_slaves_good_slaves") === undefined ? { problem: "redis-unguarded", detail } : { detail };
}

/**
 * The users of the running server, those of its file, what each may do of what is for people, and whether clients of the
 * version without users are let in.
 */
const usersScript = `${redisAdmin} acl list | cut -d ' ' -f 1-4
sed 's/^user /file /' ${redisFile("users.acl")} | cut -d ' ' -f 1,2
for user in $(${redisAdmin} acl users); do echo "flushall $user $(${redisAdmin} acl dryrun "$user" flushall)"; done
if [ -s ${formerClientsFile} ]; then read -r state <${formerClientsFile}; echo "state $state"; fi`;

/**
 * Differences between the users of a running server and those of its files, after a change by hand. Pure.
 *
 * @param text output of {@link usersScript}
 */
export function wrongUsers(text: string): string[] {
  const lines = text.split("\n").map((line) => line.split(" "));
  const namesOf = (what: string) => lines.flatMap(([first, name = ""]) => (first === what ? [name] : []));
  const [running, written] = [namesOf("user"), namesOf("file")];
  if (running.length === 0 || written.length === 0) return [`its users cannot be read: ${text.slice(0, 200)}`];
  const lateComers = /^state (open|leaving)$/m.test(text);
  return [
    ...running.filter((name) => !written.includes(name)).map((name) => `the user ${name} is not the program's`),
    ...written.filter((name) => !running.includes(name)).map((name) => `the user ${name} is missing`),
    ...lines.flatMap(([first, name = "", ...rest]) => {
      // Redis itself needs the rights of default (components/cache/users.ts); what counts is that it is off.
      if (first === "flushall" && !["admin", "default"].includes(name) && rest[0] === "OK")
        return [`the user ${name} may delete everything`];
      if (first !== "user" || !rest.includes("on")) return [];
      if (rest.includes("nopass")) return [`the user ${name} needs no password`];
      return name === "default" && !lateComers ? ["default is on"] : [];
    }),
  ];
}

const entries = z.array(
  z.object({
    count: z.coerce.number(),
    reason: z.string(),
    object: z.string(),
    username: z.string(),
    "age-seconds": z.coerce.number(),
  }),
);

/**
 * What Redis has refused within a day, the newest first: `app flushall (3 times)`. Pure.
 *
 * @param text Redis' ACL log as JSON; whatever it is not is an empty one
 */
export function refusals(text: string): string[] {
  const log = entries.safeParse(jsonOf(text)).data ?? [];
  const recent = log.filter((entry) => entry["age-seconds"] <= daySeconds);
  const shown = recent.slice(0, mostRefusals).map(({ count, reason, object, username }) => {
    const what = reason === "auth" ? "login" : reason === "command" ? object : `${reason} ${object}`;
    // Strangers choose names and keys.
    const text = `${username} ${what}`.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 60);
    return count > 1 ? `${text} (${count} times)` : text;
  });
  return recent.length > mostRefusals ? [...shown, `${recent.length - mostRefusals} more`] : shown;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
