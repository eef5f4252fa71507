/** The plugin's functions, which look up zones, IP ranges and permission groups without managing them. */
import { isRecord } from "../../common/record.ts";
import type { Client } from "./client.ts";
import type { Values } from "./values.ts";

const camel = (name: string): string =>
  name.replaceAll(/_([a-z0-9])/g, (_whole, letter: string) => letter.toUpperCase());

/** The API's JSON with names in camel case. */
function camelCased(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelCased);
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [camel(key), camelCased(item)]));
}

const record = (value: unknown): Values => (isRecord(value) ? value : {});

async function getZone(client: Client, { zoneId, filter }: Values): Promise<Values> {
  const id = typeof zoneId === "string" ? zoneId : await findZone(client, record(filter));
  const zone = record(camelCased(await client.call({ method: "GET", path: `/zones/${id}` })));
  return { ...zone, zoneId: id, ...(filter !== undefined && { filter: { match: "all", ...record(filter) } }) };
}

async function findZone(client: Client, { name, status, account }: Values): Promise<string> {
  const { id: accountId, name: accountName } = record(account);
  const wanted = { name, status, "account.id": accountId, "account.name": accountName };
  const query = Object.fromEntries(
    Object.entries(wanted).flatMap(([key, value]) => (typeof value === "string" ? [[key, value]] : [])),
  );
  const found = await client.list({ method: "GET", path: "/zones", query });
  if (found.length !== 1)
    throw new Error(`expected exactly one zone for ${JSON.stringify(wanted)}, found ${found.length}`);
  return String(record(found[0])["id"]);
}

async function getIpRanges(client: Client, args: Values): Promise<Values> {
  const { ipv4_cidrs, ipv6_cidrs, etag } = record(await client.call({ method: "GET", path: "/ips" }));
  return { ...args, ipv4Cidrs: ipv4_cidrs, ipv6Cidrs: ipv6_cidrs, etag, jdcloudCidrs: [] };
}

async function getPermissionGroups(client: Client, path: string, args: Values): Promise<Values> {
  const { name, scope } = args;
  const query = Object.fromEntries(
    Object.entries({ name, scope }).flatMap(([key, value]) => (typeof value === "string" ? [[key, value]] : [])),
  );
  const groups = await client.call({ method: "GET", path, query });
  return { ...args, results: camelCased(groups) };
}

/**
 * Calls one of the functions.
 *
 * @throws {Error} for a function that this plugin does not have
 */
export function lookUp(client: Client, token: string, args: Values): Promise<Values> {
  switch (token) {
    case "cloudflare:index/getZone:getZone":
      return getZone(client, args);
    case "cloudflare:index/getIpRanges:getIpRanges":
      return getIpRanges(client, args);
    case "cloudflare:index/getApiTokenPermissionGroupsList:getApiTokenPermissionGroupsList":
      return getPermissionGroups(client, "/user/tokens/permission_groups", args);
    case "cloudflare:index/getAccountApiTokenPermissionGroupsList:getAccountApiTokenPermissionGroupsList":
      return getPermissionGroups(client, `/accounts/${String(args["accountId"])}/tokens/permission_groups`, args);
    default:
      return Promise.reject(new Error(`The rehearsal's Cloudflare plugin does not support the function ${token}`));
  }
}
