/** Checks the free space of a stack's disks and Volumes. */
import { existsSync } from "node:fs";
import { dataMount } from "../../common/server-contract.ts";
import { hasServers, type Topology } from "../../topology/topology.ts";
import type { Engines } from "../engines.ts";
import type { Finding, Problem } from "./advice.ts";

export interface Disk {
  readonly name: string;
  readonly server: string;
  readonly path: string;
  /** The problem when it is almost full. @default disk-full */
  readonly full?: Problem;
}

const dockerFolder = "/var/lib/docker";

/** The disks that the stack writes to: those of containers, and the Volumes with data. The disk of Docker Desktop is not visible from here. */
export function disksOf(topology: Topology): Disk[] {
  if (!hasServers(topology))
    return existsSync(dockerFolder) ? [{ name: "disk", server: "local", path: dockerFolder }] : [];
  return topology.servers.flatMap(({ name, volumeGb }) => [
    { name: `disk of ${name}`, server: name, path: dockerFolder },
    ...(volumeGb > 0
      ? [{ name: `volume of ${name}`, server: name, path: dataMount, full: "volume-full" as const }]
      : []),
  ]);
}

export function checkDisk({ name, server, path, full = "disk-full" }: Disk, engines: Engines): Finding {
  const { code, stdout, stderr } = engines.of({ server }).captureOnHost("df", "--output=pcent,avail", "-h", path);
  if (code !== 0) return { service: name, problem: "no-answer", detail: stderr.trim() };
  const [, line = ""] = stdout.trim().split("\n");
  const [used = "0%", available = "?"] = line.trim().split(/\s+/);
  const detail = `${used} used, ${available} free`;
  return { service: name, ...(Number.parseInt(used) >= 90 && { problem: full }), detail };
}
