/** What this machine has that a rehearsal cloud could leave behind. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

const lines = (program: string, ...args: string[]): string[] =>
  spawnSync(program, args, { encoding: "utf8", maxBuffer: 1 << 28 })
    .stdout.split("\n")
    .filter((line) => line !== "")
    .sort();

/** Everything by kind, sorted; two of these are equal when nothing stayed behind. */
export function hostState(): Readonly<Record<string, readonly string[]>> {
  const rules = (table: string) => lines("iptables", "-t", table, "-S").filter((line) => !/docker0/.test(line));
  return {
    containers: lines("docker", "ps", "--all", "--format", "{{.Names}}"),
    volumes: lines("docker", "volume", "ls", "--format", "{{.Name}}"),
    networks: lines("docker", "network", "ls", "--format", "{{.Name}}"),
    links: lines("ip", "-o", "link").map((line) => line.split(":")[1] ?? ""),
    filter: rules("filter"),
    nat: rules("nat"),
    loops: lines("losetup", "--list", "--noheadings", "--output", "BACK-FILE"),
    mounts: readFileSync("/proc/mounts", "utf8")
      .split("\n")
      .filter((line) => /overlay|loop/.test(line))
      .sort(),
    processes: readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => commandLine(pid))
      .filter((line) => /rehearsal|versitygw|docker events|orion-cloud/.test(line))
      .sort(),
  };
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    return "";
  }
}
