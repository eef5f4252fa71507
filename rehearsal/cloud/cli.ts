/** make cloud-up, cloud-down, cloud-status. */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { UserError } from "../../toolchain/src/run.ts";
import { CloudClient } from "./client.ts";
import { endCloud, startCloud } from "./process.ts";
import { type CloudChoices, cloudFolder, type CloudSettings, environmentOf, readSettings } from "./settings.ts";
import { type Status } from "./status.ts";

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
  const { settings, client, wasUp } = await startCloud(root, name, choices);
  if (wasUp) say(`Rehearsal cloud '${name}' is up already.`);
  show(await client.status());
  say("\nIts variables, for the engine and every client:\n");
  for (const [variable, value] of Object.entries(environmentOf(settings))) say(`  export ${variable}=${value}`);
}

async function down(name: string): Promise<void> {
  if (!(await endCloud(root, name))) say(`There is no rehearsal cloud '${name}'.`);
}

async function status(name: string): Promise<void> {
  const settings = readSettings(cloudFolder(root, name));
  if (!settings) throw new UserError(`There is no rehearsal cloud '${name}'. Make one: make cloud-up`);
  show(await new CloudClient(settings).status());
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
