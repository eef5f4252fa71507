/**
 * Benchmark of the rehearsal cloud: times and memory of one run, written to bench/rehearsal.md. It needs root, the toolchain
 * and the images; it uses clouds with their own names, addresses and ports. With FORMER, the folder of a checkout of a former version,
 * single calls are compared with those of that version, in turns.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Project } from "../tests/contract/rehearsal/project.ts";
import { type CloudOptions, RehearsalCloud } from "../testing/cloud.ts";
import { docker, succeed } from "../testing/sandbox.ts";
import { pollConfig } from "../tools/rehearsal/files.ts";
import { callTimes } from "./calls.ts";
import { Descendants, peakOf, processorSeconds } from "./processes.ts";
import { machine, markdownTable, type Row, tableOf } from "./table.ts";
import { timed } from "./timed.ts";

const root = join(import.meta.dirname, "..");
const runs = 3;
const atOnce = 10;
const many = 300;
/** Seconds that a server rests before its memory is measured. */
const restSeconds = 30;

interface Measured {
  readonly seconds: readonly Row[];
  readonly mebibytes: readonly Row[];
}

async function repeat(times: number, measure: (round: number) => Promise<number>): Promise<number[]> {
  const values = [];
  for (let round = 0; round < times; round++) values.push(await measure(round));
  return values;
}

async function withCloud<T>(options: CloudOptions, work: (cloud: RehearsalCloud) => Promise<T>): Promise<T> {
  const cloud = new RehearsalCloud(root, options);
  try {
    return await work(cloud);
  } finally {
    cloud.dispose();
  }
}

/** Creates a server and waits until its Docker Engine answers over SSH. */
async function serve(cloud: RehearsalCloud, name: string): Promise<void> {
  const asked = { name, server_type: "cx23", image: "debian-12", ssh_keys: ["key"], user_data: "#cloud-config\n{}\n" };
  const { status, body } = await cloud.call("POST", "/hetzner/v1/servers", asked);
  if (status !== 201) throw new Error(JSON.stringify(body));
  await cloud.answers(await cloud.address(name), ["docker", "info"], 300);
}

async function clear(cloud: RehearsalCloud): Promise<void> {
  const servers = (await cloud.list("/servers", "servers")).map(({ id }) => Number(id));
  await Promise.all(servers.map((id) => cloud.hetzner("DELETE", `/servers/${id}`)));
}

/** MiB of each server of the cloud, measured on the host. */
function memoryOf(name: string): number[] {
  const units: Readonly<Record<string, number>> = { KiB: 2 ** -10, MiB: 1, GiB: 2 ** 10 };
  return docker("stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}").flatMap((line) => {
    const [container = "", used = ""] = line.split(" ");
    const [, number, unit = ""] = /^([\d.]+)(\w+)$/.exec(used) ?? [];
    return container.startsWith(`orion-cloud-${name}-server-`) ? [Number(number) * (units[unit] ?? NaN)] : [];
  });
}

const withMachines = (): Promise<Measured> =>
  withCloud({ name: "bench", block: 93, port: 8930, machines: "docker" }, async (cloud) => {
    const begin = async (): Promise<void> => {
      cloud.up();
      await cloud.hetzner("POST", "/ssh_keys", { name: "key", public_key: cloud.publicKey });
    };
    // Builds missing images before anything is measured.
    await begin();
    await serve(cloud, "first");
    const [down, up]: [number[], number[]] = [[], []];
    for (let round = 0; round < runs; round++) {
      down.push(await timed(() => cloud.down()));
      up.push(await timed(() => cloud.up()));
    }
    await begin();
    const one = await repeat(runs, async (round) => {
      await clear(cloud);
      return timed(() => serve(cloud, `one-${round}`));
    });
    await sleep(restSeconds * 1000);
    const atRest = memoryOf("bench");
    await clear(cloud);
    const names = Array.from({ length: atOnce }, (_, index) => `ten-${index}`);
    const ten = await timed(() => Promise.all(names.map((name) => serve(cloud, name))));
    await sleep(restSeconds * 1000);
    const each = memoryOf("bench");
    if (each.length !== atOnce) throw new Error(`${each.length} servers run, not ${atOnce}`);
    const emulator = peakOf(cloud.pid);
    const tenDown = await timed(() => cloud.down());
    return {
      seconds: [
        { what: "`make cloud-up`, images present", limit: 10, values: up },
        { what: "`make cloud-down`, at most one server", values: down },
        { what: "a server, from `POST /servers` to `docker info` over SSH", limit: 30, values: one },
        { what: `${atOnce} servers at once, until all of them answer`, values: [ten] },
        { what: `\`make cloud-down\`, ${atOnce} servers`, values: [tenDown] },
      ],
      mebibytes: [
        { what: "a server at rest", limit: 250, values: atRest },
        { what: `each of ${atOnce} servers`, limit: 250, values: each },
        { what: `${atOnce} servers together`, values: [each.reduce((sum, value) => sum + value, 0)] },
        { what: "the emulator, peak", values: [emulator] },
      ],
    };
  });

