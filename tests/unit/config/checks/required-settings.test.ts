/** The secrets and settings that others make necessary. */
import { checkRequiredSettings } from "../../../../config/checks/required-settings.ts";
import type { SecretKey, Settings } from "../../../../config/schema.ts";
import { settingsOf } from "../../support/settings.ts";

const development = settingsOf("development");
const mvp = settingsOf("mvp");
const missing = (settings: Settings, ...secrets: readonly SecretKey[]): string[] =>
  checkRequiredSettings(settings, secrets).map((problem) => problem.split(": ")[0]?.replace("orion:", "") ?? "");

test("a stack of its own services needs no secret", () => {
  expect(missing(development)).toEqual([]);
  expect(missing(mvp)).toEqual([]);
});

test("an external Redis needs both of its URLs, without Celery one", () => {
  const cache = { ...mvp.cache, mode: "external" } as const;
  expect(missing({ ...mvp, cache })).toEqual(["redisUrl", "brokerUrl"]);
  expect(missing({ ...mvp, cache }, "redisUrl")).toEqual(["brokerUrl"]);
  expect(missing({ ...mvp, cache, workers: { ...mvp.workers, enabled: false } })).toEqual(["redisUrl"]);
  expect(missing({ ...mvp, cache }, "redisUrl", "brokerUrl")).toEqual([]);
});

test("an external database needs its URL, and its authority where PgBouncer reaches it", () => {
  const database = { ...mvp.database, mode: "external" } as const;
  expect(missing({ ...mvp, database })).toEqual(["databaseUrl"]);
  const pooled = { ...database, pooler: true };
  expect(missing({ ...mvp, database: pooled }, "databaseUrl")).toEqual([]);
  const movable = { ...pooled, movable: true };
  expect(missing({ ...mvp, database: movable }, "databaseUrl")).toEqual(["database.authority"]);
  expect(missing({ ...mvp, database: { ...movable, authority: "PEM" } }, "databaseUrl")).toEqual([]);
  // One of the stack's own has the stack's authority.
  expect(missing({ ...mvp, database: { ...movable, mode: "provision" } })).toEqual([]);
});

test("R2 needs an account and a bucket, a registry with a login its password", () => {
  const storage = { ...mvp.storage, bucket: undefined };
  const cloudflare = { ...mvp.cloudflare, accountId: undefined };
  expect(missing({ ...mvp, storage, cloudflare })).toEqual(["cloudflare.accountId", "storage.bucket"]);
  expect(missing({ ...mvp, storage: { ...storage, backend: "local" }, cloudflare })).toEqual([]);
  const images = { ...mvp.images, login: { registry: "registry.example.com", user: "ci" } };
  expect(missing({ ...mvp, images })).toEqual(["registryPassword"]);
  expect(missing({ ...mvp, images }, "registryPassword")).toEqual([]);
});
