/** Builds the files and commands that install systemd timers on a server. */
import type { HostFilesArgs } from "./host-files.ts";

export interface TimerFilesArgs {
  /** Name of the service and of its timer. */
  readonly unit: string;
  /** Texts of both. */
  readonly service: string;
  readonly timer: string;
  /** A command line that must succeed before the timer is started. @default - none */
  readonly first?: string;
}

const pathOf = (unit: string): string => `/etc/systemd/system/${unit}`;

/** @param timers each with its service, in the order in which they are installed */
export function timerFiles(...timers: readonly TimerFilesArgs[]): Omit<HostFilesArgs, "runtime"> {
  const files = timers.flatMap(({ unit, service, timer }) => [
    [`${pathOf(unit)}.service`, { text: service, mode: "0644" }] as const,
    [`${pathOf(unit)}.timer`, { text: timer, mode: "0644" }] as const,
  ]);
  const steps = timers.flatMap(({ unit, first }) => [
    "systemctl daemon-reload",
    ...(first ? [first] : []),
    `systemctl enable --now --quiet ${unit}.timer`,
  ]);
  // A rebuilt server has no timer.
  const removals = timers.map(
    ({ unit }) => `[ ! -e ${pathOf(unit)}.timer ] || systemctl disable --now --quiet ${unit}.timer`,
  );
  return {
    files: Object.fromEntries(files),
    command: ["sh", "-c", steps.join(" && ")],
    removal: ["sh", "-c", removals.join(" && ")],
  };
}
