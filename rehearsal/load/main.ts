/**
 * Command line of the load generator: runs a steady load on a platform until a time limit or a signal, then verifies every
 * acknowledged order and prints the results. It connects to loopback only.
 */
import dns from "node:dns";
import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { UserError } from "../../common/user-error.ts";
import { LoadGenerator, type LedgerTally, type Tally } from "./load-generator.ts";
import { Visitor } from "./visitor.ts";

const usage = `Usage: node rehearsal/load/main.ts --url https://orion.example.com --at 127.77.255.1 [--seconds 60]
         [--orders 5] [--pages 5] [--page /]... [--uploads 0.5] [--sockets 5] [--settle 120] [--report FILE]

    --at      loopback address to use for the URL's host name
    --orders, --pages, --uploads   requests per second
    --page    path of a page, which GET answers with 200; several are asked in turn
    --sockets  number of WebSockets open at the same time
    --settle  seconds that the tasks of the orders may take after the load has ended
    --report  file for the full result, as JSON

Set NODE_EXTRA_CA_CERTS to the certificate authority of the edge.`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      url: { type: "string" },
      at: { type: "string" },
      seconds: { type: "string", default: "60" },
      orders: { type: "string", default: "5" },
      pages: { type: "string", default: "5" },
      page: { type: "string", multiple: true, default: ["/"] },
      uploads: { type: "string", default: "0.5" },
      sockets: { type: "string", default: "5" },
      settle: { type: "string", default: "120" },
      report: { type: "string" },
    },
  });
  const { url, at } = values;
  if (url === undefined || at === undefined) throw new UserError(usage);
  if (!/^127(\.\d{1,3}){3}$/.test(at)) throw new UserError(`--at: got ${at}, expected a loopback address 127.x.y.z`);
  resolveTo(new URL(url).hostname, at);
  const load = new LoadGenerator({
    visitor: new Visitor(url.replace(/\/$/, ""), values.page),
    orders: number("orders", values.orders),
    pages: number("pages", values.pages),
    uploads: number("uploads", values.uploads),
    sockets: number("sockets", values.sockets),
  });
  load.start();
  // The timer must not keep the process alive after a signal.
  await Promise.race([sleep(number("seconds", values.seconds) * 1000, undefined, { ref: false }), signalled()]);
  await load.stop();
  const [tally, ledger] = [load.tally(), await load.verifyLedger(number("settle", values.settle))];
  if (values.report) writeFileSync(values.report, `${JSON.stringify({ ...tally, ledger })}\n`);
  process.stdout.write(`${summaryOf(tally, ledger)}\n`);
  process.exitCode = isClean(tally, ledger) ? 0 : 1;
}

function number(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value >= 0) return value;
  throw new UserError(`--${name}: got ${text}, expected a number of 0 or more`);
}

/** Resolves one host name to a fixed address in this process; all other names are resolved as usual. */
function resolveTo(hostname: string, address: string): void {
  const usual = dns.lookup;
  const lookup = (name: string, options: unknown, settle?: unknown): void => {
    const callback = (settle ?? options) as (error: null, found: unknown, family?: number) => void;
    const wantsAll = typeof options === "object" && options !== null && "all" in options && options.all === true;
    if (name !== hostname) Reflect.apply(usual, dns, [name, options, settle]);
    else if (wantsAll) callback(null, [{ address, family: 4 }]);
    else callback(null, address, 4);
  };
  Object.assign(dns, { lookup });
}

const signalled = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const)
      process.once(signal, () => {
        resolve();
      });
  });

const isClean = ({ failures }: Tally, { lost, doubled, unconfirmed }: LedgerTally): boolean =>
  failures.length + lost.length + doubled.length + unconfirmed.length === 0;

function summaryOf({ answered, failures, reconnected, latency }: Tally, ledger: LedgerTally): string {
  const kinds = Object.entries(answered).map(([what, count]) => `${count} ${what}s`);
  return [
    `answered     ${kinds.join(", ")}; ${latency.median} ms in the median, ${latency.p99} ms at 99 %, ${latency.slowest} ms at most`,
    `failed       ${failures.length}`,
    ...failures.slice(0, 10).map(({ time, what, why }) => `             ${time} ${what}: ${why}`),
    `WebSockets   ${reconnected} ended by the platform and opened again`,
    `orders       ${ledger.acknowledged} acknowledged, ${ledger.lost.length} lost, ${ledger.doubled.length} doubled, ${ledger.unconfirmed.length} without their task`,
  ].join("\n");
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
