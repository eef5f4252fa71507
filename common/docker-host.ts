/** Which Docker Engine the user has chosen, by the rules of the `docker` command itself. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { isRecord } from "./record.ts";

/** The engine that the `docker` command uses unless another one is chosen. */
export const standardEngine = "unix:///var/run/docker.sock";

export interface ChosenEngine {
  /** Its address: `unix://`, `tcp://` or `ssh://`. */
  readonly host: string;
  /** What the user has chosen it with, for messages; undefined for the standard one. */
  readonly by: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * DOCKER_HOST comes first, then DOCKER_CONTEXT, then the context of `docker context use`, which Docker Desktop, colima and the
 * rootless engine set for themselves. The provider of the engine's program knows the first one alone.
 *
 * @param read the text of a file, undefined without one; tests replace it
 */
export function chosenEngine(env: Environment = process.env, read: typeof textOf = textOf): ChosenEngine {
  const host = env["DOCKER_HOST"] ?? "";
  if (host !== "") return { host: host.includes("://") ? host : `tcp://${host}`, by: `DOCKER_HOST=${host}` };
  const folder = env["DOCKER_CONFIG"] || join(env["HOME"] || homedir(), ".docker");
  const context = env["DOCKER_CONTEXT"] || textIn(read(join(folder, "config.json")), ["currentContext"]);
  if (context === undefined || context === "" || context === "default") return { host: standardEngine, by: undefined };
  const id = createHash("sha256").update(context).digest("hex");
  const meta = read(join(folder, "contexts", "meta", id, "meta.json"));
  return { host: textIn(meta, ["Endpoints", "docker", "Host"]) ?? standardEngine, by: `the docker context ${context}` };
}

/** A text below a path of keys in JSON; undefined when there is none, or no JSON. */
function textIn(json: string | undefined, path: readonly string[]): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json ?? "{}");
  } catch {
    return undefined;
  }
  for (const key of path) value = isRecord(value) ? value[key] : undefined;
  return typeof value === "string" ? value : undefined;
}

/** The text of a file; undefined when it cannot be read. */
export function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
