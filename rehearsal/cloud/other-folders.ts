/**
 * Checks that no cloud of another folder has the name or the address block of a new one. A folder knows only its own clouds, and
 * what a cloud has on this machine carries its name and its block: one of two such clouds would get the other's packets, and
 * delete its machines.
 */
import { z } from "zod";
import { UserError } from "../../common/user-error.ts";
import { docker, dockerLines } from "../machines/docker/docker.ts";
import { cloudLabel, Naming } from "../machines/docker/naming.ts";
import { commandFor } from "./commands.ts";
import type { CloudSettings } from "./settings.ts";

/** A Docker network of a cloud. */
export interface CloudNetwork {
  readonly cloud: string;
  /** The name of its interface on this machine. */
  readonly bridge: string;
}

/** @throws {UserError} when this new cloud cannot be on this machine; the message says what to do */
export async function requireNoTwinElsewhere(settings: CloudSettings): Promise<void> {
  const problem = twinProblem(await cloudNetworks(), settings);
  if (problem !== undefined) throw new UserError(problem);
}

/** @param networks of all clouds on this machine @param settings of a cloud that has nothing on this machine yet */
export function twinProblem(
  networks: readonly CloudNetwork[],
  { instance, block }: Pick<CloudSettings, "instance" | "block">,
): string | undefined {
  const names = new Naming(instance, block);
  if (networks.some(({ cloud }) => cloud === instance)) {
    return `This machine has a rehearsal cloud '${instance}' that was made in another folder. ${remedy(instance, "name")}`;
  }
  const bridges = [names.publicBridges, names.privateBridges, names.internetBridge];
  const twin = networks.find(({ bridge }) => bridges.some((one) => isNumbered(bridge, one)));
  if (!twin) return undefined;
  return `The address block ${block} belongs to the rehearsal cloud '${twin.cloud}', which was made in another folder. ${remedy(twin.cloud, "block")}`;
}

/** Whether a name is this one, or this one and a number. */
const isNumbered = (bridge: string, prefix: string): boolean =>
  bridge.startsWith(prefix) && /^\d*$/.test(bridge.slice(prefix.length));

const remedy = (cloud: string, choice: string): string =>
  `Choose another ${choice}, or delete that cloud in its folder: ${commandFor("down", { name: cloud })}\n` +
  "Where the folder is gone, delete what is left:\n" +
  `  docker ps --all --quiet --filter label=${cloudLabel}=${cloud} | xargs --no-run-if-empty docker rm --force --volumes\n` +
  `  docker network prune --force --filter label=${cloudLabel}=${cloud}`;

const networkSchema = z.array(
  z.object({
    Labels: z.record(z.string(), z.string()),
    Options: z.record(z.string(), z.string()),
  }),
);

/** The networks of all clouds on this machine. */
async function cloudNetworks(): Promise<CloudNetwork[]> {
  const ids = await dockerLines("network", "ls", "--quiet", "--filter", `label=${cloudLabel}`);
  if (ids.length === 0) return [];
  const found = networkSchema.parse(JSON.parse(await docker("network", "inspect", ...ids)));
  return found.map(({ Labels, Options }) => ({
    cloud: Labels[cloudLabel] ?? "",
    bridge: Options["com.docker.network.bridge.name"] ?? "",
  }));
}
