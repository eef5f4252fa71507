/** Uses a Docker Engine for the tools: starts it, inspects a service's container, lists and deletes a stack's volumes. */
import { z } from "zod";
import { chosenEngine } from "../common/docker-host.ts";
import { runSync } from "../common/process.ts";
import { UserError } from "../common/user-error.ts";
import { ensureDocker } from "../toolchain/src/docker.ts";
import { type Engine, serviceContainersArguments } from "./engines.ts";

const containerSchema = z.object({
  Name: z.string().transform((name) => name.replace(/^\//, "")),
  RestartCount: z.number(),
  Config: z.object({ Hostname: z.string(), Labels: z.record(z.string(), z.string()) }),
  State: z.object({
    Status: z.string(),
    ExitCode: z.number(),
    OOMKilled: z.boolean(),
    StartedAt: z.string(),
    Health: z.object({ Status: z.string() }).optional(),
  }),
});
export type ContainerState = z.infer<typeof containerSchema>;

/** Docker arguments that choose the Docker Engine. */
export const hostArguments = (dockerHost: string): string[] => ["--host", dockerHost];

/**
 * Ensures that a Docker Engine answers; starts or installs this machine's own one.
 *
 * @throws {UserError} when it does not answer
 */
export async function ensureDockerAt(dockerHost: string): Promise<void> {
  if (dockerHost === chosenEngine().host) await ensureDocker();
  requireDocker(dockerHost);
}

/** @throws {UserError} when no Docker Engine answers at that address */
export function requireDocker(dockerHost: string): void {
  const { code, stderr } = runSync("docker", [
    ...hostArguments(dockerHost),
    "version",
    "--format",
    "{{.Server.Version}}",
  ]);
  if (code !== 0) {
    const reason = stderr.trim().split("\n")[0] ?? "";
    throw new UserError(
      `The Docker Engine does not answer at ${dockerHost}: ${reason}\n` +
        "Start it (make docker), or choose another one: docker context use NAME, export DOCKER_HOST=unix:///path/to/docker.sock, " +
        "or orion:dockerHost in the stack's file",
    );
  }
}

/**
 * The state of each service's container on a Docker Engine, by the service's name, in two calls. While a container is replaced there are two;
 * then it is the newest one's.
 *
 * @throws {UserError} when the Docker Engine does not answer
 */
export async function containerStates(engine: Engine, stack: string): Promise<ReadonlyMap<string, ContainerState>> {
  const { code, stdout, stderr } = await engine.ask(...serviceContainersArguments(stack, "{{.ID}}"));
  if (code !== 0) throw new UserError(`The Docker Engine does not answer: ${stderr.trim()}`);
  const ids = stdout.split("\n").filter((id) => id !== "");
  if (ids.length === 0) return new Map();
  // One that goes meanwhile makes the command fail, and is left out of what it prints.
  const inspected = await engine.ask("container", "inspect", ...ids);
  if (inspected.stdout.trim() === "") {
    throw new UserError(`The Docker Engine does not answer: ${inspected.stderr.trim()}`);
  }
  const states = z.array(containerSchema).parse(JSON.parse(inspected.stdout));
  // The newest is the first: it is put in last.
  return new Map(states.reverse().map((state) => [state.Config.Labels["service"] ?? "", state]));
}

/**
 * Names of the Docker volumes with a stack's labels, including those that are not in its state any more.
 *
 * @throws {UserError} when the Docker Engine does not answer: no answer is not the same as no data
 */
export function volumesOf(stack: string, dockerHost: string): string[] {
  const filters = ["--filter", "label=app=orion", "--filter", `label=stack=${stack}`];
  const { code, stdout, stderr } = runSync("docker", [
    ...hostArguments(dockerHost),
    "volume",
    "ls",
    ...filters,
    "--format",
    "{{.Name}}",
  ]);
  if (code !== 0) {
    throw new UserError(`The volumes of '${stack}' could not be listed, and none was deleted:\n${stderr.trim()}`);
  }
  return stdout
    .split("\n")
    .filter((name) => name !== "")
    .sort();
}

/** @throws {UserError} when the Docker Engine refuses, for example because a container that is not Orion's uses one of the volumes */
export function removeVolumes(names: readonly string[], dockerHost: string): void {
  if (names.length === 0) return;
  const { code, stderr } = runSync("docker", [...hostArguments(dockerHost), "volume", "rm", ...names]);
  if (code !== 0) throw new UserError(`Not all data could be deleted:\n${stderr.trim()}`);
}
