/** make cloud-up, cloud-down, cloud-status. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { progressOn } from "../../toolchain/src/progress.ts";
import { UserError } from "../../toolchain/src/run.ts";
import { DockerMachines } from "../machines/docker/docker-machines.ts";
import { checkHost } from "./host.ts";
import {
  cloudAddresses,
  type CloudChoices,
  cloudFolder,
  type CloudSettings,
  environmentOf,
  makeSettings,
  readSettings,
} from "./settings.ts";
import { readStatus, type Status } from "./status.ts";

const root = join(import.meta.dirname, "..", "..");
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const usage = `Usage: node rehearsal/cloud/cli.ts up|down|status [--name main] [--machines docker|none] [--port 8470]
                                    [--block 77] [--zones example.com,example.org]`;

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      name: { type: "string", default: "main" },
      machines: { type: "string" },
      port: { type: "string" },
      block: { type: "string" },
      zones: { type: "string" },
    },
  });
  const { name } = values;
  switch (positionals[0]) {
    case "up":
      return up(name, {
        ...(values.machines && { machines: values.machines as CloudSettings["machines"] }),
        ...(values.port && { port: Number(values.port) }),
        ...(values.block && { block: Number(values.block) }),
        ...(values.zones && { zones: values.zones.split(",") }),
      });
    case "down":
      return down(name);
    case "status":
      return status(name);
    default:
      throw new UserError(usage);
  }
}

async function up(name: string, choices: CloudChoices): Promise<void> {
  const folder = cloudFolder(root, name);
  const settings = makeSettings(folder, name, choices);
  if (await ask(settings)) {
    say(`Rehearsal cloud '${name}' is up already.`);
  } else {
    if (settings.machines === "docker") await checkHost();
    await progressOn().during(`rehearsal cloud '${name}'`, "up", () => start(folder, settings));
  }
  show(await requireStatus(settings));
  say("\nIts variables, for the engine and every client:\n");
  for (const [variable, value] of Object.entries(environmentOf(settings))) say(`  export ${variable}=${value}`);
}

/** Starts the process and waits until it answers. */
async function start(folder: string, settings: CloudSettings): Promise<void> {
  const log = join(folder, "cloud.log");
  mkdirSync(folder, { recursive: true });
  const output = openSync(log, "a");
  const before = readFileSync(log, "utf8").length;
  const child = spawn(process.execPath, [join(import.meta.dirname, "main.ts"), settings.instance], {
    cwd: root,
    detached: true,
    stdio: ["ignore", output, output],
  });
  child.unref();
  writeFileSync(join(folder, "pid"), String(child.pid));
  let code: number | null | undefined;
  child.once("exit", (ended) => (code = ended));
  while (!(await ask(settings))) {
    if (code !== undefined) {
      const said = readFileSync(log, "utf8").slice(before).trim().split("\n");
      throw new UserError(`The rehearsal cloud did not start; the end of ${log}:\n${said.slice(-15).join("\n")}`);
    }
    await sleep(100);
  }
}

async function down(name: string): Promise<void> {
  const folder = cloudFolder(root, name);
  const settings = readSettings(folder);
  if (!settings) {
    say(`There is no rehearsal cloud '${name}'.`);
    return;
  }
  await progressOn().during(`rehearsal cloud '${name}'`, "gone", async () => {
    const pid = runningPid(folder);
    if (await ask(settings)) await call(settings, "POST", "/rehearsal/down");
    else if (pid !== undefined) process.kill(pid, "SIGTERM");
    while (pid !== undefined && runningPid(folder) === pid) await sleep(100);
    // What a process that crashed has left.
    if (settings.machines === "docker") {
      const { instance, block } = settings;
      const places = { root, folder, instance, block, cloudAddresses: cloudAddresses(block) };
      const options = { ...places, progress: progressOn() };
      await new DockerMachines(options).destroyAll();
    }
    rmSync(folder, { recursive: true, force: true });
  });
}

async function status(name: string): Promise<void> {
  const settings = readSettings(cloudFolder(root, name));
  if (!settings) throw new UserError(`There is no rehearsal cloud '${name}'. Make one: make cloud-up`);
  show(await requireStatus(settings));
}

/** The process of a cloud, when it is that and still runs. */
function runningPid(folder: string): number | undefined {
  const path = join(folder, "pid");
  const pid = existsSync(path) ? Number(readFileSync(path, "utf8")) : 0;
  const commandLine = `/proc/${pid}/cmdline`;
  if (pid <= 0 || !existsSync(commandLine)) return undefined;
  return readFileSync(commandLine, "utf8").includes("rehearsal/cloud/main.ts") ? pid : undefined;
}

async function requireStatus(settings: CloudSettings): Promise<Status> {
  const found = await ask(settings);
  if (found) return found;
  throw new UserError(`The rehearsal cloud '${settings.instance}' does not answer. Start it: make cloud-up`);
}

/** The status, when this very cloud answers. */
async function ask(settings: CloudSettings): Promise<Status | undefined> {
  try {
    const response = await call(settings, "GET", "/rehearsal/status");
    if (response.status === 401) {
      throw new UserError(
        `Something else answers on port ${settings.port}. End it, or choose another port: make cloud-up PORT=8480`,
      );
    }
    return response.ok ? readStatus(await response.json()) : undefined;
  } catch (error) {
    if (error instanceof UserError) throw error;
    return undefined;
  }
}

const call = (settings: CloudSettings, method: string, path: string): Promise<Response> =>
  fetch(`http://127.0.0.1:${settings.port}${path}`, {
    method,
    headers: { authorization: `Bearer ${settings.token}` },
    signal: AbortSignal.timeout(10_000),
  });

function show(found: Status): void {
  say(`Rehearsal cloud '${found.instance}' (machines: ${found.machines}): ${found.page}`);
  const rows: [string, string][] = [
    ...found.servers.map((one): [string, string] => [
      `server ${one.name}`,
      [one.status, one.type, one.address ?? "no public address", ...one.private].join("  "),
    ]),
    ...found.balancers.map((one): [string, string] => [
      `load balancer ${one.name}`,
      [
        one.address ?? "no public address",
        ...one.targets.map(({ name, health }) => `${name}: ${health.map((each) => each.status).join(", ")}`),
      ].join("  "),
    ]),
    ...found.records.map((one): [string, string] => [`${one.type} ${one.name}`, one.content]),
    ...found.buckets.map((one): [string, string] => ["bucket", one]),
    ...found.faults.map((one): [string, string] => [`fault ${one.id}`, one.kind]),
  ];
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  for (const [name, text] of rows) say(`  ${name.padEnd(width)}  ${text}`);
  if (rows.length === 0) say("  nothing yet");
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
