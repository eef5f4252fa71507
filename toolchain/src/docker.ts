/** Makes sure that a Docker Engine is reachable: uses a running one, starts an installed one, or installs one as root. */
import { spawn } from "node:child_process";
import { accessSync, closeSync, constants, mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { chosenEngine, textOf } from "../../common/docker-host.ts";
import { UserError } from "../../common/user-error.ts";
import { type Progress, progressOn } from "./progress.ts";
import { type Outcome, type Run, tryRun } from "../../common/process.ts";

/** The machine that Docker runs on: its facts and the operations on it. Tests pass their own. */
export interface Machine {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  readonly isRoot: boolean;
  /** Name of process 1: `systemd` on most machines, something else in most containers. */
  readonly init: string;
  /** Text of /etc/os-release. */
  readonly osRelease: string;
  readonly run: Run;
  readonly progress: Progress;
  /** The text of a file; undefined when it cannot be read. */
  readonly readText: (path: string) => string | undefined;
  /** Removes a file, if it is there. */
  readonly removeFile: (path: string) => void;
  has(program: string): boolean;
  /** Starts a program that keeps running after this process has ended. */
  startDetached(program: string, log: string, pidFile: string): void;
  sleep(seconds: number): Promise<unknown>;
}

const packages = ["docker.io", "iptables"];
export const daemonLog = "/var/log/dockerd.log";
export const daemonPid = "/var/run/dockerd-orion.pid";
export const installLog = "/var/log/orion-docker-install.log";

/** Seconds after its start within which the Docker Engine must be ready. */
const readinessTimeout = 30;

/**
 * Makes sure that the `docker` command reaches an engine: starts or installs one if necessary.
 *
 * @throws {UserError} when that fails or needs rights that this user lacks; the message says what to do
 */
export async function ensureDocker(machine: Machine = thisMachine()): Promise<void> {
  const answer = await dockerInfo(machine);
  if (answer.code === 0) return;
  refuseForeign(machine, answer);
  if (!machine.has("dockerd")) await install(machine, answer);
  if (!(await isReady(machine))) await start(machine);
}

/** Version of the running Docker Engine; undefined when none is reachable. */
export async function dockerVersion(machine: Machine = thisMachine()): Promise<string | undefined> {
  const { code, stdout } = await dockerInfo(machine);
  return code === 0 ? stdout.trim() : undefined;
}

const dockerInfo = ({ run: start }: Machine): Promise<Outcome> =>
  start("docker", ["info", "--format", "{{.ServerVersion}}"], { timeoutSeconds: 10 });

const isReady = async (machine: Machine): Promise<boolean> => (await dockerInfo(machine)).code === 0;

/** Refuses when the user chose another engine or lacks the right to use it: installing one would help with neither. */
function refuseForeign({ env, readText }: Machine, { stderr }: Outcome): void {
  const { host, by } = chosenEngine(env, readText);
  if (by !== undefined) {
    const at = by.includes(host) ? by : `${host}, which ${by} names`;
    const otherwise = by.startsWith("DOCKER_HOST") ? "unset DOCKER_HOST" : "run: docker context use default,";
    throw new UserError(
      `No Docker Engine answers at ${at}: ${firstLine(stderr)}\nStart it, or ${otherwise} to use the engine of this machine.`,
    );
  }
  if (/permission denied/i.test(stderr)) {
    throw new UserError(
      "The Docker Engine runs, but you may not use it. Join its group and log in again: sudo usermod -aG docker $USER",
    );
  }
}

async function install(machine: Machine, { stderr }: Outcome): Promise<void> {
  if (machine.platform !== "linux") {
    throw new UserError(
      "No Docker Engine answers. Start Docker Desktop (https://docs.docker.com/desktop/), then try again.",
    );
  }
  const isDebian = /^(ID|ID_LIKE)=.*\b(debian|ubuntu)\b/m.test(machine.osRelease);
  if (!isDebian || !machine.isRoot) {
    const command = isDebian
      ? `sudo apt-get install -y ${packages.join(" ")}`
      : "https://docs.docker.com/engine/install/";
    const what = machine.has("docker")
      ? `No Docker Engine answers: ${firstLine(stderr)}`
      : "No Docker Engine is installed.";
    throw new UserError(`${what}\nInstall one and start it: ${command}`);
  }
  await machine.progress.during(`Docker Engine: installing ${packages.join(" and ")}`, "installed", async () => {
    const apt = (...args: string[]) =>
      machine.run("apt-get", args, {
        environment: { ...machine.env, DEBIAN_FRONTEND: "noninteractive" },
        log: installLog,
      });
    await apt("update");
    // Newer Debian releases have the client in a separate package.
    const client = (await machine.run("apt-cache", ["show", "docker-cli"])).code === 0 ? ["docker-cli"] : [];
    const { code } = await apt("install", "-y", ...packages, ...client);
    if (code !== 0 || !machine.has("dockerd")) {
      throw new UserError(
        `apt-get could not install ${packages.join(" and ")}. Check the network and the package sources; the log: ${installLog}`,
      );
    }
  });
}

async function start(machine: Machine): Promise<void> {
  const usesSystemd = machine.init === "systemd";
  if (!usesSystemd && !machine.isRoot) {
    throw new UserError(
      "The Docker Engine is installed but does not run. Start it: sudo dockerd (or sudo service docker start)",
    );
  }
  await machine.progress.during("Docker Engine: starting", "running", async () => {
    if (usesSystemd) {
      const { code, stderr } = await machine.run("systemctl", ["start", "docker"], { timeoutSeconds: 60 });
      if (code !== 0) {
        throw new UserError(
          `The Docker Engine could not be started: ${firstLine(stderr)}\n` +
            (machine.isRoot ? "See why: journalctl -u docker" : "Start it: sudo systemctl start docker"),
        );
      }
    } else {
      machine.startDetached("dockerd", daemonLog, daemonPid);
    }
    for (let waited = 0; waited < readinessTimeout; waited++) {
      if (await isReady(machine)) return;
      await machine.sleep(1);
    }
    throw new UserError(
      `The Docker Engine was started but does not answer after ${readinessTimeout} s. See why: ` +
        (usesSystemd ? "journalctl -u docker" : daemonLog),
    );
  });
}

const firstLine = (text: string): string => text.trim().split("\n")[0] ?? "";

export function thisMachine(): Machine {
  const { env } = process;
  return {
    env,
    platform: process.platform,
    isRoot: process.getuid?.() === 0,
    init: (textOf("/proc/1/comm") ?? "").trim(),
    osRelease: textOf("/etc/os-release") ?? "",
    run: tryRun,
    progress: progressOn(),
    readText: textOf,
    removeFile: (path) => {
      rmSync(path, { force: true });
    },
    // The PATH of an ordinary user often lacks the folders of system daemons.
    has: (program) =>
      `${env["PATH"] ?? ""}${delimiter}/usr/sbin${delimiter}/sbin`
        .split(delimiter)
        .some((folder) => isExecutable(join(folder, program))),
    startDetached(program, log, pidFile) {
      mkdirSync("/var/run", { recursive: true });
      const output = openSync(log, "a");
      const child = spawn(program, [], {
        detached: true,
        stdio: ["ignore", output, output],
        env: { ...env, PATH: `${env["PATH"] ?? ""}${delimiter}/usr/sbin${delimiter}/sbin` },
      });
      closeSync(output);
      child.on("error", () => undefined);
      if (child.pid !== undefined) writeFileSync(pidFile, `${child.pid}\n`);
      child.unref();
    },
    sleep: (seconds) => sleep(seconds * 1000),
  };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
