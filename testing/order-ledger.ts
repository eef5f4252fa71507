/**
 * Orders that a client gives to a database one after the other and writes down as soon as each is acknowledged, and the proof that
 * a database restored to a second has exactly those of them that it must have; beside them, changes of any size.
 */
import { deepStrictEqual } from "node:assert/strict";
import type { ArchiveLab } from "./archive-lab.ts";

export interface Order {
  readonly id: number;
  readonly reference: string;
  /** Seconds since the epoch by the database's clock: before its commit, and when the commit was acknowledged. */
  readonly begun: number;
  readonly acknowledged: number;
}

/** Prints the orders of a database, one a line. */
export const ordersQuery = "SELECT 'order ' || id || ' ' || reference FROM orders ORDER BY id";

/** Bytes of a row of `documents` in its page, and of the random bytes in it. Base64 compresses to three quarters. */
const row = { bytes: 8192 / 9, random: 600 };

export async function createTables(lab: ArchiveLab): Promise<void> {
  await lab.sql(`CREATE EXTENSION pgcrypto;
    CREATE TABLE orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, reference uuid DEFAULT gen_random_uuid(), begun timestamptz DEFAULT clock_timestamp());
    CREATE TABLE documents (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text)`);
}

/** Writes so many bytes of text that does not compress well, in one transaction. */
export const writeDocuments = (lab: ArchiveLab, bytes: number): Promise<string> =>
  lab.sql(
    `INSERT INTO documents (body) SELECT encode(gen_random_bytes(${row.random}), 'base64') FROM generate_series(1, ${Math.ceil(bytes / row.bytes)})`,
  );

/** Gives orders to the database until `stop`, one every 50 ms, each in a transaction of its own. */
export function giveOrders(lab: ArchiveLab): { stop(): Promise<readonly Order[]> } {
  const stop = "/tmp/orders.stop";
  // \gset has the values once the commit is acknowledged.
  const session = lab.shell(`while [ ! -e ${stop} ]; do
  echo 'INSERT INTO orders DEFAULT VALUES RETURNING id, reference, extract(epoch FROM begun) AS begun \\gset'
  echo "SELECT :id, :'reference', :begun, extract(epoch FROM clock_timestamp());"
  sleep 0.05
done | psql -XqtA -v ON_ERROR_STOP=1
rm ${stop}`);
  // Reported by stop().
  session.catch(() => undefined);
  return {
    async stop() {
      await lab.shell(`touch ${stop}`);
      return (await session).split("\n").map((line) => {
        const [id, reference = "", begun, acknowledged] = line.split("|");
        return { id: Number(id), reference, begun: Number(begun), acknowledged: Number(acknowledged) };
      });
    },
  };
}

/**
 * Proves that a restored database has every order that was acknowledged up to a second, and none that was given after it.
 *
 * @param printed what `ordersQuery` printed in it, among other lines
 * @returns number of orders in it, and of those that were given later
 * @throws {Error} when it has other orders than it must have
 */
export function prove(ledger: readonly Order[], second: string, printed: string): { before: number; after: number } {
  const at = Date.parse(`${second.replace(" ", "T")}Z`) / 1000;
  const restored = [...printed.matchAll(/^order (\d+) (\S+)$/gm)].map(([, id, reference]) => [Number(id), reference]);
  const before = ledger.filter(({ acknowledged }) => acknowledged <= at).length;
  const after = ledger.filter(({ begun }) => begun > at).length;
  // One may have been on its way in that moment.
  if (before === 0 || after === 0 || before > restored.length || restored.length > ledger.length - after) {
    throw new Error(
      `${restored.length} orders were restored; of ${ledger.length}, ${before} were acknowledged up to ${second} and ${after} given after it`,
    );
  }
  deepStrictEqual(
    restored,
    ledger.slice(0, restored.length).map(({ id, reference }) => [id, reference]),
  );
  return { before: restored.length, after: ledger.length - restored.length };
}
