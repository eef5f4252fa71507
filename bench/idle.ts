/**
 * What the mvp phase takes of a server that nobody visits, on a rehearsal cloud, with the health checks that it has and with
 * those that it had before, written to bench/idle.md. CPU time is read from the server's control groups, so that what else
 * this machine does is not in it. It needs root, the toolchain and the images to be there; it uses a cloud of its own name,
 * addresses and port.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { RehearsalCloud } from "../testing/cloud.ts";
import { RehearsedPlatform } from "../testing/platform.ts";
import { serversOf } from "../testing/servers.ts";
import { machine, tableOf } from "./table.ts";

const root = join(import.meta.dirname, "..");
const server = "core-1";
const cloud = new RehearsalCloud(root, { name: "benchidl", block: 98, port: 8980, machines: "docker" });
const platform = new RehearsedPlatform(root, cloud);
const { on } = serversOf(cloud);

const minutes = { now: 3, before: 2 };
/** After an update it takes so many seconds until every container is only asked now and then. */
const settleSeconds = 90;
/** Percent of a core. */
const limit = 5;

/** CPU time of the whole server, then of each container behind its service; by either version of control groups. */
const readCpu = `
usage() {
  if [ -e "/sys/fs/cgroup/cpuacct$1/cpuacct.usage" ]; then cat "/sys/fs/cgroup/cpuacct$1/cpuacct.usage"
  else sed -n 's/^usage_usec \\(.*\\)/\\1000/p' "/sys/fs/cgroup$2/cpu.stat"
  fi
}
echo "server $(usage '' '')"
docker ps --no-trunc --format '{{.ID}} {{.Label "service"}}' | while read -r id service; do
  echo "$service $(usage "/docker/$id" "/system.slice/docker-$id.scope")"
done`;

/** Nanoseconds of CPU time by service; those of the whole server as \`server\`. */
async function cpuTimes(): Promise<ReadonlyMap<string, number>> {
  const lines = (await on(server, "sh", "-c", readCpu)).map((line) => line.split(" "));
  return new Map(lines.map(([name = "", time]) => [name, Number(time)]));
}

/** Percent of a core within a minute. */
interface Share {
  readonly around: number;
  readonly services: ReadonlyMap<string, number>;
}
const inside = ({ services }: Share): number => [...services.values()].reduce((sum, each) => sum + each, 0);

/** @param meanwhile what goes on in this minute. @returns CPU seconds that are not to be counted */
async function minute(meanwhile: () => Promise<number>): Promise<Share> {
  const [before, started] = [await cpuTimes(), performance.now()];
  // The minute begins first: a command on the server holds up this process.
  const [, notCounted] = await Promise.all([sleep(60_000), meanwhile()]);
  const [after, seconds] = [await cpuTimes(), (performance.now() - started) / 1000];
  const percent = (name: string) => ((after.get(name) ?? NaN) - (before.get(name) ?? NaN)) / 1e7 / seconds;
  const services = new Map([...after.keys()].filter((name) => name !== "server").map((name) => [name, percent(name)]));
  const all = percent("server") - (notCounted / seconds) * 100;
  return { services, around: all - inside({ around: 0, services }) };
}

async function measure(runs: number, meanwhile: () => Promise<number>): Promise<Share[]> {
  const shares: Share[] = [];
  for (let run = 0; run < runs; run++) shares.push(await minute(meanwhile));
  return shares;
}

const quiet = () => Promise.resolve(0);
const formerChecks = async (): Promise<number> => {
  const program = readFileSync(join(import.meta.dirname, "former-checks.py"), "utf8");
  const [own = ""] = await on(server, "python3", "-c", program, "58");
  return Number(own);
};

const rows = (shares: readonly Share[], most?: number) => [
  {
    what: "the whole server",
    ...(most !== undefined && { limit: most }),
    values: shares.map((share) => inside(share) + share.around),
  },
  { what: "inside the containers", values: shares.map(inside) },
  { what: "around them: Docker Engine, containerd, systemd", values: shares.map(({ around }) => around) },
];

const serviceRows = (shares: readonly Share[]) =>
  [...(shares[0]?.services.keys() ?? [])]
    .sort()
    .map((what) => ({ what, values: shares.map(({ services }) => services.get(what) ?? NaN) }));

try {
  cloud.rehearse("mvp");
  await platform.healthy();
  await sleep(settleSeconds * 1000);
  const now = await measure(minutes.now, quiet);
  const before = await measure(minutes.before, formerChecks);
  const text = `# The mvp phase at rest

Measured by \`make bench-idle\` on ${machine()}; the load of the machine was ${(loadavg()[0] ?? NaN).toFixed(1)}. Nobody visits
the platform; Beat sends a task every thirty seconds. A run is a minute of CPU time, by the server's control groups.

${tableOf("Percent of a core", rows(now, limit), 1)}

The same containers with, beside their own, the health checks that they had until now: an interpreter or a client of the service
every two to five seconds in each (\`bench/former-checks.py\`). On a machine that is busy these come less often than on one
that is not.

${tableOf("Percent of a core", rows(before), 1)}

By service, with the checks of now:

${tableOf("Percent of a core", serviceRows(now), 2)}

And with those before:

${tableOf("Percent of a core", serviceRows(before), 2)}
`;
  writeFileSync(join(import.meta.dirname, "idle.md"), text);
  process.stdout.write(`\n${text}\n`);
} finally {
  cloud.dispose();
}
