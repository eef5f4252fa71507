/** Creates the poolers of a stack. */
import { poolerShare } from "../../topology/pools.ts";
import { servicesOf } from "../../topology/topology.ts";
import { requiredAuthority } from "../authority/required-authority.ts";
import type { Context } from "../context.ts";
import type { Postgres } from "../database/postgres.ts";
import { Pooler } from "./pooler.ts";

/** Creates the poolers of the plan, each with its share of the connections. */
export function createPoolers(context: Context, postgres: Postgres): Pooler[] {
  const { settings, topology, runtimes, parent } = context;
  const share = poolerShare(topology, settings);
  return servicesOf(topology, "pgbouncer").map((service) => {
    const { poolerPassword: password } = postgres;
    if (!password)
      throw new Error("A pooler needs a database whose roles the program makes; the plan has an external one.");
    const config = service.reads
      ? ({ connections: share.reads, upstream: "replicas" } as const)
      : ({ connections: share.primary, upstream: "direct" } as const);
    const args = { runtime: runtimes.of(service), service, config, password, authority: requiredAuthority(context) };
    return new Pooler(service.name, args, { parent, dependsOn: [...postgres.ready] });
  });
}
