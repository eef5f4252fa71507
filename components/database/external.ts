/** A database that the stack does not provision: only its URL is known. */
import { normalDatabaseUrl } from "../../config/external-url.ts";
import { requiredSecret } from "../required-secret.ts";
import type { Context } from "../context.ts";
import type { Postgres } from "./postgres.ts";

export function externalPostgres(context: Context): Postgres {
  const url = requiredSecret(context, "databaseUrl").apply(normalDatabaseUrl);
  return {
    ...{
      url: () => url,
      readUrl: () => undefined,
      directUrl: () => url,
      primaryUrl: () => url,
      replicaUrl: () => undefined,
    },
    // Its provider says in the URL how the server is verified.
    ...{ poolerPassword: undefined, poolerLogins: undefined, environment: {}, processEnvironment: {} },
    ...{ ready: [], endFormerLogins: () => undefined },
  };
}
