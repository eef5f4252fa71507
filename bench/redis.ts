/**
 * What users and TLS cost: two apps side by side, one with a Redis as before (one password, no TLS), one with Redis as it is,
 * asked in turns within one run, written to bench/redis.md. CPU time is read from the containers' control groups, so that what
 * else this machine does is not in it.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { redisUrl } from "../components/cache/redis-url.ts";
import { officialImages } from "../config/images.ts";
import { eventually } from "../testing/eventually.ts";
import { freePort } from "../common/ports.ts";
import { formerPassword, labPasswords, RedisLab, sampleImage } from "../testing/redis-lab.ts";
import { redisPorts } from "../topology/services/redis.ts";
import { machine, markdownTable, median, tableOf } from "./table.ts";

const rounds = 60;
const requestsInRound = 90;
const rawRounds = 6;
/** Percent of the platform's throughput. */
const limit = 5;
const authorityFile = "/etc/orion/ca.crt";

const lab = new RedisLab(`orion-bench-redis-${process.pid}`);
process.once("exit", () => {
  lab.dispose();
});

const variants = ["before", "now"] as const;
type Variant = (typeof variants)[number];
const server = (variant: Variant) => `redis-${variant}`;
const app = (variant: Variant) => `app-${variant}`;

/** Nanoseconds of CPU time that a container has used, by either version of control groups. */
function cpuOf(container: string): number {
  const id = lab.must(["inspect", "--format", "{{.Id}}", lab.named(container)]);
  const first = `/sys/fs/cgroup/cpuacct/docker/${id}/cpuacct.usage`;
  if (existsSync(first)) return Number(readFileSync(first, "utf8"));
  const stat = readFileSync(`/sys/fs/cgroup/system.slice/docker-${id}.scope/cpu.stat`, "utf8");
  return Number(/^usage_usec (\d+)$/m.exec(stat)?.[1]) * 1000;
}

async function startServers(): Promise<void> {
  const settings = `requirepass ${formerPassword}\nmaxmemory 64mb\nappendonly yes\nappendfsync everysec\ndir /data\nbind * -::*\n`;
  writeFileSync(join(lab.folder, "before.conf"), settings, { mode: 0o644 });
  const file = ["--volume", `${join(lab.folder, "before.conf")}:/etc/orion/redis.conf:ro`];
  lab.start(server("before"), ...file, officialImages.redis, "redis-server", "/etc/orion/redis.conf");
  await lab.write(server("now"), { use: "all", tls: lab.certify("now", `DNS:${lab.named(server("now"))}`) });
  await lab.startRedis(server("now"));
  lab.start("database", "--env", "POSTGRES_PASSWORD=bench", "--env", "POSTGRES_DB=orion_db", officialImages.postgres);
  await eventually(() => {
    lab.must(["exec", lab.named("database"), "pg_isready", "-h", "127.0.0.1", "-d", "orion_db"]);
  });
}

const urlOf = (variant: Variant, database: number): string =>
  variant === "before"
    ? `redis://:${formerPassword}@${lab.named(server("before"))}:${redisPorts.redis}/${database}`
    : redisUrl(
        { address: `${lab.named(server("now"))}:${redisPorts.tls}`, authorityFile },
        "app",
        labPasswords.app,
        database,
      );

/** Starts an app with one process. @returns its URL on this machine */
async function startApp(variant: Variant, image: string): Promise<string> {
  const port = await freePort();
  const environment = {
    DATABASE_URL: `postgresql://postgres:bench@${lab.named("database")}:5432/orion_db`,
    ...{ REDIS_URL: urlOf(variant, 0), CELERY_BROKER_URL: urlOf(variant, 1) },
    ...{ CELERY_RESULT_BACKEND: urlOf(variant, 2), FEATURE_FLAGS_URL: urlOf(variant, 3) },
    ...{ SECRET_KEY: "0123456789abcdef0123456789abcdef", RATE_LIMIT_PER_MINUTE: "10000000" },
  };
  lab.start(
    app(variant),
    ...Object.entries(environment).flatMap(([key, value]) => ["--env", `${key}=${value}`]),
    ...["--volume", `${join(lab.folder, "now-ca.crt")}:${authorityFile}:ro`, "--publish", `127.0.0.1:${port}:8000`],
    ...[
      image,
      "sh",
      "-c",
      "alembic upgrade head && python scripts/seed/init_production.py && exec uvicorn main:app --host 0.0.0.0 --timeout-keep-alive 75",
    ],
  );
  const url = `http://127.0.0.1:${port}`;
  await eventually(async () => {
    const { status } = await fetch(`${url}/ready`);
    if (status !== 200) throw new Error(`${variant}: /ready answers ${status}`);
  });
  return url;
}

/** What visitors do: a page, a feature flag, a login. Each of them uses Redis at least once. */
const requests: readonly ((url: string) => Promise<Response>)[] = [
  (url) => fetch(`${url}/`),
  (url) => fetch(`${url}/flags/letzshop_import`),
  (url) =>
    fetch(`${url}/session`, {
      ...{ method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ user: "ada" }) },
    }),
];

