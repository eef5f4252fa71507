/** Permissions of API tokens: Cloudflare's permission groups, each for one area of the API. */
import { createHash } from "node:crypto";
import { isRecord } from "../../common/record.ts";
import type { Json } from "../json.ts";
import { records, texts } from "./body.ts";

/** Areas of the API with their scope; each has the permission groups `"<area> Read"` and `"<area> Write"`. */
export const areas = {
  Zone: "com.cloudflare.api.account.zone",
  DNS: "com.cloudflare.api.account.zone",
  "Zone WAF": "com.cloudflare.api.account.zone",
  "Cache Settings": "com.cloudflare.api.account.zone",
  "Zone Settings": "com.cloudflare.api.account.zone",
  "Bot Management": "com.cloudflare.api.account.zone",
  "SSL and Certificates": "com.cloudflare.api.account.zone",
  "Load Balancers": "com.cloudflare.api.account.zone",
  "Load Balancing: Monitors and Pools": "com.cloudflare.api.account",
  Billing: "com.cloudflare.api.account",
  "Account Rulesets": "com.cloudflare.api.account",
  "Workers R2 Storage": "com.cloudflare.api.account",
  "Account API Tokens": "com.cloudflare.api.account",
  "API Tokens": "com.cloudflare.api.user",
} as const;

export type Area = keyof typeof areas;

export interface PermissionGroup {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly area: Area | undefined;
  readonly write: boolean;
}

const isArea = (name: string): name is Area => Object.hasOwn(areas, name);

const group = (name: string, scope: string, area: Area | undefined, write: boolean): PermissionGroup => ({
  id: createHash("sha256").update(`permission-group ${name}`).digest("hex").slice(0, 32),
  name,
  scopes: [scope],
  area,
  write,
});

const bucketScope = "com.cloudflare.edge.r2.bucket";

/** Every permission group, in the order of their names. */
export const permissionGroups: readonly PermissionGroup[] = [
  ...Object.entries(areas).flatMap(([area, scope]) =>
    isArea(area) ? [group(`${area} Read`, scope, area, false), group(`${area} Write`, scope, area, true)] : [],
  ),
  // Objects of single buckets: no API permission, but the token becomes an access key of the S3 interface.
  group("Workers R2 Storage Bucket Item Read", bucketScope, undefined, false),
  group("Workers R2 Storage Bucket Item Write", bucketScope, undefined, true),
].sort((a, b) => (a.name < b.name ? -1 : 1));

const byId = new Map(permissionGroups.map((each) => [each.id, each]));

export const permissionGroup = (id: string): PermissionGroup | undefined => byId.get(id);

/** The caller: `owner` (the cloud's own token, all permissions) or a token with its policies. */
export type Caller = "owner" | { readonly id: string; readonly policies: readonly Json[] };

export interface Target {
  readonly area: Area;
  readonly write: boolean;
  /** Undefined for a call that does not concern a single zone. */
  readonly zone: string | undefined;
  readonly account: string;
}

/** Whether at least one policy allows the call and none denies it. */
export function mayCall(caller: Caller, target: Target): boolean {
  if (caller === "owner") return true;
  const effects = caller.policies.filter((policy) => concerns(policy, target)).map((policy) => policy["effect"]);
  return effects.includes("allow") && !effects.includes("deny");
}

function concerns(policy: Json, { area, write, zone, account }: Target): boolean {
  const grants = records(policy["permission_groups"]).some(({ id }) => {
    const granted = permissionGroup(String(id));
    return granted?.area === area && (granted.write || !write);
  });
  return grants && resourceNames(policy["resources"]).some((name) => covers(name, area, zone, account));
}

const zoneScope = areas.Zone;

function covers(name: string, area: Area, zone: string | undefined, account: string): boolean {
  if (name === `com.cloudflare.api.account.${account}` || name === "com.cloudflare.api.account.*") return true;
  if (name.startsWith("com.cloudflare.api.user.")) return zone === undefined;
  // A call about zones without a single one, such as listing them, needs permission for any zone.
  if (zone === undefined) return areas[area] === zoneScope && name.startsWith(`${zoneScope}.`);
  return [`${zoneScope}.${zone}`, `${zoneScope}.*`].includes(name);
}

/** The resource names in a policy, including nested ones such as the zones of an account. */
export const resourceNames = (resources: unknown): string[] =>
  isRecord(resources)
    ? Object.entries(resources).flatMap(([name, inner]) => (isRecord(inner) ? Object.keys(inner) : [name]))
    : [];

export interface BucketAccess {
  /** `<account>_<jurisdiction>_<bucket>`, or `*` for every bucket. */
  readonly bucket: string;
  readonly write: boolean;
}

/** The buckets whose objects a token with these policies may read or write. */
export function bucketAccess(policies: readonly Json[]): BucketAccess[] {
  return policies.flatMap((policy) => {
    if (policy["effect"] !== "allow") return [];
    const groups = records(policy["permission_groups"]).flatMap(({ id }) => permissionGroup(String(id)) ?? []);
    const names = resourceNames(policy["resources"]);
    return groups.flatMap(({ scopes, area, write }) => {
      if (area === "Workers R2 Storage") return [{ bucket: "*", write }];
      if (!scopes.includes(bucketScope)) return [];
      return texts(names).flatMap((name) =>
        name.startsWith(`${bucketScope}.`) ? [{ bucket: name.slice(bucketScope.length + 1), write }] : [],
      );
    });
  });
}
