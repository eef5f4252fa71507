/** Command line of the rehearsal cloud: the make commands that start with cloud-, and the package's own. */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { UserError } from "../../common/user-error.ts";
import { grouped } from "./changes.ts";
import { freePort } from "../../common/ports.ts";
import { CloudClient } from "./client.ts";
import { commandFor, isPackage, sources, version } from "./commands.ts";
import { parseFault, faultUsage, formatFault } from "./fault-syntax.ts";
import { durationText } from "./duration.ts";
import { healthOf, healthOfBalancer, healthOfTarget, problemsOf, worstFirst } from "./health.ts";
import { deleteCloud, startCloud } from "./process.ts";
import {
  type CloudChoices,
  cloudFolder,
  type CloudSettings,
  environmentOf,
  hasStorage,
  objectsEnvironmentOf,
  readSettings,
  requireOwnLayout,
} from "./settings.ts";
import { scenarioUsage } from "./scenarios.ts";
import type { Status } from "./status.ts";

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const program = isPackage ? "orion-rehearsal" : "node rehearsal/cloud/cli.ts";

const usage = `A cloud on this machine that emulates the APIs of Hetzner Cloud and Cloudflare.

Usage: ${program} up [OPTION...]     create a cloud, or start an existing one with everything in it
       ${program} status             show servers, load balancers, records, buckets and faults
       ${program} fault [list | add KIND WORD... | remove NUMBER|all]
       ${program} scenario [list | add "NAME WORD..., NAME..." | remove NAME|all]
       ${program} time [--forward 40d]
       ${program} down               delete the cloud with everything in it

Options of all commands:
  --name NAME         one of several clouds; one to eight of a-z and 0-9 (default: main)
  --folder FOLDER     keep clouds in its subfolder .orion/cloud (default: the ${isPackage ? "current folder" : "project"})
  --help, --version

Options of up:
  --machines KIND     docker: servers are real machines in containers, which needs Linux and root (default)
                      none: only the APIs, on any host
  --storage           with machines none: R2's S3 interface too, whose server is built with Go, once
  --port PORT         of the APIs and the status page; object storage has the next one; 0: a free one (default: 8470)
  --block NUMBER      second number of all addresses, 1 to 254; every cloud with machines needs its own (default: 77)
  --zones LIST        zones of the Cloudflare account: example.com,example.org:pro (default: example.com)

Kinds of faults with their arguments:
${faultUsage}

Scenarios:
${scenarioUsage}`;

let root = isPackage ? resolve(".") : sources;

function read() {
  return parseArgs({
    allowPositionals: true,
    options: {
      name: { type: "string", default: "main" },
      machines: { type: "string" },
      port: { type: "string" },
      block: { type: "string" },
      zones: { type: "string" },
      forward: { type: "string" },
      storage: { type: "boolean" },
      folder: { type: "string" },
      help: { type: "boolean", short: "h" },
      version: { type: "boolean" },
    },
  });
}

