/** `orion:index:SqlScript`: runs a script for psql as the superuser of a PostgreSQL container, over its local socket. */
import { z } from "zod";
import { type Clock, systemClock } from "../common/clock.ts";
import { redact } from "../common/secrets.ts";
import type { Docker } from "./docker.ts";
import { engineSchema } from "./engine.ts";

export const sqlScriptSchema = z.strictObject({
  ...engineSchema,
  /** Name of the running container; its environment says which database psql connects to, and as whom. */
  container: z.string().min(1),
  /** An idempotent script: it runs again whenever it or a variable changes, and after a failure. */
  script: z.string().min(1),
  /** psql's variables: letters and digits, so that they need no quoting; they may be secrets. */
  variables: z.record(z.string().regex(/^[a-z_]+$/), z.string().regex(/^[A-Za-z0-9_.-]*$/, "letters and digits")),
  /** The script that undoes it, when the resource is deleted. @default - none */
  removal: z.string().min(1).optional(),
  /** How long it is tried again when PostgreSQL is just starting, or when a table is in use. */
  timeoutSeconds: z.int().min(1),
});
export type SqlScriptInputs = z.infer<typeof sqlScriptSchema>;

const pauseMilliseconds = 2000;

/** What may be gone at the next try: a server that starts, a table that is in use, a role that another session just changed. */
const isPassing =
  /lock timeout|deadlock detected|tuple concurrently updated|starting up|shutting down|No such file or directory|Connection refused/;

/**
 * Resolves when the script has succeeded.
 *
 * @throws {Error} with psql's message, free of secrets
 */
export async function runSqlScript(inputs: SqlScriptInputs, docker: Docker, clock: Clock = systemClock): Promise<void> {
  const { container, script, variables, timeoutSeconds } = inputs;
  const definitions = Object.entries(variables).map(([name, value]) => `\\set ${name} '${value}'\n`);
  const args = ["container", "exec", "--interactive", container, "psql", "-XqtA", "-v", "ON_ERROR_STOP=1"];
  const end = clock.now() + timeoutSeconds * 1000;
  for (;;) {
    const { code, output } = await docker({
      engine: inputs,
      args,
      input: definitions.join("") + script,
      timeoutSeconds,
    });
    if (code === 0) return;
    if (clock.now() > end || !isPassing.test(output)) {
      const why = code === undefined ? `took longer than ${timeoutSeconds} s` : output.trim();
      throw new Error(
        `${container}: a script for its database failed: ${redact(why, Object.values(variables))}\n` +
          "What it had done before stays, and the next update runs it again. Correct the cause and run up again.",
      );
    }
    await clock.sleep(pauseMilliseconds);
  }
}

/** Runs the script that undoes it, if there is one. @throws {Error} as {@link runSqlScript} does */
export async function removeSqlScript(
  { removal, ...inputs }: SqlScriptInputs,
  docker: Docker,
  clock: Clock = systemClock,
): Promise<void> {
  if (removal !== undefined) await runSqlScript({ ...inputs, script: removal }, docker, clock);
}
