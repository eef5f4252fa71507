/** Host names of R2's S3 interface: they say which jurisdiction a client means, and perhaps which bucket. Pure. */

/** Domain of R2's S3 interface: `<account>.r2.cloudflarestorage.com`. */
export const objectsDomain = "r2.cloudflarestorage.com";

/** Where a bucket's objects are guaranteed to stay; `default` guarantees nothing. */
export const jurisdictions = ["default", "eu", "fedramp", "us"] as const;
export type Jurisdiction = (typeof jurisdictions)[number];

/** What a host name of R2 says. */
export interface ObjectsHost {
  readonly jurisdiction: Jurisdiction;
  /** In virtual host style: the bucket, which the path does not name. */
  readonly bucket: string | undefined;
}

const named = jurisdictions.filter((one) => one !== "default");

/** What a host name, with or without a port, says about an account's buckets; undefined: it is not one of the account's. */
export function objectsHostOf(hostname: string, accountId: string): ObjectsHost | undefined {
  const pattern = new RegExp(
    `^(?:([a-z0-9-]+)\\.)?${accountId}(?:\\.(${named.join("|")}))?\\.${objectsDomain}(?::\\d+)?$`,
  );
  const found = pattern.exec(hostname.toLowerCase());
  if (!found) return undefined;
  return { jurisdiction: named.find((one) => one === found[2]) ?? "default", bucket: found[1] };
}

/** The names of a certificate for an account's endpoints, in both styles. */
export const certificateNames = (accountId: string): string[] => [
  objectsDomain,
  `*.${objectsDomain}`,
  ...jurisdictions.flatMap((one) => {
    const domain = one === "default" ? objectsDomain : `${one}.${objectsDomain}`;
    return [...(one === "default" ? [] : [`*.${domain}`]), `*.${accountId}.${domain}`];
  }),
];
