/** PostgreSQL with streaming replicas: the app can read from the first one, and backups are taken from it. */
import type { ReplicaService } from "../../topology/services/replica.ts";
import type { Service } from "../../topology/service.ts";
import { servicesOf } from "../../topology/topology.ts";
import { requiredAuthority } from "../authority/required-authority.ts";
import { publishedAddress } from "../published-address.ts";
import { hostDataFolder } from "./data-folders.ts";
import { databaseUrl, roleOf } from "./database-url.ts";
import type { DatabaseContext, Postgres } from "./postgres.ts";
import { imageOf } from "./postgres-container.ts";
import { ReplicaFiles } from "./replica-files.ts";
import { ReplicaHealth } from "./replica-health.ts";
import { Replica } from "./replica.ts";
import type { DatabaseClient } from "./role-names.ts";
import { createPrimary, postgresOf } from "./single.ts";

export function replicatedPostgres(context: DatabaseContext): Postgres {
  const { settings, topology, runtimes, parent } = context;
  const { maxConnections, movable, rotation } = settings.database;
  const primary = createPrimary(context);
  const authority = requiredAuthority(context);
  const opts = { parent, dependsOn: [...primary.ready, ...runtimes.peerRules] };
  const services = servicesOf(topology, "replica");
  const replicas = services.map(
    (each) =>
      new Replica(
        each.name,
        {
          ...{
            runtime: runtimes.of(each),
            service: each,
            source: each.follows,
            topology,
            authority,
            maxConnections,
            movable,
          },
          archive: context.archive,
          ...{ path: hostDataFolder, replicationPassword: primary.roles.passwords.replication },
          primary: { runtime: runtimes.of(primary.service), service: primary.service },
        },
        opts,
      ),
  );
  const replicaBeside = ({ name, server }: Service): ReplicaService => {
    const replica = services.find((each) => each.server === server);
    if (!replica) throw new Error(`The service ${name} is planned on ${server}, which has no replica.`);
    return replica;
  };
  const health = servicesOf(topology, "replica-health").map((each) => {
    const replica = replicaBeside(each);
    const args = { runtime: runtimes.of(each), service: each, image: imageOf(context), replica: replica.name };
    const password = primary.roles.passwords.monitor;
    return new ReplicaHealth(each.name, { ...args, password }, { parent, dependsOn: [...replicas] });
  });
  const files = servicesOf(topology, "replica-files").map((each) => {
    const replica = replicaBeside(each);
    const args = { runtime: runtimes.of(each), service: each, authority, replica: replica.name, path: hostDataFolder };
    const password = primary.roles.passwords.backup;
    return new ReplicaFiles(each.name, { ...args, password }, { parent, dependsOn: [...replicas] });
  });
  const [first] = services;
  const replicaUrl = (client: DatabaseClient) =>
    first && databaseUrl(roleOf(client, rotation), primary.roles.passwords[client], publishedAddress(first));
  return { ...postgresOf(context, primary, replicaUrl), ready: [...primary.ready, ...replicas, ...health, ...files] };
}
