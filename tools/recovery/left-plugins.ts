/**
 * Ends plugins whose engine was killed. They run on for minutes and complete their last requests: containers and servers that
 * no state would record, while the next update creates the same ones.
 */
import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parse } from "yaml";
import { z } from "zod";

/** A process, from the kernel's files. */
export interface Process {
  readonly pid: number;
  /** The folder that it works in. */
  readonly folder: string;
  readonly command: readonly string[];
  /** The line of /proc/<pid>/stat of the process that it belongs to. */
  readonly parentStat: string;
}

const projectSchema = z.object({ main: z.string().default(".") });

/** Whether a line of /proc/<pid>/stat is a running engine's: `4711 (pulumi) S ...`. */
export const isRunningEngine = (stat: string): boolean => /^\d+ \(pulumi\) [^ZXx] /.test(stat);

/** The plugins of a program's folder without an engine. A plugin's last argument is the address of its engine. */
export const leftPlugins = (processes: readonly Process[], folder: string): Process[] =>
  processes.filter(
    ({ folder: own, command, parentStat }) =>
      own === folder && /^127\.0\.0\.1:\d+$/.test(command.at(-1) ?? "") && !isRunningEngine(parentStat),
  );

/** Ends them; without /proc they cannot be found. */
export function endLeftPlugins(root: string): void {
  if (!existsSync("/proc/self/stat")) return;
  const { main } = projectSchema.parse(parse(readFileSync(join(root, "Pulumi.yaml"), "utf8")));
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const program = realpathSync(resolve(root, main));
  const folder = statSync(program).isDirectory() ? program : dirname(program);
  for (const { pid } of leftPlugins(pids.flatMap(describe), folder)) {
    process.kill(pid, "SIGKILL");
  }
}

/** Empty for a process that has ended meanwhile, or belongs to another user. */
function describe(pid: string): Process[] {
  try {
    const read = (of: string, file: string) => readFileSync(`/proc/${of}/${file}`, "utf8");
    const command = read(pid, "cmdline").split("\0").slice(0, -1);
    const [, parent = ""] = /^\d+ \(.*\) \S (\d+)/s.exec(read(pid, "stat")) ?? [];
    // A parent that is not visible is not an engine of this user.
    const parentStat = existsSync(`/proc/${parent}/stat`) ? read(parent, "stat") : "";
    return [{ pid: Number(pid), folder: readlinkSync(`/proc/${pid}/cwd`), command, parentStat }];
  } catch {
    return [];
  }
}
