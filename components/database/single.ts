/** PostgreSQL without a replica: one server, with a Docker volume on this machine or the Volume of a server. */
import type * as pulumi from "@pulumi/pulumi";
import type { DatabaseService } from "../../topology/services/database.ts";
import { hasServers, servicesOf } from "../../topology/topology.ts";
import { publishedAddress } from "../published-address.ts";
import type { Context } from "../context.ts";
import { Database, PromotedDatabase } from "./database.ts";
import { dataPath } from "./data-path.ts";
import type { Postgres } from "./postgres.ts";
import { Replica } from "./replica.ts";

export function singlePostgres(context: Context): Postgres {
  const { url, ready } = createPrimary(context);
  return { url: () => url, readUrl: () => undefined, adminUrl: url, ready };
}

/** The primary, which all writes go to. */
export interface Primary {
  readonly service: DatabaseService;
  readonly url: pulumi.Output<string>;
  readonly password: pulumi.Output<string>;
  readonly ready: readonly pulumi.Resource[];
}

/** Creates the primary of a plan: the first one, or a promoted replica. */
export function createPrimary(context: Context): Primary {
  const [service] = servicesOf(context.topology, "database");
  if (!service) throw new Error("The plan provisions a database, but has no service of kind database.");
  return service.follows === undefined
    ? createFirst(context, service)
    : createPromoted(context, service, service.follows);
}

function createFirst({ settings, topology, runtimes, parent }: Context, service: DatabaseService): Primary {
  const { maxConnections } = settings.database;
  const common = { runtime: runtimes.of(service), service, maxConnections, protection: settings.protection };
  const database = new Database(
    "database",
    hasServers(topology)
      ? { ...common, data: { kind: "directory", path: dataPath }, tls: true, address: publishedAddress(service) }
      : { ...common, data: { kind: "volume" } },
    { parent },
  );
  return { service, url: database.url, password: database.password, ready: [database] };
}

/** A promoted replica keeps its container, and uses the password that it replicated from its former primary. */
function createPromoted({ settings, runtimes, parent }: Context, service: DatabaseService, source: string): Primary {
  const database = new PromotedDatabase("database", settings, { parent });
  const { password } = database;
  const server = new Replica(
    service.name,
    {
      ...{ runtime: runtimes.of(service), service, source, databasePassword: password },
      ...{ address: publishedAddress(service), path: dataPath, maxConnections: settings.database.maxConnections },
    },
    { parent },
  );
  return { service, url: server.url, password, ready: [database, server] };
}
