/** Tokens as keys of the S3 interface: their ids are access key ids, the digests of their values the secrets. */
import { records } from "../body.ts";
import { bucketAccess } from "../permissions.ts";
import type { World } from "../world.ts";
import type { AccessKey } from "./storage.ts";

/** The keys of all tokens that open buckets. A key that opens every bucket opens those that are there now. */
export function accessKeys(world: World): AccessKey[] {
  const all = world.store.list("cloudflare.bucket");
  return world.store.list("cloudflare.token").flatMap(({ value, digest }) => {
    if (!world.isActive(value)) return [];
    const access = bucketAccess(records(value["policies"]));
    const buckets = all.flatMap(({ name, jurisdiction }) => {
      const named = access.filter(
        ({ bucket }) => bucket === "*" || bucket === `${world.accountId}_${jurisdiction}_${name}`,
      );
      return named.length === 0 ? [] : [{ name, write: named.some(({ write }) => write) }];
    });
    return access.length === 0 ? [] : [{ id: String(value["id"]), secret: digest, buckets }];
  });
}
