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

/** Files and commands that install a systemd service and its timer on a server. */
export function timerFiles({ unit, service, timer, first }: TimerFilesArgs): Omit<HostFilesArgs, "runtime"> {
  const path = `/etc/systemd/system/${unit}`;
  const steps = ["systemctl daemon-reload", ...(first ? [first] : []), `systemctl enable --now --quiet ${unit}.timer`];
  return {
    files: {
      [`${path}.service`]: { text: service, mode: "0644" },
      [`${path}.timer`]: { text: timer, mode: "0644" },
    },
    command: ["sh", "-c", steps.join(" && ")],
    // A rebuilt server has no timer.
    removal: ["sh", "-c", `[ ! -e ${path}.timer ] || systemctl disable --now --quiet ${unit}.timer`],
  };
}
