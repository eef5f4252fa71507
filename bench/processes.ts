/** Reads memory and processor time of processes from /proc. */
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname } from "node:path";

export interface Usage {
  /** Peak memory of all processes together, in MiB. */
  readonly peak: number;
  /** MiB by program name at the time of the peak. */
  readonly programs: ReadonlyMap<string, number>;
  /** Processor seconds by program name, over the whole time. A process's last moments before its end are missed. */
  readonly processorSeconds: ReadonlyMap<string, number>;
}

/** Samples memory and processor time of all descendants of this process. */
export class Descendants {
  readonly #timer: NodeJS.Timeout;
  #peak: Pick<Usage, "peak" | "programs"> = { peak: 0, programs: new Map() };
  /** By process: one that has ended keeps its last figure. */
  readonly #seconds = new Map<number, { readonly name: string; readonly seconds: number }>();

  constructor(milliseconds = 250) {
    this.#timer = setInterval(() => {
      this.#sample();
    }, milliseconds);
  }

  stop(): Usage {
    clearInterval(this.#timer);
    const processorSeconds = new Map<string, number>();
    for (const { name, seconds } of this.#seconds.values()) {
      processorSeconds.set(name, (processorSeconds.get(name) ?? 0) + seconds);
    }
    return { ...this.#peak, processorSeconds };
  }

  #sample(): void {
    const parents = new Map(pids().map((pid) => [pid, Number(stat(pid)[1])]));
    const isBelow = (pid: number): boolean => {
      const parent = parents.get(pid) ?? 0;
      return parent === process.pid || (parent > 1 && isBelow(parent));
    };
    const programs = new Map<string, number>();
    for (const pid of [...parents.keys()].filter(isBelow)) {
      const name = programOf(pid);
      this.#seconds.set(pid, { name, seconds: processorSeconds(pid) });
      programs.set(name, (programs.get(name) ?? 0) + mebibytes(pid, "VmRSS"));
    }
    const peak = [...programs.values()].reduce((sum, one) => sum + one, 0);
    if (peak > this.#peak.peak) this.#peak = { peak, programs };
  }
}

/** The name of a program; that of the script where Node.js runs one. */
function programOf(pid: number): string {
  const [program = "", ...args] = read(pid, "cmdline").split("\0");
  if (basename(program) !== "node") return basename(program);
  const script = args.find((word) => word !== "" && !word.startsWith("-")) ?? "";
  return `node ${basename(script) === "index.js" ? basename(dirname(script)) : basename(script)}`;
}

/** Peak memory of a process in MiB. */
export const peakOf = (pid: number): number => mebibytes(pid, "VmHWM");

/** Processor seconds that a process has used. */
export function processorSeconds(pid: number): number {
  const fields = stat(pid);
  // The kernel reports hundredths of a second here, independent of its own tick rate.
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

const pids = (): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

/** Fields of /proc/<pid>/stat after the program's name; the first one is the state. */
const stat = (pid: number): string[] =>
  read(pid, "stat")
    .replace(/^.*\) /s, "")
    .split(" ");

function mebibytes(pid: number, field: "VmRSS" | "VmHWM"): number {
  const [, kibibytes = "0"] = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(read(pid, "status")) ?? [];
  return Number(kibibytes) / 1024;
}

/** Reads a file of a process; empty when the process has ended. */
function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