/** Sends a round of requests, four at a time. @returns requests a second, and milliseconds of CPU time for each */
async function round(variant: Variant, url: string): Promise<{ rate: number; cpu: number }> {
  const used = () => [app(variant), server(variant), "database"].reduce((sum, name) => sum + cpuOf(name), 0);
  const [before, began] = [used(), performance.now()];
  let next = 0;
  const visitor = async () => {
    while (next < requestsInRound) {
      const response = await requests[next++ % requests.length]?.(url);
      await response?.arrayBuffer();
      if (!response?.ok) throw new Error(`${variant}: ${response?.url} answers ${response?.status}`);
    }
  };
  await Promise.all(Array.from({ length: 4 }, visitor));
  const seconds = (performance.now() - began) / 1000;
  return { rate: requestsInRound / seconds, cpu: (used() - before) / 1e6 / requestsInRound };
}

/** Thousands of SETs and GETs a second, by redis-benchmark from another container. */
function rawRate(variant: Variant): number {
  const how =
    variant === "before"
      ? ["-p", String(redisPorts.redis), "-a", formerPassword]
      : ["-p", String(redisPorts.tls), "--tls", "--cacert", "/ca.crt", "--user", "worker", "-a", labPasswords.worker];
  const { stdout } = spawnSync(
    "docker",
    [
      ...["run", "--rm", "--network", lab.prefix, "--volume", `${join(lab.folder, "now-ca.crt")}:/ca.crt:ro`],
      ...["--entrypoint", "redis-benchmark", officialImages.redis, "-h", lab.named(server(variant)), ...how],
      ...["-t", "set,get", "-n", "20000", "-c", "16", "--csv"],
    ],
    { encoding: "utf8" },
  );
  const rates = [...stdout.matchAll(/^"(?:SET|GET)","([\d.]+)"/gm)].map(([, rate]) => Number(rate) / 1000);
  if (rates.length !== 2) throw new Error(stdout);
  return rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
}

/** Microseconds of CPU time that redis-py needs for a GET, in the client. */
function clientCpu(variant: Variant): number {
  const script =
    "import os, time, redis; r = redis.Redis.from_url(os.environ['REDIS_URL']); r.get('x'); t = time.process_time()\n" +
    "for _ in range(4000): r.get('x')\nprint((time.process_time() - t) / 4000 * 1e6)";
  return Number(lab.must(["exec", lab.named(app(variant)), "python", "-c", script]));
}

await startServers();
const image = sampleImage();
const urls = { before: await startApp("before", image), now: await startApp("now", image) };
const measured = { before: [] as { rate: number; cpu: number }[], now: [] as { rate: number; cpu: number }[] };
for (const variant of variants) await round(variant, urls[variant]);
for (let n = 0; n < rounds; n++) {
  // The order changes each time, so that a slow phase of the machine meets both.
  for (const variant of n % 2 === 0 ? variants : [...variants].reverse()) {
    measured[variant].push(await round(variant, urls[variant]));
  }
}
const raw: Record<Variant, number[]> = { before: [], now: [] };
const client: Record<Variant, number[]> = { before: [], now: [] };
for (let n = 0; n < rawRounds; n++) {
  for (const variant of variants) {
    raw[variant].push(rawRate(variant));
    client[variant].push(clientCpu(variant));
  }
}

const words = { before: "one password, no TLS", now: "users and TLS" } as const;
const cpu = (variant: Variant) => measured[variant].map((one) => one.cpu);
const rows = (values: (variant: Variant) => readonly number[]) =>
  variants.map((variant) => ({ what: words[variant], values: values(variant) }));
/** Of neighbouring rounds, since the machine's load differs from one to the next. */
const pairs = measured.now.map((now, at) => ({ now, before: measured.before[at] ?? now }));
const cost = median(pairs.map(({ now, before }) => (now.cpu / before.cpu - 1) * 100));
const rateCost = median(pairs.map(({ now, before }) => (1 - now.rate / before.rate) * 100));

writeFileSync(
  join(import.meta.dirname, "redis.md"),
  `# The cost of Redis' users and TLS

Measured by \`make bench-redis\` on ${machine()}. Two apps with one process each and a Redis of their own are asked in turns, within one
run: a page, a feature flag and a login, four visitors at a time, ${requestsInRound} requests a round. The costs are medians over pairs of rounds.

${markdownTable(
  ["Cost of users and TLS", "percent", "limit"],
  [
    ["CPU time of app, Redis and database per request", cost.toFixed(1), limit],
    ["requests a second; with what else the machine does", rateCost.toFixed(1), limit],
  ],
)}

${tableOf("CPU time per request, ms", rows(cpu), 2)}

${tableOf(
  "Requests a second",
  rows((variant) => measured[variant].map(({ rate }) => rate)),
  0,
)}

Redis alone, without an app in front of it:

${tableOf(
  "redis-benchmark, thousands of SET and GET a second",
  rows((variant) => raw[variant]),
  1,
)}

${tableOf(
  "redis-py, µs of the client's CPU time per GET",
  rows((variant) => client[variant]),
  0,
)}
`,
);
