/** Creates the poolers of a stack. */
import * as pulumi from "@pulumi/pulumi";
import type { PgbouncerService } from "../../topology/services/pgbouncer.ts";
import { servicesOf } from "../../topology/topology.ts";
import { requiredAuthority } from "../authority/required-authority.ts";
import type { Context } from "../context.ts";
import type { Postgres } from "../database/postgres.ts";
import { requiredSecret } from "../required-secret.ts";
import { Pooler } from "./pooler.ts";
import { type Data, poolerConfig } from "./pooler-config.ts";

/** Creates the poolers of the plan, each with its share of the connections. */
export function createPoolers(context: Context, postgres: Postgres): Pooler[] {
  const { settings, topology, runtimes, parent } = context;
  const data = dataOf(context, postgres);
  const configOf = (service: PgbouncerService) =>
    data
      ? pulumi.secret(data.apply((known) => poolerConfig(topology, settings, service, known)))
      : poolerConfig(topology, settings, service);
  return servicesOf(topology, "pgbouncer").map((service) => {
    const { poolerPassword: password, poolerLogins: logins } = postgres;
    if (!password)
      throw new Error("A pooler needs a database whose roles the program makes; the plan has an external one alone.");
    const args = {
      ...{ runtime: runtimes.of(service), service, config: configOf(service), password, logins },
      ...{ authority: requiredAuthority(context), externalAuthority: settings.database.authority },
    };
    return new Pooler(service.name, args, { parent, dependsOn: [...postgres.ready] });
  });
}

/** Which server has the data; a secret. Undefined where no data can be moved. */
function dataOf(context: Context, { poolerLogins }: Postgres): pulumi.Output<Data> | undefined {
  if (context.settings.database.mode === "external")
    return requiredSecret(context, "databaseUrl").apply((url): Data => ({ where: "external", url }));
  return poolerLogins?.apply((logins): Data => ({ where: "own", logins }));
}