function readArguments(): ReturnType<typeof read> {
  try {
    return read();
  } catch (error) {
    throw new UserError(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  }
}

async function main(): Promise<void> {
  const { positionals, values } = readArguments();
  const { name, folder } = values;
  if (values.help || values.version) {
    say(values.help ? usage : version);
    return;
  }
  if (folder !== undefined) root = resolve(folder);
  switch (positionals[0]) {
    case "up":
      return up(name, {
        ...(values.machines && { machines: values.machines as CloudSettings["machines"] }),
        ...(values.storage && { storage: true }),
        ...(values.port && { port: values.port === "0" ? await freePort() : Number(values.port) }),
        ...(values.block && { block: Number(values.block) }),
        ...(values.zones && { zones: values.zones.split(",") }),
      });
    case "down":
      return down(name);
    case "status":
      return status(name);
    case "fault":
      return fault(name, positionals.slice(1));
    case "scenario":
      return scenario(name, positionals.slice(1));
    case "time":
      return time(name, values.forward);
    default:
      throw new UserError(usage);
  }
}

async function up(name: string, choices: CloudChoices): Promise<void> {
  const { settings, client, wasUp } = await startCloud(root, name, choices);
  if (wasUp) say(`Rehearsal cloud '${name}' is up already.`);
  show(await client.status());
  say("\nEnvironment variables for Pulumi and other clients:\n");
  // Without object storage, a cloud has buckets in its API only.
  const objects = hasStorage(settings) ? objectsEnvironmentOf(settings) : {};
  for (const [variable, value] of Object.entries({ ...environmentOf(settings), ...objects }))
    say(`  export ${variable}=${value}`);
}

async function down(name: string): Promise<void> {
  if (!(await deleteCloud(root, name))) say(`There is no rehearsal cloud '${name}'.`);
}

async function status(name: string): Promise<void> {
  const found = await clientOf(name).status();
  show(found);
  for (const line of newsOf(found)) say(line);
}

function clientOf(name: string): CloudClient {
  const settings = readSettings(cloudFolder(root, name));
  if (!settings) throw new UserError(`There is no rehearsal cloud '${name}'. Make one: ${commandFor("up")}`);
  requireOwnLayout(settings);
  return new CloudClient(settings);
}

async function fault(name: string, [command = "list", ...words]: readonly string[]): Promise<void> {
  const client = clientOf(name);
  switch (command) {
    case "list":
      showFaults(await client.status());
      return;
    case "add": {
      const { id, ...added } = await client.addFault(parseFault(words));
      // Killing a machine is an event, not a state that can be removed later, so it has no number.
      say(added["kind"] === "killed" ? formatFault(added) : `${String(id)}  ${formatFault(added)}`);
      return;
    }
    case "remove": {
      const [wanted = ""] = words;
      if (wanted !== "all" && !/^\d+$/.test(wanted)) {
        throw new UserError(
          `Got '${wanted}', expected the number of a fault or 'all'; ${commandFor("fault")} lists the faults.`,
        );
      }
      return client.removeFault(wanted === "all" ? wanted : Number(wanted));
    }
    default:
      throw new UserError(usage);
  }
}

async function scenario(name: string, [command = "list", ...words]: readonly string[]): Promise<void> {
  const client = clientOf(name);
  switch (command) {
    case "list": {
      const { instance, faults } = await client.status();
      const played = [...new Set(faults.flatMap(({ scenario: one }) => (typeof one === "string" ? [one] : [])))];
      const title = played.length === 0 ? "plays no scenario" : `plays: ${played.join(", ")}`;
      say(`Rehearsal cloud '${instance}' ${title}. The scenarios and their parameters:\n${scenarioUsage}`);
      return;
    }
    case "add":
      for (const one of await client.play(words.join(" "))) say(`Scenario '${one}' is played.`);
      return;
    case "remove":
      return client.endScenario(words[0] ?? "");
    default:
      throw new UserError(usage);
  }
}

async function time(name: string, forward: string | undefined): Promise<void> {
  const client = clientOf(name);
  if (forward !== undefined) await client.forward(forward);
  say(timeLine((await client.status()).clock));
}

const timeLine = ({ time: now, aheadMilliseconds: ahead }: Status["clock"]): string =>
  `The cloud's clock: ${now}${ahead === 0 ? ", as this machine's" : `, ${durationText(ahead)} ahead of this machine's`}`;

function showFaults({ instance, faults }: Status): void {
  if (faults.length === 0) say(`Rehearsal cloud '${instance}' has no faults. Available kinds:\n${faultUsage}`);
  for (const one of faults) say(`${one.id}  ${one.text}`);
}

/** What is up, as on the status page: what is not well comes first. */
function show(found: Status): void {
  say(`Rehearsal cloud '${found.instance}' (machines: ${found.machines}): ${found.page}`);
  if (found.clock.aheadMilliseconds > 0) say(timeLine(found.clock));
  for (const { what, state } of problemsOf(found)) say(`  not well: ${what}: ${state}`);
  const rows: [string, string][] = [
    ...worstFirst(found.servers, ({ status }) => healthOf(status)).map((one): [string, string] => [
      `server ${one.name}`,
      [one.status, `${one.type} in ${one.location}`, one.address ?? "no public address", ...one.private].join("  "),
    ]),
    ...worstFirst(found.balancers, healthOfBalancer).map((one): [string, string] => [
      `load balancer ${one.name}`,
      [
        one.address ?? "no public address",
        ...worstFirst(one.targets, healthOfTarget).map(
          ({ name, health }) => `${name}: ${health.map((each) => each.status).join(", ")}`,
        ),
      ].join("  "),
    ]),
    ...found.volumes.map((one): [string, string] => [
      `Volume ${one.name}`,
      [`${one.sizeGb} GB in ${one.location}`, one.server === null ? "not attached" : `attached to ${one.server}`].join(
        "  ",
      ),
    ]),
    ...found.networks.map((one): [string, string] => [`network ${one.name}`, one.range]),
    ...found.records.map((one): [string, string] => [`${one.type} ${one.name}`, one.content]),
    ...found.buckets.map((one): [string, string] => ["bucket", one]),
    ...found.faults.map((one): [string, string] => [`fault ${one.id}`, one.text]),
  ];
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  for (const [name, text] of rows) say(`  ${name.padEnd(width)}  ${text}`);
  if (rows.length === 0) say("  no resources yet");
}

/** The last changes, and the clients with errors. */
function newsOf({ changes, clients, totalCalls }: Status): string[] {
  const groups = grouped(changes).slice(0, 8);
  const hurt = clients.filter(({ errors }) => errors > 0);
  return [
    ...(groups.length > 0 ? ["", "Last changes, newest first (UTC):"] : []),
    ...groups.map(({ time, subject, verb, members }) => {
      const names = members.slice(0, 3).map(({ name, detail }) => (detail === null ? name : `${name} (${detail})`));
      const rest = members.length > names.length ? ` and ${members.length - names.length} more` : "";
      return `  ${time.slice(11, 19)}  ${subject} ${names.join(", ")}${rest}: ${verb}`;
    }),
    ...(totalCalls > 0
      ? ["", `Calls: ${totalCalls}; clients with errors: ${hurt.length === 0 ? "none" : ""}`.trimEnd()]
      : []),
    ...hurt.map(({ client, errors, total, lastError }) => {
      const last = lastError && [
        `${lastError.time.slice(11, 19)} ${lastError.method} ${lastError.path}`,
        lastError.status === 0 ? "aborted" : String(lastError.status),
        ...(lastError.problem === null ? [] : [lastError.problem]),
      ];
      return `  ${client}: ${errors} of ${total}; last: ${last?.join(" ") ?? ""}`;
    }),
  ];
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
