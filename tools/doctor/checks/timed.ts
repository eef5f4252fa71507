/** Checks a job that a timer starts on a server: that the timer is active, and what a command there reports about the job. */
import type { Service } from "../../../topology/service.ts";
import type { Engines } from "../../engines.ts";
import type { Finding, Problem } from "../advice.ts";

export interface Timed {
  /** Name of the timer, without its ending. */
  readonly unit: string;
  /** The command that reports about the job. */
  readonly command: readonly string[];
  /** A file that the installation writes: its time is that of the installation. */
  readonly settings: string;
  /** The problem when the timer is not active. */
  readonly off: Problem;
  /** The problem when the command fails. */
  readonly unknown: Problem;
  /**
   * @param said what the command printed
   * @param since when it was installed on the server
   */
  readonly judge: (said: string, since: Date) => Omit<Finding, "service">;
}

export async function checkTimed(service: Service, engines: Engines, timed: Timed): Promise<Finding> {
  const engine = engines.of(service);
  const timer = await engine.askOnHost(["systemctl", "is-active", `${timed.unit}.timer`]);
  if (timer.code !== 0) {
    return { service: service.name, problem: timed.off, detail: (timer.stderr || timer.stdout).trim() };
  }
  const said = await engine.askOnHost(timed.command);
  if (said.code !== 0) {
    return { service: service.name, problem: timed.unknown, detail: (said.stderr || said.stdout).trim() };
  }
  const since = await engine.askOnHost(["stat", "--format", "%Y", timed.settings]);
  return { service: service.name, ...timed.judge(said.stdout, new Date(Number(since.stdout) * 1000)) };
}
