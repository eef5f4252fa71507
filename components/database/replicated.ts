/** PostgreSQL with streaming replicas: the app can read from the first one, and backups are taken from it. */
import { servicesOf } from "../../topology/topology.ts";
import { publishedAddress } from "../published-address.ts";
import type { Context } from "../context.ts";
import { dataPath } from "./data-path.ts";
import type { Postgres } from "./postgres.ts";
import { Replica } from "./replica.ts";
import { createPrimary } from "./single.ts";

export function replicatedPostgres(context: Context): Postgres {
  const { settings, topology, runtimes, parent } = context;
  const { service, url, password, ready } = createPrimary(context);
  const opts = { parent, dependsOn: [...ready, ...runtimes.peerRules] };
  const replicas = servicesOf(topology, "replica").map(
    (each) =>
      new Replica(
        each.name,
        {
          ...{ runtime: runtimes.of(each), service: each, source: each.follows, databasePassword: password },
          ...{ address: publishedAddress(each), path: dataPath, maxConnections: settings.database.maxConnections },
          primary: { runtime: runtimes.of(service), service },
        },
        opts,
      ),
  );
  const [replica] = replicas;
  return { url: () => url, readUrl: () => replica?.url, adminUrl: url, ready: [...ready, ...replicas] };
}
