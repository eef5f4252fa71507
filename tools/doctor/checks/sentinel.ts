/** Checks that a Sentinel has the quorum for a failover, that it sees each master up, and that all Sentinels name the same masters. */
import { z } from "zod";
import { sentinelMonitor } from "../../../common/redis-contract.ts";
import { servicesOf, type Topology } from "../../../topology/topology.ts";
import type { Checked } from "../advice.ts";
import type { Exec, Question } from "../question.ts";

const masters = z.array(
  z.object({
    name: z.string(),
    ip: z.string(),
    port: z.string(),
    flags: z.string(),
    "num-slaves": z.coerce.number(),
    "num-other-sentinels": z.coerce.number(),
  }),
);
type Master = z.infer<typeof masters>[number];

export async function checkSentinel({ service, topology, exec }: Question): Promise<Checked> {
  const seen = await mastersOf(exec, service);
  if (typeof seen === "string") return { problem: "sentinel-refuses", detail: seen };
  const quorums = await Promise.all(
    seen.map(({ name }) => exec(service, ...sentinelMonitor.split(" "), "sentinel", "ckquorum", name)),
  );
  const lost = quorums.map(({ output }) => output).filter((answer) => !answer.startsWith("OK"));
  if (lost.length > 0) return { problem: "sentinel-quorum", detail: lost.join("; ") };
  const others = servicesOf(topology, "sentinel").filter(({ name }) => name !== service.name);
  const opinions = await Promise.all(
    others.map(async (other) => ({ ...other, masters: await mastersOf(exec, other) })),
  );
  const differences = opinions.flatMap(({ name, masters }) =>
    typeof masters === "string" ? [] : disagreements(seen, name, masters),
  );
  if (differences.length > 0) return { problem: "sentinel-disagree", detail: differences.join("; ") };
  const down = seen.filter(({ flags }) => flags !== "master");
  const detail = seen.map((master) => describe(topology, master)).join("; ");
  return down.length > 0 ? { problem: "redis-master-down", detail } : { detail };
}

/** The masters that a Sentinel watches, or why it does not say. */
async function mastersOf(exec: Exec, service: Question["service"]): Promise<readonly Master[] | string> {
  const { output } = await exec(service, ...sentinelMonitor.split(" "), "--json", "sentinel", "masters");
  try {
    return masters.parse(JSON.parse(output));
  } catch {
    return output.slice(0, 200);
  }
}

/** Which masters another Sentinel names differently, one line each. Pure. */
const disagreements = (own: readonly Master[], other: string, theirs: readonly Master[]): string[] =>
  own.flatMap(({ name, ip, port }) => {
    const there = theirs.find((master) => master.name === name);
    return there && there.ip === ip && there.port === port
      ? []
      : [
          `${other} names ${there ? `${there.ip}:${there.port}` : "nobody"} as the master of ${name}, this one ${ip}:${port}`,
        ];
  });

const describe = ({ servers }: Topology, { name, ip, flags, ...counts }: Master): string =>
  `${name}: ${servers.find(({ privateAddress }) => privateAddress === ip)?.name ?? ip}${flags === "master" ? "" : ` (${flags})`}, ` +
  `${counts["num-slaves"]} replicas, ${counts["num-other-sentinels"]} other Sentinels`;
