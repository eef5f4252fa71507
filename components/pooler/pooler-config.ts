/** Builds pgbouncer.ini for each pooler; the program and `make move-database` use it. Pure. */
import { readExternalUrl } from "../../config/external-url.ts";
import type { Settings } from "../../config/schema.ts";
import { poolerShare } from "../../topology/pools.ts";
import { gatewayHost, gatewayPorts } from "../../topology/services/gateway.ts";
import type { PgbouncerService } from "../../topology/services/pgbouncer.ts";
import type { Topology } from "../../topology/topology.ts";
import { databaseName, roleOf } from "../database/database-url.ts";
import { type DataServer, pgbouncerConfig } from "./pgbouncer-config.ts";

/** Passwords by role; secrets. */
export type Logins = Readonly<Record<string, string>>;

/** Which server has the data, of a stack in which it can be moved. */
export type Data =
  | { readonly where: "own"; readonly logins: Logins }
  /** Its URL, a secret. */
  | { readonly where: "external"; readonly url: string };

/**
 * The text of a pooler's pgbouncer.ini.
 *
 * @param data a secret; undefined where no data can be moved
 * @returns a secret with one
 */
export function poolerConfig(topology: Topology, settings: Settings, { reads }: PgbouncerService, data?: Data): string {
  const share = poolerShare(topology, settings);
  const upstream = reads ? "replicas" : "direct";
  const server = data && serverOf(data, upstream, roleOf(reads ? "reader" : "app", settings.database.rotation));
  return pgbouncerConfig({ connections: reads ? share.reads : share.primary, upstream, ...(server && { server }) });
}

function serverOf(data: Data, upstream: "replicas" | "direct", role: string): DataServer {
  if (data.where === "own") {
    const password = data.logins[role];
    if (password === undefined) throw new Error(`no password of the role ${role} is known here`);
    return { host: gatewayHost, port: gatewayPorts[upstream], database: databaseName, user: role, password };
  }
  const url = readExternalUrl(data.url);
  if (url) return url;
  throw new Error("orion:databaseUrl is no URL");
}
