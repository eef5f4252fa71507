/** What each credential may do: tried with it, from where it is. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { redisAdmin, redisMonitor } from "../../common/redis-contract.ts";
import { quoted } from "../../common/shell.ts";
import type { Line } from "../golden.ts";
import { redisAttempts, redisKeys, refusedStates, sqlAttempts } from "./attempts.ts";
import type { OnServer } from "./on-server.ts";

const program = readFileSync(join(import.meta.dirname, "attempts.py"), "utf8");

/** What to try with each credential. */
export interface Aims {
  /** PostgreSQL's roles, its own ones too. */
  readonly roles: readonly string[];
  readonly databases: readonly string[];
  readonly buckets: readonly string[];
}

const sqlOf = ({ roles }: Aims): Readonly<Record<string, string>> => ({
  ...sqlAttempts,
  ...Object.fromEntries(roles.map((role) => [`become ${role}`, `SET ROLE "${role}"`])),
});

const strings = z.array(z.string());
const answerSchema = z.object({
  postgresql: z.record(
    z.string(),
    z.object({
      ...{ user: z.string().optional(), may: strings, fails: strings },
      ...{ databases: strings.optional(), asks: strings.optional(), plain: z.boolean().optional() },
    }),
  ),
  redis: z.record(
    z.string(),
    z.object({ user: z.string(), may: strings, databases: z.array(z.number()), without: strings }),
  ),
  store: z.record(z.string(), z.object({ may: strings, fails: strings })),
  flower: z.number().nullable(),
});

/** A program that runs in a container of the platform's image, and reads its input. */
export type InContainer = (words: readonly string[], input: string) => Promise<string>;

export const inContainer =
  (on: OnServer, server: string, container: string): InContainer =>
  (words, input) =>
    on(server, ["docker", "exec", "--interactive", container, ...words], input);

/** Lines for every credential in the environment of a container of the platform's image. @param place its name in the table; @param environment credentials of a process that does not run now */
export async function rightsOfImage(
  run: InContainer,
  place: string,
  aims: Aims,
  environment: Readonly<Record<string, string>> = {},
): Promise<Line[]> {
  const { databases, roles, buckets } = aims;
  const input = { sql: sqlOf(aims), redis: redisAttempts, refusedStates, databases, roles, buckets, environment };
  const answer: unknown = JSON.parse(await run(["python", "-c", program], JSON.stringify(input)));
  const { flower, ...found } = answerSchema.parse(answer);
  return [
    ...Object.entries(found).flatMap(([kind, credentials]) =>
      Object.entries(credentials).map(([variable, rights]): Line => {
        return { kind, name: `${place}:${variable}`, values: [rights] };
      }),
    ),
    ...(flower === null
      ? []
      : [{ kind: "http", name: `${place}->flower-without-login`, values: [{ status: flower }] }]),
  ];
}

/** A script for psql that tries the same: each attempt's name, and the state of its error. */
const psqlScript = (aims: Aims): string =>
  [
    String.raw`\set VERBOSITY sqlstate`,
    "SET lock_timeout = '2s';",
    String.raw`SELECT session_user AS me \gset`,
    String.raw`\echo user :me`,
    ...Object.entries(sqlOf(aims)).map(([name, sql]) =>
      [String.raw`\echo try ${name}`, "BEGIN;", String.raw`\o /dev/null`, `${sql};`, String.raw`\o`, "ROLLBACK;"].join(
        "\n",
      ),
    ),
  ].join("\n");

/** Lines for a login of psql. @param psql its command line in the container, without the options that it gets here */
export async function rightsOfPsql(run: InContainer, psql: string, name: string, aims: Aims): Promise<Line[]> {
  const printed = await run(["sh", "-c", `${psql} -XAtq 2>&1 || true`], psqlScript(aims));
  const [head = "", ...tried] = printed.split(/^try /m);
  const [, user] = /^user (\S+)$/m.exec(head) ?? [];
  if (user === undefined)
    return [{ kind: "postgresql", name, values: [{ may: [], fails: [head.trim().split("\n").at(-1)] }] }];
  const outcomes = tried.map((text) => {
    const [attempt = "", ...rest] = text.split("\n");
    const [, state] = /ERROR: {2}(\S+)/.exec(rest.join("\n")) ?? [];
    return { attempt, state };
  });
  const may = outcomes
    .filter(({ state }) => state === undefined)
    .map(({ attempt }) => attempt)
    .sort();
  const fails = outcomes
    .filter(({ state }) => state !== undefined && !refusedStates.includes(state))
    .map(({ attempt, state }) => `${attempt}: ${String(state)}`);
  return [{ kind: "postgresql", name, values: [{ user, may, fails }] }];
}

/** Lines for the users whose passwords are in files of a Redis' own container. */
export async function rightsInRedis(run: InContainer, place: string): Promise<Line[]> {
  const users = [["admin", redisAdmin] as const, ["monitor", redisMonitor] as const];
  const lines = users.map(async ([user, cli]): Promise<Line> => {
    const script = Object.entries(redisAttempts).map(
      ([name, words]) => `echo ${quoted(`try ${name}`)}; timeout 5 ${cli} ${words.map(quoted).join(" ")} </dev/null`,
    );
    const printed = await run(["sh"], `${script.join("\n")}\ntrue\n`);
    const may = printed
      .split(/^try /m)
      .slice(1)
      .filter((text) => !/NOPERM|command not allowed/.test(text))
      .map((text) => text.split("\n")[0] ?? "");
    return { kind: "redis", name: `${place}:${user}`, values: [{ user, may: may.sort() }] };
  });
  return Promise.all(lines);
}

/** Removes what the attempts have left in a Redis: keys, and the list of what was refused, which `make doctor` reports. */
export async function cleanRedis(run: InContainer): Promise<void> {
  const databases = Array.from({ length: 16 }, (_, number) => `${redisAdmin} -n ${number} DEL ${redisKeys.join(" ")}`);
  await run(
    ["sh", "-e"],
    [...databases, `${redisAdmin} ACL LOG RESET`, "true"].map((one) => `${one} >/dev/null\n`).join(""),
  );
}
