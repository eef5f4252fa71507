/** One PostgreSQL server: on a Docker volume of this machine, or on the Volume of a server. */
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

/** The server that the platform reads from and writes to. */
export interface Primary {
  readonly service: DatabaseService;
  readonly url: pulumi.Output<string>;
  readonly password: pulumi.Output<string>;
  readonly ready: readonly pulumi.Resource[];
}

/** The primary of a plan: a database that was the primary from the start, or a promoted replica. */
export function createPrimary(context: Context): Primary {
  const [service] = servicesOf(context.topology, "database");
  if (!service) throw new Error("a plan that provisions a database has a primary");
  return service.follows === undefined
    ? createFirst(context, service)
    : createPromoted(context, service, service.follows);
}

function createFirst({ settings, topology, runtimes, parent }: Context, service: DatabaseService): Primary {
  const { maxConnections } = settings.database;
  const common = { place: runtimes.of(service), service, maxConnections, protection: settings.protection };
  const database = new Database(
    "database",
    hasServers(topology)
      ? { ...common, data: { kind: "directory", path: dataPath }, tls: true, address: publishedAddress(service) }
      : { ...common, data: { kind: "volume" } },
    { parent },
  );
  return { service, url: database.url, password: database.password, ready: [database] };
}

/** A replica that was promoted: the container that it was, with the password that came to it with the data. */
function createPromoted({ settings, runtimes, parent }: Context, service: DatabaseService, source: string): Primary {
  const database = new PromotedDatabase("database", settings, { parent });
  const { password } = database;
  const server = new Replica(
    service.name,
    {
      ...{ place: runtimes.of(service), service, source, databasePassword: password },
      ...{ address: publishedAddress(service), path: dataPath, maxConnections: settings.database.maxConnections },
    },
    { parent },
  );
  return { service, url: server.url, password, ready: [database, server] };
}
