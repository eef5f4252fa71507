/** Starts the background process of a rehearsal cloud, and deletes a cloud with everything in it. */
import { spawn } from "node:child_process";
import { mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { UserError } from "../../common/user-error.ts";
import { progressOn } from "../../toolchain/src/progress.ts";
import { DockerMachines } from "../machines/docker/docker-machines.ts";
import { requireFreeAddresses } from "./addresses-in-use.ts";
import { CloudClient } from "./client.ts";
import { sources } from "./commands.ts";
import { checkHost } from "./check-host.ts";
import { requireNoTwinElsewhere } from "./other-folders.ts";
import {
  authorityIn,
  cloudServices,
  type CloudChoices,
  cloudFolder,
  type CloudSettings,
  makeSettings,
  readSettings,
  sshFolder,
} from "./settings.ts";

/** The program of the background process; compiled, it is JavaScript as this file is. */
const main = join(import.meta.dirname, `main${extname(import.meta.filename)}`);

export interface StartedCloud {
  readonly settings: CloudSettings;
  readonly client: CloudClient;
  readonly wasUp: boolean;
}

/**
 * Creates a cloud, or starts an existing one, and waits until it answers.
 *
 * @param root folder whose `.orion/cloud` has the clouds
 * @throws {UserError} when the choices are not valid or the process does not start
 */
export async function startCloud(root: string, name: string, choices: CloudChoices): Promise<StartedCloud> {
  const folder = cloudFolder(root, name);
  const before = readSettings(folder);
  const settings = makeSettings(folder, name, choices);
  const client = new CloudClient(settings);
  // A process reads its settings at its start, so changed settings need a restart; machines and data stay.
  if (before && !isDeepStrictEqual(before, settings)) await endProcess(folder);
  const { isUp, status } = await answerOf(folder, client);
  const wasUp = status !== undefined;
  if (isUp && !wasUp) await endProcess(folder);
  if (!wasUp) {
    if (settings.machines === "docker") await checkHost();
    try {
      if (settings.machines === "docker" && !before) await requireNoTwinElsewhere(settings);
      await requireFreeAddresses(folder, settings);
    } catch (error) {
      // A new cloud keeps its address block for ever: this one shall not be made with it.
      if (!before) rmSync(folder, { recursive: true });
      throw error;
    }
    await progressOn().during(`rehearsal cloud '${name}'`, "up", () => start(root, folder, name, client));
  }
  return { settings, client, wasUp };
}

/** Asks again for a few seconds while the cloud's process lives: it is not down because it missed one call. */
async function answerOf(folder: string, client: CloudClient): ReturnType<CloudClient["ask"]> {
  let answer = await client.ask();
  for (let tries = 0; tries < 50 && !answer.isUp && runningPid(folder) !== undefined; tries++) {
    await sleep(100);
    answer = await client.ask();
  }
  return answer;
}

/** Deletes a cloud with everything in it. @returns whether it existed */
export async function deleteCloud(root: string, name: string): Promise<boolean> {
  const folder = cloudFolder(root, name);
  const settings = readSettings(folder);
  if (!settings) return false;
  await progressOn().during(`rehearsal cloud '${name}'`, "gone", async () => {
    const pid = runningPid(folder);
    const client = new CloudClient(settings);
    if ((await client.ask()).isUp) await client.end();
    else if (pid !== undefined) process.kill(pid, "SIGTERM");
    await ended(folder, pid);
    // Also removes what a crashed process left behind.
    if (settings.machines === "docker") {
      const { instance, block } = settings;
      const places = {
        root: sources,
        folder,
        instance,
        block,
        cloudServices: cloudServices(block),
        authorityFile: authorityIn(folder),
      };
      await new DockerMachines({ ...places, progress: progressOn() }).destroyAll();
    }
    for (const each of [folder, sshFolder(folder, settings)]) rmSync(each, { recursive: true, force: true });
  });
  return true;
}

async function start(root: string, folder: string, name: string, client: CloudClient): Promise<void> {
  const log = join(folder, "cloud.log");
  mkdirSync(folder, { recursive: true });
  const output = openSync(log, "a");
  const before = readFileSync(log, "utf8").length;
  const child = spawn(process.execPath, [main, name, root], {
    cwd: root,
    detached: true,
    stdio: ["ignore", output, output],
  });
  child.unref();
  writeFileSync(join(folder, "pid"), String(child.pid));
  let code: number | null | undefined;
  child.once("exit", (ended) => (code = ended));
  while (!(await client.ask()).isUp) {
    if (code !== undefined) {
      const said = readFileSync(log, "utf8").slice(before).trim().split("\n");
      throw new UserError(`The rehearsal cloud did not start; the end of ${log}:\n${said.slice(-15).join("\n")}`);
    }
    await sleep(100);
  }
}

async function endProcess(folder: string): Promise<void> {
  const pid = runningPid(folder);
  if (pid === undefined) return;
  process.kill(pid, "SIGTERM");
  await ended(folder, pid);
}

async function ended(folder: string, pid: number | undefined): Promise<void> {
  while (pid !== undefined && runningPid(folder) === pid) await sleep(100);
}

/** Process id of a cloud, when that process still runs and is a rehearsal cloud. */
function runningPid(folder: string): number | undefined {
  const pid = Number(textOf(join(folder, "pid")));
  if (!(pid > 0)) return undefined;
  return textOf(`/proc/${pid}/cmdline`).includes(join("rehearsal", "cloud", "main.")) ? pid : undefined;
}

/** Empty when there is no such file; a process and its files may go at any moment. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
