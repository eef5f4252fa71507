/** Redis servers that the stack does not provision: only their URLs are known. */
import { requiredSecret } from "../required-secret.ts";
import type { Context } from "../context.ts";
import type { Redis } from "./redis.ts";

export function externalRedis(context: Context): Redis {
  const redisUrl = requiredSecret(context, "redisUrl");
  const brokerUrl = context.settings.workers.enabled ? requiredSecret(context, "brokerUrl") : redisUrl;
  const urls = { redisUrl, brokerUrl, resultBackendUrl: brokerUrl, flagsUrl: redisUrl };
  return { urls: () => urls, flowerEnvironment: {}, ready: [], endFormerLogins: () => undefined };
}
