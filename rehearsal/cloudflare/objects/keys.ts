/** Derives S3 access keys from API tokens: the token's id is the key id, the digest of its value the secret. */
import { records } from "../body.ts";
import { bucketAccess } from "../permissions.ts";
import type { World } from "../world.ts";
import type { AccessKey } from "./storage.ts";

/** The keys of all tokens with access to buckets, and that of the cloud's own token. */
export function accessKeys(world: World): AccessKey[] {
  const all = world.store.list("cloudflare.bucket");
  const ofTokens = world.store.list("cloudflare.token").flatMap(({ value, digest }) => {
    if (!world.isActive(value)) return [];
    const access = bucketAccess(records(value["policies"]));
    const buckets = all.flatMap(({ name, jurisdiction }) => {
      const named = access.filter(({ bucket }) => bucket === `${world.accountId}_${jurisdiction}_${name}`);
      return named.length === 0 ? [] : [{ name, write: named.some(({ write }) => write) }];
    });
    const isAdmin = access.some(({ bucket }) => bucket === "*");
    return access.length === 0
      ? []
      : [{ id: String(value["id"]), secret: digest, buckets, ...(isAdmin && { isAdmin }) }];
  });
  return [{ ...world.ownerKey, buckets: [], isAdmin: true }, ...ofTokens];
}