/** Measures many servers without machines, with the real engine and the real plugin. */
const withoutMachines = (): Promise<Measured> =>
  withCloud({ name: "benchmny", block: 94, port: 8940, machines: "none" }, async (cloud) => {
    cloud.up();
    const { port, token } = cloud.settings;
    const project = new Project(root, join(import.meta.dirname, "many-servers.ts"), {
      HCLOUD_TOKEN: token,
      HCLOUD_ENDPOINT: `http://127.0.0.1:${port}/hetzner/v1`,
    });
    try {
      succeed(await project.pulumi("stack", "init", "probe"));
      const config = { ...pollConfig, count: String(many), publicKey: cloud.publicKey };
      for (const [key, value] of Object.entries(config)) succeed(await project.pulumi("config", "set", key, value));
      const watch = new Descendants();
      const pulumi = (...args: string[]) => timed(async () => succeed(await project.pulumi(...args)));
      const up = await pulumi("up", "--yes", "--skip-preview");
      const servers = (await cloud.status()).servers.filter(
        ({ status, private: own }) => status === "running" && own[0],
      );
      if (servers.length !== many) throw new Error(`${servers.length} servers run in the network, not ${many}`);
      const emulated = processorSeconds(cloud.pid);
      const preview = await pulumi("preview", "--expect-no-changes");
      const refresh = await pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes");
      const page = await repeat(5, () => timed(() => cloud.call("GET", "/rehearsal/status")));
      const destroy = await pulumi("destroy", "--yes", "--skip-preview");
      const { peak, programs } = watch.stop();
      const emulator = peakOf(cloud.pid);
      return {
        seconds: [
          { what: `\`pulumi up\` of ${many} servers`, values: [up] },
          { what: "of it, processor time of the emulator", values: [emulated] },
          { what: "`pulumi preview` after it, no changes", values: [preview] },
          { what: "`pulumi refresh` after it, no changes", values: [refresh] },
          { what: "the data of the status page", values: page },
          { what: "`pulumi destroy`", values: [destroy] },
        ],
        mebibytes: [
          { what: `the emulator with ${many} servers, peak`, values: [emulator] },
          { what: "engine, program and plugins together, peak", values: [peak] },
          ...[...programs]
            .filter(([, used]) => used >= 1)
            .sort(([, a], [, b]) => b - a)
            .map(([name, used]) => ({ what: `of these: ${name}`, values: [used] })),
        ],
      };
    } finally {
      project.dispose();
    }
  });

/** Rounds in which each call is measured once. */
const rounds = 200;

/** Measures single calls, and the start of a cloud without machines and without storage. */
const singleCalls = (): Promise<string> =>
  withCloud({ name: "benchapi", block: 95, port: 8950, machines: "none" }, async (alone) => {
    const up: number[] = [];
    for (let round = 0; round < runs; round++) {
      up.push(await timed(() => alone.up()));
      alone.down();
    }
    const own = { name: "benchnow", block: 96, port: 8960, machines: "none", storage: true } as const;
    return withCloud(own, async (cloud) => {
      cloud.up();
      const former = process.env["FORMER"];
      const before = former && new RehearsalCloud(former, { ...own, name: "benchold", block: 97, port: 8970 });
      try {
        if (before) before.up();
        const clouds = [cloud, ...(before ? [before] : [])];
        const [now, then] = await callTimes(
          clouds.map(({ settings }) => settings),
          rounds,
        );
        const rows = [...(now ?? [])].map(([name, time]) => {
          const old = then?.get(name);
          return [name, time.toFixed(1), ...(old === undefined ? [] : [old.toFixed(1), (time / old).toFixed(2)])];
        });
        const heads = ["Milliseconds, median", "now", ...(then ? ["former version", "ratio"] : [])];
        const start = { what: "`make cloud-up MACHINES=none`", limit: 2, values: up };
        return `## Single calls, \`machines: none\`\n\n${tableOf("Seconds", [start], 1)}\n\n${markdownTable(heads, rows)}\n`;
      } finally {
        if (before) before.dispose();
      }
    });
  });

/** A section of the report; also printed at once, because the following measurements take minutes. */
function partOf(title: string, { seconds, mebibytes }: Measured): string {
  const text = `## ${title}\n\n${tableOf("Seconds", seconds, 1)}\n\n${tableOf("MiB", mebibytes, 0)}\n`;
  process.stdout.write(`${text}\n`);
  return text;
}

const parts = [
  `# The rehearsal cloud: times and memory\n`,
  `Measured by \`make bench-rehearsal\` on ${machine()}. The machine is shared and noisy.\n`,
  partOf("With machines", await withMachines()),
  await singleCalls(),
  partOf("`machines: none`, the real engine and the real hcloud plugin", await withoutMachines()),
];
writeFileSync(join(import.meta.dirname, "rehearsal.md"), parts.join("\n"));
