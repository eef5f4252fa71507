/**
 * Benchmark of `make promote-replica` on a rehearsal cloud under a steady load: core-1 with the primary is lost, and then
 * db-2 with its successor. Written to bench/promotion.md. It needs root, the toolchain and the images; it uses a cloud with
 * its own name, addresses and port.
 */
import { deepStrictEqual } from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { RehearsalCloud } from "../testing/cloud.ts";
import type { LoadReport } from "../rehearsal/load/process.ts";
import { RehearsedPlatform } from "../testing/platform.ts";
import { promote } from "../testing/promote.ts";
import { serversOf } from "../testing/servers.ts";
import { machine, markdownTable } from "./table.ts";
import { tell } from "./tell.ts";
import { timed } from "./timed.ts";
import { orderHeads, ordersOf } from "./under-load.ts";

const root = join(import.meta.dirname, "..");
const cloud = new RehearsalCloud(root, { name: "benchpro", block: 92, port: 8920, machines: "docker" });
const platform = new RehearsedPlatform(root, cloud);
const { query, power } = serversOf(cloud);

interface Loss {
  readonly server: string;
  /** Seconds from the start of the command until orders are accepted. */
  readonly untilOrders: number;
  /** Seconds until a new replica streams and the command has ended. */
  readonly untilReplica: number;
  readonly report: LoadReport;
}

/** Cuts the power of the primary's server under load and promotes its replica. @throws when the result is not as expected */
async function lose(server: string, replica: { readonly server: string; readonly service: string }): Promise<Loss> {
  let untilOrders = 0;
  const { result: untilReplica, report } = await platform.underLoad(async () => {
    await sleep(20_000);
    await power(server, "poweroff");
    return timed(async () => ({ seconds: untilOrders } = await promote(root, cloud)));
  });
  deepStrictEqual(await query(replica.server, replica.service, "SELECT state FROM pg_stat_replication"), ["streaming"]);
  deepStrictEqual([report.ledger.doubled, report.ledger.unconfirmed], [[], []]);
  tell(`${server}: ${untilOrders.toFixed(0)} s, ${untilReplica.toFixed(0)} s`);
  return { server, untilOrders, untilReplica, report };
}

const rowOf = ({ server, untilOrders, untilReplica, report }: Loss): (string | number)[] => [
  server,
  untilOrders.toFixed(0),
  untilReplica.toFixed(0),
  ...ordersOf(report),
];

try {
  cloud.rehearse("scale");
  const losses = [
    await lose("core-1", { server: "db-2", service: "replica-1" }),
    await lose("db-2", { server: "db-3", service: "replica-2" }),
  ];
  writeFileSync(
    join(import.meta.dirname, "promotion.md"),
    `# Loss of the server with the primary

Measured by \`make bench-promotion\` on ${machine()}. The machine is shared and noisy, and runs the load, the cloud and all
servers at the same time. The server loses power under 2 orders per second; \`make promote-replica\` is started at once.
Acknowledged orders that are not on the replica are lost, because replication is asynchronous.

${markdownTable(["lost server", "seconds until orders are accepted", "until a new replica streams", ...orderHeads], losses.map(rowOf))}
`,
  );
} finally {
  cloud.dispose();
}
