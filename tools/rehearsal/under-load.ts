/** `make rehearse LOAD=1`: moves the rehearsed platform under a load with a ledger, and writes the report of it. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { loadavg } from "node:os";
import { join, relative, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type LoadReport, ratesOf, startLoad } from "../../rehearsal/load/process.ts";
import { pictureOf, pictureOfChange } from "../diagram/diagram.ts";
import { dotOf, type Picture } from "../diagram/dot.ts";
import { toSvg } from "../diagram/render.ts";
import { inventoryOf } from "../plan/inventory.ts";
import { engineLogOf } from "../report/engine-steps.ts";
import { pageOf } from "../report/page.ts";
import type { RehearsalRecord } from "../report/record.ts";
import { verdictOf } from "../report/verdict.ts";
import { writeReport } from "../report/write.ts";
import type { StackFile } from "../stack-file.ts";
import { bold, say } from "../terminal.ts";
import type { RestoredData } from "./data/restore.ts";
import { compared, keptNow } from "./kept.ts";
import { bringUp, type Prepared, prepare } from "./rehearse.ts";
import { start, type StartOptions } from "./start.ts";
import { urlOf } from "./url.ts";
import { versionsOf } from "./versions.ts";

export interface LoadedOptions extends StartOptions {
  /** The report's file, relative to the project. @default a new one in .orion/reports */
  readonly out: string | undefined;
}

/** Seconds of load before and after the update, to compare with. */
const calmSeconds = 20;
/** The load ends after this time even if nothing stops it. */
const mostSeconds = 3 * 3600;

/** @returns 0 when the update was complete and no acknowledged order is missing */
export async function rehearseUnderLoad(options: LoadedOptions): Promise<number> {
  const { root } = options;
  const { before, data } = await start(options);
  const prepared = await prepare(options);
  const measured = await measure(prepared, before);
  const record = await recordOf(prepared, before, measured, { data, name: options.data });
  const file = resolve(root, options.out ?? join(".orion", "reports", `${fileNameOf(record)}.html`));
  writeReport(file, record, pageOf(record));
  const { level, sentences } = verdictOf(record);
  say(`\n${bold("The rehearsal under load:")} ${sentences.join(" ")}\nThe report: ${relative(root, file)}`);
  return level === "bad" ? 1 : 0;
}

interface Measured {
  readonly code: number;
  readonly from: number;
  readonly to: number;
  readonly events: string;
  readonly kept: RehearsalRecord["kept"];
  readonly load: LoadReport;
}

/** Runs the update under load. */
async function measure(prepared: Prepared, before: StackFile): Promise<Measured> {
  const { options, folder, file, cloud } = prepared;
  const url = urlOf(file);
  const eventLog = join(folder, "events.json");
  rmSync(eventLog, { force: true });
  const kept = keptNow(folder, before);
  // Ctrl-C ends the engine in good order; the load and the report still come to their end.
  const ignore = () => undefined;
  process.on("SIGINT", ignore);
  const running = startLoad(options.root, cloud.settings, url, mostSeconds, file.settings.rehearsal.pages);
  let load: LoadReport | undefined;
  try {
    say(`The load runs for ${calmSeconds} s before the update, and as long after it.`);
    await sleep(calmSeconds * 1000);
    const from = Date.now();
    const code = await bringUp(prepared, eventLog);
    const to = Date.now();
    await sleep(calmSeconds * 1000);
    say("The load ends; every acknowledged order is looked up.");
    load = await running.stop();
    // An engine that ended at once has written none.
    const events = existsSync(eventLog) ? readFileSync(eventLog, "utf8") : "";
    return { code, from, to, events, kept: compared(kept, keptNow(folder, file)), load };
  } finally {
    if (load === undefined) await running.stop().catch(ignore);
    process.off("SIGINT", ignore);
  }
}

async function recordOf(
  prepared: Prepared,
  before: StackFile,
  measured: Measured,
  { data, name: dataName }: { readonly data: RestoredData | undefined; readonly name: string | undefined },
): Promise<RehearsalRecord> {
  const { options, file: after, deliveries } = prepared;
  const { root, stack, cloud } = options;
  const { code, from, to, events, kept, load } = measured;
  const servers = [...new Set([before, after].flatMap(({ topology }) => topology.servers.map(({ name }) => name)))];
  const { source, date } = inventoryOf(after).cost;
  return {
    version: 1,
    ...{ stack, cloud, began: load.began },
    before: await sideOf(before),
    after: await sideOf(after),
    change: await drawn(pictureOfChange(before, after)),
    prices: `${source}, ${date}`,
    update: { from, to, code, ...copied(engineLogOf(events, servers)) },
    kept,
    ...(data !== undefined && { data }),
    load,
    rates: sent(after.settings.rehearsal.pages),
    versions: versionsOf(root, deliveries),
    notes: notesOf(),
    commands: commandsOf(before, after, cloud, dataName),
  };
}

const copied = ({ steps, unchanged }: ReturnType<typeof engineLogOf>) => ({ steps: [...steps], unchanged });

const drawn = (picture: Picture): Promise<string> => toSvg(dotOf(picture));

async function sideOf(file: StackFile): Promise<RehearsalRecord["before"]> {
  const { cost } = inventoryOf(file);
  const picture = await drawn(pictureOf(file));
  return { phase: file.settings.phase, picture, monthly: cost.monthly, costs: cost.items.map((item) => ({ ...item })) };
}

/** The rates of the load's parts, without those that it has not. */
const sent = (pages: readonly string[] | undefined): Record<string, number> =>
  Object.fromEntries(Object.entries(ratesOf(pages)).filter(([, rate]) => rate > 0));

const notesOf = (): string[] => [
  `One machine runs the load, the cloud and all servers; its load average at the end was ${(loadavg()[0] ?? 0).toFixed(1)}. ` +
    "Creating a server takes seconds here and about half a minute at Hetzner; containers and databases take the time that they take.",
];

const commandsOf = (
  { settings: was }: StackFile,
  { settings: is, stack }: StackFile,
  cloud: string,
  data: string | undefined,
): string[] => {
  const rest = `STACK=${stack} CLOUD=${cloud}`;
  return [
    `make rehearse PHASE=${was.phase} ${rest}`,
    `make rehearse PHASE=${is.phase} LOAD=1${data === undefined ? "" : ` DATA=${data}`} ${rest}`,
    `make cloud-down CLOUD=${cloud}`,
  ];
};

/** `20261129-1310-prod-mvp-to-scale`. */
const fileNameOf = ({ began, stack, before, after }: RehearsalRecord): string => {
  const time = new Date(began).toISOString().slice(0, 16).replaceAll(/[-:]/g, "").replace("T", "-");
  return [time, stack, before.phase, ...(before.phase === after.phase ? [] : ["to", after.phase])].join("-");
};
