/** PostgreSQL without a replica: one server, with a Docker volume on this machine or the Volume of a server. */
import * as pulumi from "@pulumi/pulumi";
import type { DatabaseService } from "../../topology/services/database.ts";
import { postgresPorts } from "../../topology/services/postgres.ts";
import { gatewayAddress, type GatewayPort, hasGateway } from "../../topology/services/gateway.ts";
import { hasPooler } from "../../topology/services/pgbouncer.ts";
import { hasServers, servicesOf } from "../../topology/topology.ts";
import { requiredAuthority } from "../authority/required-authority.ts";
import { publishedAddress } from "../published-address.ts";
import { Database, PromotedDatabase } from "./database.ts";
import { DatabaseRoles } from "./database-roles.ts";
import { databaseUrl, roleOf, sessionDatabase } from "./database-url.ts";
import { hostDataFolder } from "./data-folders.ts";
import type { DatabaseContext, Postgres } from "./postgres.ts";
import { verifyingEnvironment } from "./postgres-tls.ts";
import { Replica } from "./replica.ts";
import type { DatabaseClient } from "./role-names.ts";

export const singlePostgres = (context: DatabaseContext): Postgres => postgresOf(context, createPrimary(context));

/** The primary, which all writes go to. */
export interface Primary {
  readonly service: DatabaseService;
  readonly roles: DatabaseRoles;
  readonly ready: readonly pulumi.Resource[];
}

/**
 * A primary, and how its clients reach it.
 *
 * @param replicaUrl URL of a replica. @default - there is none
 */
export function postgresOf(
  { settings, topology, parent }: DatabaseContext,
  { service, roles, ready }: Primary,
  replicaUrl: Postgres["replicaUrl"] = () => undefined,
): Postgres {
  const { rotation } = settings.database;
  const onServers = hasServers(topology);
  const environment = onServers ? verifyingEnvironment : {};
  const address = onServers ? publishedAddress(service) : `${service.name}:${postgresPorts.postgres}`;
  const urlAt = (at: string, name?: string) => (client: DatabaseClient) =>
    databaseUrl(roleOf(client, rotation), roles.passwords[client], at, name);
  const primaryUrl = urlAt(address);
  const through = (port: GatewayPort) => urlAt(gatewayAddress(port));
  // Through the poolers as well, so that no address changes when the data moves.
  const session = urlAt(gatewayAddress("database"), sessionDatabase);
  const isMovable = settings.database.movable && hasPooler(settings);
  const ways = hasGateway(settings)
    ? // Without a replica that can be read, the gateway sends reads to the primary.
      {
        url: () => through("database")("app"),
        readUrl: () => through("reads")("reader"),
        directUrl: (client: DatabaseClient) => (isMovable && client === "app" ? session : through("direct"))(client),
      }
    : { url: () => primaryUrl("app"), readUrl: () => replicaUrl("reader"), directUrl: primaryUrl };
  return {
    ...{ ...ways, primaryUrl, replicaUrl },
    ...{ environment, processEnvironment: environment, ready },
    poolerPassword: roles.passwords.pooler,
    poolerLogins: isMovable
      ? pulumi.output({
          [roleOf("app", rotation)]: roles.passwords.app,
          [roleOf("reader", rotation)]: roles.passwords.reader,
        })
      : undefined,
    endFormerLogins: (clients) => {
      roles.endFormerLogins(clients, parent);
    },
  };
}

/** Creates the primary of a plan: the first one, or a promoted replica. */
export function createPrimary(context: DatabaseContext): Primary {
  const [service] = servicesOf(context.topology, "database");
  if (!service) throw new Error("The plan provisions a database, but has no service of kind database.");
  const servers =
    service.follows === undefined ? [createFirst(context, service)] : createPromoted(context, service, service.follows);
  const { settings, topology, runtimes, parent } = context;
  const roles = new DatabaseRoles(
    "database-roles",
    {
      ...{ runtime: runtimes.of(service), service, settings: settings.database },
      // On a developer's machine tools of any kind log in as the superuser.
      keepSuperuser: !hasServers(topology),
    },
    { parent, dependsOn: servers },
  );
  return { service, roles, ready: [...servers, roles] };
}

function createFirst(context: DatabaseContext, service: DatabaseService): Database {
  const { settings, topology, runtimes, parent } = context;
  const { maxConnections, movable } = settings.database;
  const common = { runtime: runtimes.of(service), service, maxConnections, movable, protection: settings.protection };
  return new Database(
    "database",
    hasServers(topology)
      ? {
          ...{ ...common, data: { kind: "directory", path: hostDataFolder } },
          access: { topology, authority: requiredAuthority(context), archive: context.archive },
        }
      : { ...common, data: { kind: "volume" } },
    { parent },
  );
}

/** A promoted replica keeps its container; roles and their passwords it has replicated from its former primary. */
function createPromoted(context: DatabaseContext, service: DatabaseService, source: string): pulumi.Resource[] {
  const { settings, topology, runtimes, parent } = context;
  const database = new PromotedDatabase("database", settings, { parent });
  const server = new Replica(
    service.name,
    {
      ...{ runtime: runtimes.of(service), service, source, topology, authority: requiredAuthority(context) },
      ...{ path: hostDataFolder, maxConnections: settings.database.maxConnections, archive: context.archive },
      movable: settings.database.movable,
    },
    { parent },
  );
  return [database, server];
}
