/**
 * Measures docs/restore.md: its commands, as they are in the page, on an empty Debian machine with nothing but the bucket's
 * credentials and the private key. Written to bench/restore.md. It needs Docker and the package sources of Debian.
 *
 * Usage: node bench/restore.ts [ROWS [IMAGE]]
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BackupLab } from "../testing/backup-lab.ts";
import { succeed } from "../testing/sandbox.ts";
import { machine, markdownTable } from "./table.ts";
import { timed } from "./timed.ts";

const root = join(import.meta.dirname, "..");
const [, , rows = "2000000", image = "debian:12"] = process.argv;
const primary = "orion-bench-restore";
const lab = new BackupLab({ root, primary });

/** The page's commands, with a mark before each block. */
function pageFor(time: string): string {
  const { endpoint, bucket, id, secret } = lab.store;
  const page = readFileSync(join(root, "docs", "restore.md"), "utf8");
  const blocks = [...page.matchAll(/```sh\n([^]*?)```/g)].map(([, block = ""]) => block);
  return blocks
    .map((block) => `echo "### $(date +%s.%N)"\n${block}`)
    .join("")
    .concat('echo "### $(date +%s.%N)"\n')
    .replace("https://ACCOUNT.r2.cloudflarestorage.com", endpoint)
    .replace("KEY_ID=ID", `KEY_ID=${id}`)
    .replace("KEY=SECRET", `KEY=${secret}`)
    .replace("store:BUCKET-backups/", `store:${bucket}/`)
    .replace("AGE-SECRET-KEY-1...", lab.key.identity)
    .replace(/^time=\S+$/m, `time=${time}`);
}

try {
  await lab.start();
  await lab.sql(
    primary,
    `CREATE TABLE orders AS SELECT n AS id, md5(n::text) AS reference, repeat(md5((n * 7)::text), 4) AS details FROM generate_series(1, ${rows}) AS n;
     ALTER TABLE orders ADD PRIMARY KEY (id); CREATE INDEX ON orders (reference); CREATE ROLE reporting LOGIN PASSWORD 'x'; GRANT SELECT ON orders TO reporting`,
  );
  const size = await lab.sql(primary, "SELECT pg_size_pretty(pg_database_size('orion_db'))");
  const backup = await timed(async () => succeed(await lab.backup()));
  const text = pageFor(lab.newest);
  let output = "";
  const whole = await timed(async () => {
    output = succeed(
      await lab.run("docker", ["run", "--rm", "--interactive", image, "bash", "-euo", "pipefail", "-s"], text),
    );
  });
  if (!output.includes(`ok       public.orders: ${rows} rows`) || output.includes("DIFFERS"))
    throw new Error(`not everything came back:\n${output}`);
  const times = [...output.matchAll(/^### (\S+)$/gm)].map(([, at]) => Number(at));
  const names = ["packages", "credentials and key", "list", "fetch and check", "restore", "compare, analyze"];
  writeFileSync(
    join(root, "bench", "restore.md"),
    `# Restore on an empty machine

The commands of docs/restore.md in an empty Debian 12, with nothing but the bucket's credentials and the private key. Measured by
\`make bench-restore\` on ${machine()}. The bucket is the rehearsal's object storage on the same
machine, and packages come from Debian's mirror. The database has ${rows} rows in one table with two indexes, ${size}; its backup took ${backup.toFixed(0)} s.

${markdownTable(
  ["step", "seconds"],
  [
    ...names.map((name, index) => [name, ((times[index + 1] ?? NaN) - (times[index] ?? NaN)).toFixed(0)]),
    ["**all**", whole.toFixed(0)],
  ],
)}

Every table had the rows of the manifest. A larger database takes longer in the last three steps.
`,
  );
  process.stdout.write(`${output}\n`);
} finally {
  await lab.stop();
}
