/**
 * The poolers of a stack during a move: they pause while neither database takes writes, and then switch to the other one, so that no
 * process is replaced and none has to be told. The update that follows stores the same configuration.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Outcome } from "../../common/process.ts";
import { hereDocument, quoted, quotedWords } from "../../common/shell.ts";
import { UserError } from "../../common/user-error.ts";
import { databaseName, sessionDatabase } from "../../components/database/database-url.ts";
import { poolerDirectory, poolerFiles } from "../../components/pooler/pgbouncer-config.ts";
import type { Logins } from "../../components/pooler/pooler-config.ts";
import { poolerConsole } from "../../topology/services/pgbouncer.ts";

/** A pooler, and how scripts reach its machine. */
export interface Pooler {
  readonly name: string;
  readonly container: string;
  /** Runs a script of the shell there. */
  readonly run: (script: string) => Promise<Outcome>;
  /** The text of its configuration that leads to the target; a secret. @param logins passwords by role */
  readonly configOf: (logins: Logins) => string;
}

/** What a move needs of all poolers together. */
export interface Poolers {
  /** Reads what {@link Poolers.switchToTarget} needs, while nobody waits. */
  readonly prepare: () => Promise<void>;
  /** Resolves when all of them send nothing new, and most transactions have ended; {@link Poolers.paused} says when all have. */
  readonly pause: () => Promise<void>;
  readonly paused: () => Promise<void>;
  /** Gives them the target as their server. What they were told stays: the update that follows tells them the same. */
  readonly switchToTarget: () => Promise<void>;
  /** Lets processes go on. */
  readonly resume: () => Promise<void>;
}

/** Longer transactions are ended by the database. */
const transactionMs = 1500;
/** If this program is killed meanwhile, they go on by themselves. */
const mostSeconds = 60;
const pausedTries = 50;

/** A command of psql in the console of a pooler: several commands are several options. @param shape of its answers: without names of columns */
const consoleOf = (container: string, commands: readonly string[], shape = "-qAt"): string =>
  quotedWords([
    ...["docker", "exec", container, ...poolerConsole.split(" "), shape],
    ...commands.flatMap((one) => ["-c", one]),
  ]);

const resumeCommands = [`RESUME ${databaseName}`, `RESUME ${sessionDatabase}`];

/** PAUSE would wait for sessions for ever, so they end. */
const pauseScript = (container: string): string =>
  `${quotedWords(["docker", "exec", "--detach", container, "sh", "-c", `sleep ${mostSeconds}; ${poolerConsole} -c '${resumeCommands.join("' -c '")}'`])}
${consoleOf(container, [`KILL ${sessionDatabase}`, `PAUSE ${databaseName}`])}`;

/** Ends when the pooler sends nothing new: PAUSE itself ends only with the last transaction. The column's place depends on the version. */
const awaitPauseScript = (container: string): string => {
  const isPaused = `NR == 1 { for (i = 1; i <= NF; i++) if ($i == "paused") at = i } $1 == "${databaseName}" && $at == 1 { found = 1 } END { exit !found }`;
  return `tries=0
until ${consoleOf(container, ["SHOW DATABASES"], "-qA")} | awk -F '|' ${quoted(isPaused)}; do
  tries=$((tries + 1)); [ $tries -lt ${pausedTries} ] || { echo "PgBouncer did not report that it is paused" >&2; exit 1; }
  sleep 0.1
done
`;
};

/** Replaces the configuration in the volume, which the container itself may not write; prints where it leads now. */
const switchScript = (container: string, config: string): string => {
  const file = poolerFiles.configuration;
  const write = `cd ${poolerDirectory}/current && umask 077 && cat >.next && chgrp --reference=${file} .next && chmod --reference=${file} .next && mv -f .next ${file}`;
  const format = `{{range .Mounts}}{{if eq .Destination "${poolerDirectory}"}}{{.Name}}{{end}}{{end}} {{.Image}}`;
  return `set -eu
set -- $(docker inspect --format ${quoted(format)} ${quoted(container)})
docker run --rm --interactive --log-driver none --network none --pull never --user 0:0 --cap-drop ALL --cap-add CHOWN \\
  --security-opt no-new-privileges --read-only --memory 64m --volume "$1:${poolerDirectory}" --entrypoint sh "$2" -c ${quoted(write)} ${hereDocument(config)}${consoleOf(container, ["RELOAD"])}
${consoleOf(container, ["SHOW DATABASES"])}
`;
};

const usersScript = ({ container }: Pooler): string =>
  quotedWords(["docker", "exec", container, "cat", `${poolerDirectory}/current/${poolerFiles.users}`]);

/** Reads the file of roles with their passwords. Pure. */
const readUsers = (text: string): Logins =>
  Object.fromEntries([...text.matchAll(/^"(\w+)" "(\w+)"$/gm)].map(([, role = "", password = ""]) => [role, password]));

/** Whether PgBouncer's list of databases says that it leads to a host. */
const leadsTo = (host: string, databases: string): boolean =>
  databases.split("\n").some((line) => line.startsWith(`${databaseName}|${host}|`));

/** Where a configuration leads. Pure. */
export const hostIn = (config: string): string =>
  new RegExp(`^${databaseName} = host=(\\S+)`, "m").exec(config)?.[1] ?? "";

export function poolersOf(all: readonly Pooler[]): Poolers | undefined {
  if (all.length === 0) return undefined;
  const onAll = async (what: string, scriptOf: (pooler: Pooler) => string): Promise<Outcome[]> =>
    Promise.all(
      all.map(async (pooler) => {
        const outcome = await pooler.run(scriptOf(pooler));
        if (outcome.code === 0) return outcome;
        const [said = ""] = outcome.stderr.trim().split("\n").slice(-1);
        throw new UserError(`The pooler ${pooler.name} ${what}: ${said}`);
      }),
    );
  let pausing: Promise<unknown> = Promise.resolve();
  let users: readonly Outcome[] = [];
  return {
    prepare: async () => {
      users = await onAll("did not return its file of roles", usersScript);
    },
    pause: async () => {
      pausing = onAll("cannot be paused", ({ container }) => pauseScript(container));
      // A caller that awaits it gets the error.
      pausing.catch(() => undefined);
      // A pooler that is told late would pass on writes that the source refuses.
      const quiet = onAll("cannot be paused", ({ container }) => awaitPauseScript(container));
      // It keeps no process alive whose poolers are paused already.
      const longest = quiet.then(() => sleep(transactionMs, undefined, { ref: false }));
      await Promise.race([Promise.all([quiet, pausing]), longest]);
    },
    paused: async () => {
      await pausing;
    },
    switchToTarget: async () => {
      const configs = new Map(
        all.map((pooler, index) => [pooler, pooler.configOf(readUsers(users[index]?.stdout ?? ""))]),
      );
      const configOf = (pooler: Pooler) => configs.get(pooler) ?? "";
      const said = await onAll("could not be switched to another database", (pooler) =>
        switchScript(pooler.container, configOf(pooler)),
      );
      for (const [index, pooler] of all.entries())
        if (!leadsTo(hostIn(configOf(pooler)), said[index]?.stdout ?? ""))
          throw new UserError(
            `The pooler ${pooler.name} did not take the configuration that leads to another database.`,
          );
    },
    resume: async () => {
      // One that was not paused says so, which is no failure.
      await Promise.all(all.map(({ container, run }) => run(consoleOf(container, resumeCommands))));
    },
  };
}
