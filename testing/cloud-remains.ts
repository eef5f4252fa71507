/** Lists everything of a rehearsal cloud on this machine, to check that nothing is left behind. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

const lines = (program: string, ...args: string[]): string[] =>
  spawnSync(program, args, { encoding: "utf8", maxBuffer: 1 << 28 })
    .stdout.split("\n")
    .filter((line) => line !== "");

/**
 * Everything of one cloud, by kind. Names contain the cloud's name or its block, so other clouds are not listed.
 */
export function remainsOf({
  name,
  block,
}: {
  name: string;
  block: number;
}): Readonly<Record<string, readonly string[]>> {
  const own = new RegExp(
    `orion-cloud-${name}-|OC-${name}-|\\boc${block}[isp]|cloud/${name}/|main\\.ts ${name}$|rehearsal=${name}\\b`,
  );
  const of = (found: readonly string[]) => found.filter((line) => own.test(line)).sort();
  return {
    containers: of(lines("docker", "ps", "--all", "--format", "{{.Names}}")),
    volumes: of(lines("docker", "volume", "ls", "--format", "{{.Name}}")),
    networks: of(lines("docker", "network", "ls", "--format", "{{.Name}}")),
    links: of(lines("ip", "-o", "link")),
    filter: of(lines("iptables", "-t", "filter", "-S")),
    nat: of(lines("iptables", "-t", "nat", "-S")),
    loops: of(lines("losetup", "--list", "--noheadings", "--output", "BACK-FILE")),
    mounts: of(readFileSync("/proc/mounts", "utf8").split("\n")),
    processes: of(
      readdirSync("/proc")
        .filter((entry) => /^\d+$/.test(entry))
        .map((pid) => commandLine(pid)),
    ),
  };
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    return "";
  }
}
