/** `make up` and `make preview`: the engine's commands, with checks before and reports after them. */
import { join } from "node:path";
import { runSync, runInteractive } from "../common/process.ts";
import { UserError } from "../common/user-error.ts";
import { imageKeys } from "../topology/images.ts";
import { hasServers, lastingServices, type Topology } from "../topology/topology.ts";
import { stackExists } from "../guard/backend.ts";
import { ensureDockerAt } from "./docker.ts";
import { requireFreePorts } from "./ports.ts";
import { noteOwner } from "./recovery/ci-owner.ts";
import { lockStore } from "./recovery/state-lock.ts";
import { recover } from "./recovery/recover.ts";
import type { StackFile } from "./stack-file.ts";
import { bold, dim, say, table } from "./terminal.ts";
import { reportUnhealthy } from "./unhealthy.ts";

export interface UpOptions {
  /** Whether the user has agreed to all changes in advance. */
  readonly yes: boolean;
  /** Whether the providers are asked first what really exists, so that drift is undone. @default false */
  readonly refresh?: boolean;
  /** Path that the stack's file was read from. @default the stack's own file */
  readonly configFile?: string;
}

/**
 * Brings the stack up and lists its services.
 *
 * @param root folder of the stack's Pulumi project
 * @returns the engine's exit code
 */
export async function up(
  root: string,
  file: StackFile,
  { yes, refresh = false, configFile }: UpOptions,
): Promise<number> {
  const { stack, settings, topology } = file;
  const isLocal = !hasServers(topology);
  if (isLocal) await ensureDockerAt(settings.dockerHost);
  ensureStack(root, stack);
  await recover(root, stack, say);
  const store = lockStore(root, stack);
  if (store) await noteOwner(store, stack);
  if (isLocal) {
    await requireFreePorts(topology, settings.dockerHost);
    const args = [join(root, "images", "build.ts"), ...imageArguments(file)];
    const images = await runInteractive("node", args, { environment: { DOCKER_HOST: settings.dockerHost } });
    if (images !== 0) return images;
  }
  const code = await runInteractive("pulumi", [
    ...["up", "--stack", stack, "--cwd", root],
    ...(configFile === undefined ? [] : ["--config-file", configFile]),
    // A local stack needs no confirmation; with servers the engine asks.
    ...(refresh ? ["--refresh"] : []),
    ...(isLocal || yes ? ["--yes", "--skip-preview"] : []),
    ...(isLocal ? ["--suppress-outputs"] : []),
  ]);
  if (code !== 0) reportUnhealthy(root, stack, say);
  if (code === 0 && isLocal) say(`\n${whatRunsWhere(topology)}`);
  return code;
}

/**
 * Shows what an update would change; for a new stack, everything.
 *
 * @returns the engine's exit code; the program refuses an update that would lose something
 */
export async function preview(root: string, stack: string): Promise<number> {
  ensureStack(root, stack);
  return runInteractive("pulumi", ["preview", "--stack", stack, "--cwd", root, "--diff"]);
}

/** A table of every service: its name, its container and its address on this machine. */
export function whatRunsWhere(topology: Topology): string {
  const rows = lastingServices(topology).map(({ name, container, published }) => [
    name,
    published.map(({ address, port }) => `${address}:${port}`).join(" ") || dim("-"),
    container,
  ]);
  const front =
    topology.services.find(({ kind }) => kind === "edge") ?? topology.services.find(({ kind }) => kind === "app");
  const url = front?.published[0] ? `http://${front.published[0].address}:${front.published[0].port}/` : undefined;
  return [
    table([["service", "address", "container"].map(bold), ...rows]),
    ...(url ? [`\nOrion is at ${bold(url)}`] : []),
  ].join("\n");
}

/** Arguments of images/build.ts that get every image of the stack. */
export function imageArguments({ settings, topology }: Pick<StackFile, "settings" | "topology">): string[] {
  const { registry, ...chosen } = settings.images;
  const own = settings.app.image === undefined ? "app" : undefined;
  return [
    ...(registry === undefined ? [] : ["--registry", registry]),
    // A login is no image.
    ...Object.entries(chosen).flatMap(([name, one]) => (typeof one === "string" ? ["--use", `${name}=${one}`] : [])),
    ...imageKeys(topology.services, settings).filter((name) => name !== "app" || name === own),
  ];
}

/** Creates the stack in the state if it does not exist. */
export function ensureStack(root: string, stack: string): void {
  if (stackExists(root, stack)) return;
  const made = runSync("pulumi", ["stack", "select", "--create", "--stack", stack, "--cwd", root]);
  if (made.code !== 0) throw new UserError(`The stack '${stack}' could not be created:\n${made.stderr.trim()}`);
}
