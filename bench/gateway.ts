/**
 * What the way through gateway and PgBouncer costs a query, and what a spike of clients gets: the same client asks over all ways in
 * turns, within one run, written to bench/gateway.md.
 */
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { authorityFile } from "../common/server-contract.ts";
import { pooledEnvironment, verifyingEnvironment } from "../components/database/postgres-tls.ts";
import { GatewayLab } from "../testing/gateway-lab.ts";
import { databasePasswords } from "../testing/lab-postgres.ts";
import { imagesOf } from "../testing/redis-lab.ts";
import { poolerPorts } from "../topology/services/pgbouncer.ts";
import { machine, markdownTable, median, tableOf } from "./table.ts";

/** Milliseconds that gateway and PgBouncer may add to the median of a query. */
const limit = 0.3;
const rounds = 40;
const queriesInRound = 200;
const clients = 2000;
const queriesOfClient = 5;
/** Connections without a pooler that fit beside the reserve. */
const fitting = 80;

const lab = new GatewayLab(`orion-bench-gateway-${process.pid}`);
process.once("exit", () => {
  lab.dispose();
});

const ways = { direct: "primary:5432", gateway: "gateway:5434", pooled: "gateway:5432" } as const;
type Way = keyof typeof ways;

const titles: Readonly<Record<Way, string>> = {
  direct: "to PostgreSQL itself",
  gateway: "through the gateway",
  pooled: "through gateway and PgBouncer",
};

async function start(): Promise<void> {
  const images = imagesOf("app", "haproxy", "postgres", "pooler");
  chmodSync(lab.folder, 0o755);
  await lab.startPostgres("primary", { memoryMb: 1024, maxConnections: 100 });
  await lab.startPooler("pooler", images("pgbouncer"), { connections: 14, upstream: "direct" });
  const check = "connection";
  const pooler = { name: "pgbouncer-1", address: `${lab.named("pooler")}:${poolerPorts.postgres}` };
  const primary = { name: "primary", address: `${lab.address("primary")}:5432` };
  await lab.writeGateway([
    { port: "database", check, servers: [pooler] },
    { port: "direct", check, servers: [primary] },
  ]);
  await lab.startGateway();
  const urls = Object.entries(ways).map(([way, address]) => {
    return `${way}=postgresql://orion_app_a:${databasePasswords["app"] ?? ""}@${address}/orion_db`;
  });
  const environment = [
    ...urls,
    ...Object.entries({ ...verifyingEnvironment, ...pooledEnvironment }).map((pair) => pair.join("=")),
  ];
  lab.start(
    "client",
    ...environment.flatMap((variable) => ["--env", variable]),
    ...["--volume", `${lab.authorityFile}:${authorityFile}:ro`, "--ulimit", "nofile=8192:8192"],
    ...[images("sample-app"), "sleep", "3600"],
  );
}

function python<Result>(program: string, schema: z.ZodType<Result>): Result {
  const { code, output } = lab.inside("client", ["timeout", "600", "python", "-"], program);
  if (code !== 0) throw new Error(output);
  return schema.parse(JSON.parse(output));
}

/** Medians of each round, in milliseconds: a query over each way in turn, so that what else the machine does meets all of them. */
const latencies = `
import json, os, psycopg, time
ways = ${JSON.stringify(Object.keys(ways))}
connections = {way: psycopg.connect(os.environ[way], autocommit=True, prepare_threshold=0) for way in ways}
medians = {way: [] for way in ways}
for turn in range(${rounds} + 2):
    times = {way: [] for way in ways}
    for _ in range(${queriesInRound}):
        for way in ways:
            begun = time.perf_counter()
            connections[way].execute("SELECT n FROM generate_series(1, 3) AS n WHERE n = %s", (2,)).fetchone()
            times[way].append(1000 * (time.perf_counter() - begun))
    if turn >= 2:
        for way in ways: medians[way].append(sorted(times[way])[${queriesInRound} // 2])
print(json.dumps(medians))
`;

/** Clients at once, each with a connection of its own; milliseconds of their queries and the number that got no connection. */
const spike = (way: Way, count: number, queries: number) => `
import asyncio, json, os, psycopg, time
times, refused = [], 0
async def connect():
    global refused
    try: return await psycopg.AsyncConnection.connect(os.environ["${way}"], autocommit=True, connect_timeout=120)
    except psycopg.OperationalError: refused += 1
async def ask(connection):
    for _ in range(${queries}):
        begun = time.perf_counter()
        await (await connection.execute("SELECT count(*) FROM generate_series(1, 100)")).fetchone()
        times.append(1000 * (time.perf_counter() - begun))
async def main():
    connections = [one for one in await asyncio.gather(*(connect() for _ in range(${count}))) if one]
    begun = time.perf_counter()
    await asyncio.gather(*(ask(connection) for connection in connections))
    seconds = time.perf_counter() - begun
    times.sort()
    at = lambda share: times[int(len(times) * share)]
    print(json.dumps({"refused": refused, "p50": at(0.5), "p95": at(0.95), "rate": len(times) / seconds}))
asyncio.run(main())
`;

const spikeSchema = z.object({ refused: z.number(), p50: z.number(), p95: z.number(), rate: z.number() });

await start();
const list = z.array(z.number());
const medians = python(latencies, z.object({ direct: list, gateway: list, pooled: list }));
const costOf = (way: Way) => medians[way].map((value, at) => value - (medians.direct[at] ?? NaN));
const spikes = [
  {
    what: `${fitting} clients, to PostgreSQL itself`,
    ...python(spike("direct", fitting, (clients * queriesOfClient) / fitting), spikeSchema),
  },
  {
    what: `${clients} clients, to PostgreSQL itself`,
    ...python(spike("direct", clients, queriesOfClient), spikeSchema),
  },
  {
    what: `${clients} clients, through gateway and PgBouncer`,
    ...python(spike("pooled", clients, queriesOfClient), spikeSchema),
  },
];
const rowsOf = (values: (way: Way) => readonly number[], of: readonly Way[]) =>
  of.map((way) => ({
    what: titles[way],
    values: values(way),
    ...(way === "pooled" && values === costOf && { limit }),
  }));

writeFileSync(
  join(import.meta.dirname, "gateway.md"),
  `# The way through gateway and PgBouncer

Measured by \`make bench-gateway\` on ${machine()}. Everything runs on this machine, in containers, with TLS and \`verify-full\`.

## A query

One client asks over three connections in turns, ${queriesInRound} queries a round, the same prepared statement. The figures are the medians of rounds; the cost
is the difference within a round.

${tableOf(
  "Median of a query, ms",
  rowsOf((way) => medians[way], ["direct", "gateway", "pooled"]),
  3,
)}

${tableOf("Cost beside a direct connection, ms", rowsOf(costOf, ["gateway", "pooled"]), 3)}

## A spike

All clients are connected before the first query; each then asks without a pause, ${clients * queriesOfClient} queries in all. PostgreSQL accepts 100 connections, PgBouncer may
open 14 of them. A query's time has its wait for a connection in it.

${markdownTable(
  ["Clients", "refused", "p50, ms", "p95, ms", "queries a second"],
  spikes.map(({ what, refused, p50, p95, rate }) => [what, refused, p50.toFixed(1), p95.toFixed(1), Math.round(rate)]),
)}
`,
);
const cost = median(costOf("pooled"));
console.log(`cost of gateway and PgBouncer: ${cost.toFixed(3)} ms of the median of a query (limit ${limit})`);
process.exit(cost > limit || spikes.at(-1)?.refused !== 0 ? 1 : 0);
