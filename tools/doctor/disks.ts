/** Checks the free space of a stack's disks and Volumes. */
import { existsSync } from "node:fs";
import type { Outcome } from "../../common/process.ts";
import { dataMount, growthCommand } from "../../common/server-contract.ts";
import { hasServers, type Topology } from "../../topology/topology.ts";
import type { Engines } from "../engines.ts";
import type { Finding, Problem } from "./advice.ts";

export interface Disk {
  readonly name: string;
  readonly server: string;
  readonly path: string;
  /** The problem when it is almost full. @default disk-full */
  readonly full?: Problem;
  /** Whether it is a Volume, whose file system must be as large as its device. @default false */
  readonly isVolume?: boolean;
}

const dockerFolder = "/var/lib/docker";

/** The disks that the stack writes to: those of containers, and the Volumes with data. The disk of Docker Desktop is not visible from here. */
export function disksOf(topology: Topology): Disk[] {
  if (!hasServers(topology))
    return existsSync(dockerFolder) ? [{ name: "disk", server: "local", path: dockerFolder }] : [];
  return topology.servers.flatMap(({ name, volumeGb }) => [
    { name: `disk of ${name}`, server: name, path: dockerFolder },
    ...(volumeGb > 0
      ? [{ name: `volume of ${name}`, server: name, path: dataMount, full: "volume-full" as const, isVolume: true }]
      : []),
  ]);
}

export async function checkDisk(disk: Disk, engines: Pick<Engines, "of">): Promise<Finding> {
  const { name, server, path, full = "disk-full" } = disk;
  const engine = engines.of({ server });
  const { code, stdout, stderr } = await engine.askOnHost(["df", "--output=pcent,avail", "-h", path]);
  if (code !== 0) return { service: name, problem: "no-answer", detail: stderr.trim() };
  const [, line = ""] = stdout.trim().split("\n");
  const [used = "0%", available = "?"] = line.trim().split(/\s+/);
  const detail = `${used} used, ${available} free`;
  if (Number.parseInt(used) >= 90) return { service: name, problem: full, detail };
  const unused = disk.isVolume ? unusedOf(await engine.askOnHost([growthCommand])) : 0;
  if (unused < toleratedBytes) return { service: name, detail };
  return {
    service: name,
    problem: "volume-ungrown",
    detail: `${gigabytes(unused)} GB of the Volume are not in its file system`,
  };
}

/** A file system may leave less than a block group at the end of its device. */
const toleratedBytes = 2 ** 28;
const gigabytes = (bytes: number): string => (bytes / 2 ** 30).toFixed(1);

/** The bytes of a Volume that its file system does not have; 0 on a server that has not got the command yet. */
function unusedOf({ code, stdout }: Outcome): number {
  const [device = 0, fileSystem = 0] = stdout.trim().split(" ").map(Number);
  return code === 0 ? device - fileSystem : 0;
}
