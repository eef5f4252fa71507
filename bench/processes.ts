/** What processes of this machine take, as the kernel counts it. */
import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";

export interface Usage {
  /** MiB at the most, all processes together. */
  readonly peak: number;
  /** MiB of each program at that moment, by its name. */
  readonly programs: ReadonlyMap<string, number>;
}

/** Watches everything that this process starts. */
export class Descendants {
  readonly #timer: NodeJS.Timeout;
  #usage: Usage = { peak: 0, programs: new Map() };

  constructor(milliseconds = 250) {
    this.#timer = setInterval(() => {
      this.#look();
    }, milliseconds);
  }

  stop(): Usage {
    clearInterval(this.#timer);
    return this.#usage;
  }

  #look(): void {
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

/** MiB that a process has had at the most. */
export const peakOf = (pid: number): number => mebibytes(pid, "VmHWM");

/** Seconds of a core that a process has used. */
export function processorSeconds(pid: number): number {
  const fields = stat(pid);
  // In hundredths, whatever the kernel's own clock does.
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

const pids = (): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

/** The fields of a process behind its name, its state first. */
const stat = (pid: number): string[] =>
  read(pid, "stat")
    .replace(/^.*\) /s, "")
    .split(" ");

function mebibytes(pid: number, field: "VmRSS" | "VmHWM"): number {
  const [, kibibytes = "0"] = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(read(pid, "status")) ?? [];
  return Number(kibibytes) / 1024;
}

/** Empty when the process has ended meanwhile. */
function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
