/** Command line of the rehearsal cloud: runs make cloud-up, cloud-down, cloud-status and cloud-fault. */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { UserError } from "../../common/user-error.ts";
import { CloudClient } from "./client.ts";
import { parseFault, faultUsage, formatFault } from "./fault-syntax.ts";
import { deleteCloud, startCloud } from "./process.ts";
import { type CloudChoices, cloudFolder, type CloudSettings, environmentOf, readSettings } from "./settings.ts";
import type { Status } from "./status.ts";

const root = join(import.meta.dirname, "..", "..");
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const usage = `Usage: node rehearsal/cloud/cli.ts up|down|status [--name main] [--machines docker|none] [--port 8470]
                                    [--block 77] [--zones example.com,example.org:pro]
       node rehearsal/cloud/cli.ts fault [list | add KIND WORD... | remove NUMBER|all] [--name main]

Kinds of faults with their arguments:
${faultUsage}`;

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
    case "fault":
      return fault(name, positionals.slice(1));
    default:
      throw new UserError(usage);
  }
}

async function up(name: string, choices: CloudChoices): Promise<void> {
  const { settings, client, wasUp } = await startCloud(root, name, choices);
  if (wasUp) say(`Rehearsal cloud '${name}' is up already.`);
  show(await client.status());
  say("\nEnvironment variables for Pulumi and other clients:\n");
  for (const [variable, value] of Object.entries(environmentOf(settings))) say(`  export ${variable}=${value}`);
}

async function down(name: string): Promise<void> {
  if (!(await deleteCloud(root, name))) say(`There is no rehearsal cloud '${name}'.`);
}

async function status(name: string): Promise<void> {
  show(await clientOf(name).status());
}

function clientOf(name: string): CloudClient {
  const settings = readSettings(cloudFolder(root, name));
  if (!settings) throw new UserError(`There is no rehearsal cloud '${name}'. Make one: make cloud-up`);
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
          `Got '${wanted}', expected the number of a fault or 'all'; make cloud-fault lists the faults.`,
        );
      }
      return client.removeFault(wanted === "all" ? wanted : Number(wanted));
    }
    default:
      throw new UserError(usage);
  }
}

function showFaults({ instance, faults }: Status): void {
  if (faults.length === 0) say(`Rehearsal cloud '${instance}' has no faults. Available kinds:\n${faultUsage}`);
  for (const one of faults) say(`${one.id}  ${formatFault(one)}`);
}

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
    ...found.faults.map((one): [string, string] => [`fault ${one.id}`, formatFault(one)]),
  ];
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  for (const [name, text] of rows) say(`  ${name.padEnd(width)}  ${text}`);
  if (rows.length === 0) say("  no resources yet");
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
