/** Arguments of `docker create` for a server's container. Pure. */
import { cpus } from "node:os";
import type { MachineSpec } from "../machines.ts";
import type { Naming } from "./naming.ts";

/** Folders of the host that are mounted into a server. */
export interface MachineFolders {
  /** Seed of cloud-init. */
  readonly seed: string;
  /** Its /dev/disk. */
  readonly disk: string;
}

/** Label with the instance id; a server with another instance id gets a new disk. */
export const instanceLabel = "orion.instance";

export const limitArguments = (cores: number, memoryGb: number, hostCores = cpus().length): string[] => [
  ...["--cpus", String(Math.min(cores, hostCores))],
  ...["--memory", `${memoryGb}g`, "--memory-swap", `${memoryGb}g`],
];

/** Arguments of `docker create`. @param isLimited whether the Docker Engine itself lacks CAP_SYS_RESOURCE */
export function createArguments(
  names: Naming,
  spec: MachineSpec,
  folders: MachineFolders,
  image: string,
  isLimited: boolean,
): string[] {
  return [
    ...["create", "--name", names.server(spec.id), "--hostname", spec.name.split(".")[0] ?? spec.name],
    ...["--label", names.label, "--label", `${instanceLabel}=${spec.instanceId}`],
    ...limitArguments(spec.cores, spec.memoryGb),
    // As many rights as possible; --privileged would require a capability that some engines lack.
    ...["--cap-add", "ALL", ...(isLimited ? ["--cap-drop", "SYS_RESOURCE"] : [])],
    ...["seccomp", "apparmor", "systempaths"].flatMap((profile) => ["--security-opt", `${profile}=unconfined`]),
    ...["--cgroupns", "private", "--device-cgroup-rule", "a *:* rwm"],
    ...["--tmpfs", "/run:exec", "--tmpfs", "/run/lock", "--tmpfs", "/tmp:exec"],
    ...["--volume", `${folders.seed}:/var/lib/cloud/seed/nocloud:ro`, "--volume", `${folders.disk}:/dev/disk`],
    // The nested Docker Engine needs a folder that is not on an overlay file system.
    ...["--volume", `${names.disk(spec.id)}:/var/lib/docker`],
    ...["--network", "none", image],
  ];
}
