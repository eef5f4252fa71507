/** Reads memory and processor time of processes from /proc. */
import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";

export interface Usage {
  /** Peak memory of all processes together, in MiB. */
  readonly peak: number;
  /** MiB by program name at the time of the peak. */
  readonly programs: ReadonlyMap<string, number>;
}

/** Samples the memory of all descendants of this process. */
export class Descendants {
  readonly #timer: NodeJS.Timeout;
  #usage: Usage = { peak: 0, programs: new Map() };

  constructor(milliseconds = 250) {
    this.#timer = setInterval(() => {
      this.#sample();
    }, milliseconds);
  }

  stop(): Usage {
    clearInterval(this.#timer);
    return this.#usage;
  }

  #sample(): void {
    const parents = new Map(pids().map((pid) => [pid, Number(stat(pid)[1])]));
    const isBelow = (pid: number): boolean => {
      const parent = parents.get(pid) ?? 0;
      return parent === process.pid || (parent > 1 && isBelow(parent));
    };
    const programs = new Map<string, number>();
    for (const pid of [...parents.keys()].filter(isBelow)) {
      const name = basename(read(pid, "cmdline").split("\0")[0] ?? "");
      programs.set(name, (programs.get(name) ?? 0) + mebibytes(pid, "VmRSS"));
    }
    const peak = [...programs.values()].reduce((sum, one) => sum + one, 0);
    if (peak > this.#usage.peak) this.#usage = { peak, programs };
  }
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
