/** Types of the objects that the emulated Cloudflare stores. */
import type { Json } from "../json.ts";

/** From the smallest to the largest. */
export const plans = ["free", "pro", "business", "enterprise"] as const;
export type Plan = (typeof plans)[number];

export interface Zone {
  readonly id: string;
  readonly name: string;
  readonly plan: Plan;
  /** Plan in the cloud's settings when they were last applied. @default "free" */
  readonly configured?: Plan;
  readonly created: string;
}

/** An object of the API as it is returned, with the zone, account or bucket that owns it. */
export interface Owned {
  readonly owner: string;
  readonly value: Json;
}

export interface Bucket {
  readonly name: string;
  readonly jurisdiction: string;
  readonly location: string;
  readonly storageClass: string;
  readonly created: string;
  readonly cors: Json | undefined;
  readonly lifecycle: Json | undefined;
  readonly lock?: Json | undefined;
  readonly publicDomain: boolean;
}

export interface Token {
  readonly value: Json;
  /** SHA-256 of the secret; the secret itself is returned once and not stored. */
  readonly digest: string;
  /** `user`, or the id of the account that owns it. */
  readonly owner: string;
}

/** A key and its certificate, in PEM. */
export interface Authority {
  readonly key: string;
  readonly certificate: string;
}

export interface CloudflareObjects {
  "cloudflare.zone": Zone;
  "cloudflare.record": Owned;
  "cloudflare.ruleset": Owned;
  /** Settings of which a zone has one each; the id is `<zone>/<name>`. */
  "cloudflare.setting": Owned;
  "cloudflare.bucket": Bucket;
  "cloudflare.bucket-domain": Owned;
  "cloudflare.certificate": Owned;
  "cloudflare.balancer": Owned;
  "cloudflare.pool": Owned;
  "cloudflare.monitor": Owned;
  "cloudflare.token": Token;
  "cloudflare.client-certificate": Owned;
  "cloudflare.client-hostname": Owned;
  "cloudflare.authority": Authority;
  "cloudflare.quirk": { readonly on: boolean };
}

/** The methods of the cloud's store that are used here. */
export interface CloudflareStore {
  get<Kind extends keyof CloudflareObjects>(kind: Kind, id: string): CloudflareObjects[Kind] | undefined;
  list<Kind extends keyof CloudflareObjects>(kind: Kind): CloudflareObjects[Kind][];
  put<Kind extends keyof CloudflareObjects>(kind: Kind, id: string, value: CloudflareObjects[Kind]): void;
  delete(kind: keyof CloudflareObjects, id: string): void;
  transaction<T>(work: () => T): T;
}

export type OwnedKind = {
  [Kind in keyof CloudflareObjects]: CloudflareObjects[Kind] extends Owned ? Kind : never;
}[keyof CloudflareObjects];

/** The objects of one owner, oldest first. */
export const ownedBy = (store: CloudflareStore, kind: OwnedKind, owner: string): Json[] =>
  store.list(kind).flatMap((object) => (object.owner === owner ? [object.value] : []));
