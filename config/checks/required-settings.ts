/** Checks that a stack sets what a registry login, an external database, an external Redis and R2 storage need. Pure. */
import type { SecretKey, Settings } from "../schema.ts";

/** @returns the missing keys, one line each */
export function checkRequiredSettings(
  { images, database, cache, storage, cloudflare, workers }: Settings,
  secrets: readonly SecretKey[],
): string[] {
  const needs = (key: string, when: string, how: string) => `orion:${key}: is needed ${when}; ${how}`;
  const secret = (key: SecretKey, when: string, value: string) =>
    secrets.includes(key) ? [] : [needs(key, when, `pulumi config set --secret ${key}${value}`)];
  const plain = (key: string, value: unknown, when: string, how: string) =>
    value === undefined ? [needs(key, when, how)] : [];
  const isR2 = storage.backend === "r2";
  const r2 = "when orion:storage.backend is r2";
  return [
    ...(images.login ? secret("registryPassword", "with orion:images.login", "") : []),
    ...(database.mode === "external"
      ? secret("databaseUrl", "when orion:database.mode is external", " postgresql://...")
      : []),
    ...(database.mode === "external" && database.movable && database.pooler
      ? plain(
          "database.authority",
          database.authority,
          "when PgBouncer reaches an external database (orion:database.pooler and movable)",
          "the certificate, in PEM, of the authority that has signed the server's",
        )
      : []),
    ...(cache.mode === "external"
      ? (["redisUrl", ...(workers.enabled ? (["brokerUrl"] as const) : [])] as const).flatMap((key) =>
          secret(key, "when orion:cache.mode is external", " redis://..."),
        )
      : []),
    ...(isR2
      ? [
          ...plain("cloudflare.accountId", cloudflare.accountId, r2, "the 32 hexadecimal digits of the account"),
          ...plain("storage.bucket", storage.bucket, r2, "a bucket name of 3 to 55 characters"),
        ]
      : []),
  ];
}
