/**
 * Benchmark of `make move-database` on a rehearsal cloud: the data of a stack goes from a provider's PostgreSQL to its own and back, under
 * a steady load, in phases mvp and scale, with poolers and (in mvp) without. Written to bench/external.md. It needs root, the
 * toolchain and the images; it uses a cloud with its own name, addresses and port.
 */
import { writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { moveUnderLoad, type MovedUnderLoad } from "../testing/database-move.ts";
import { ExternalStack } from "../testing/external-stack.ts";
import { succeed } from "../testing/sandbox.ts";
import { machine, markdownTable, type Row, tableOf } from "./table.ts";
import { tell } from "./tell.ts";
import { orderHeads, ordersOf } from "./under-load.ts";
import { timed } from "./timed.ts";

const root = join(import.meta.dirname, "..");
/** There and back so many times in each phase. */
const repetitions = Number(process.env["REPETITIONS"] ?? 3);

interface Part {
  readonly title: string;
  readonly isPooled: boolean;
  readonly moves: readonly MovedUnderLoad[];
  readonly busy: number;
}

const ways = [
  ["own", "external to own"],
  ["external", "own to external"],
] as const;

/** Rows of one figure, by direction. */
const rowsOf = (
  moves: readonly MovedUnderLoad[],
  what: string,
  value: (moved: MovedUnderLoad) => number,
  limit?: number,
): Row[] =>
  ways.map(([to, title]) => ({
    what: `${title}: ${what}`,
    values: moves.filter((moved) => moved.to === to).map(value),
    ...(limit !== undefined && { limit }),
  }));

function sectionOf({ title, isPooled, moves, busy }: Part): string {
  const limit = isPooled ? 10 : undefined;
  const rows = [
    ...rowsOf(
      moves,
      isPooled ? "writes wait" : "writes are refused until the target is complete",
      ({ paused }) => paused,
      limit,
    ),
    ...rowsOf(moves, "longest time without an acknowledged order", ({ withoutOrder }) => withoutOrder, limit),
    ...rowsOf(moves, "slowest order", ({ slowestOrder }) => slowestOrder),
    ...rowsOf(moves, "the update afterwards", ({ update }) => update),
  ];
  const orders = markdownTable(
    ["move", "rows compared", "answered", "failed", ...orderHeads],
    moves.map((moved) => [
      ways.find(([to]) => to === moved.to)?.[1] ?? "",
      ...[moved.rows, Object.values(moved.report.answered).reduce((sum, one) => sum + one, 0)],
      ...[moved.report.failures.length, ...ordersOf(moved.report)],
    ]),
  );
  return `## ${title}\n\n${tableOf("seconds", rows, 1)}\n\n${orders}\n\nThe load average of the machine was ${busy.toFixed(0)} at the end.\n`;
}

const head = (first: string) => `# Moves of the database between a provider's PostgreSQL and the stack's own

Measured by \`make bench-external\` on ${machine()}. The machine is shared and noisy, and runs the load, the cloud, the provider and all
servers at the same time. PostgreSQL and Redis of the provider are on the cloud's Internet, over TLS with an authority of their own.

Beside each move come 2 orders and 2 pages per second, an upload every five seconds and 3 WebSockets, from eight seconds before it until eight
seconds after it. With PgBouncer (\`orion:database.pooler\`) it holds what clients ask until the target is complete, and no process is
replaced; without, writes are refused until the update has replaced all of them.

${first}
`;

const parts: Part[] = [];
let first = "";
const write = () => {
  writeFileSync(join(import.meta.dirname, "external.md"), `${head(first)}\n${parts.map(sectionOf).join("\n")}`);
};

async function measure(stack: ExternalStack, title: string, times: number, isPooled: boolean): Promise<void> {
  const moves: MovedUnderLoad[] = [];
  for (let n = 0; n < times; n++)
    for (const [to] of ways) {
      const moved = await moveUnderLoad(stack, to);
      moves.push(moved);
      tell(
        `${title}, to ${to}: ${moved.paused} s, ${moved.withoutOrder.toFixed(1)} s without an order, ${moved.report.failures.length} failed`,
      );
    }
  parts.push({ title, isPooled, moves, busy: loadavg()[0] ?? 0 });
  write();
}

const stack = await ExternalStack.start(root, { name: "benchext", block: 99, port: 9900 });
try {
  const urls = await stack.startServices();
  stack.configure({
    database: { mode: "external", maxConnections: 100, movable: true, memoryMb: 2560, authority: stack.authority },
    cache: { mode: "external" },
  });
  stack.initialise();
  // It only makes the rehearsal's own file.
  stack.rehearse("mvp");
  stack.setSecrets("rehearsal", urls);
  const up = await timed(() => succeed(stack.rehearse("mvp")));
  await measure(stack, "Phase mvp without PgBouncer", 1, false);
  stack.configure({ database: { pooler: true }, gateway: { enabled: true } });
  succeed(stack.rehearse("mvp"));
  await measure(stack, "Phase mvp with PgBouncer", repetitions, true);
  const toScale = await timed(() => succeed(stack.rehearse("scale")));
  first = `Phase mvp with external services came up in ${up.toFixed(0)} s, its move to phase scale took ${toScale.toFixed(0)} s.\n`;
  await measure(stack, "Phase scale with PgBouncer", repetitions, true);
} finally {
  stack.dispose();
}
