/** The interface of the platform's Redis, and the choice of its implementation by `orion:cache`. */
import type * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../../config/schema.ts";
import type { Context } from "../context.ts";
import type { GatewayPasswords } from "../gateway/sentinel-lines.ts";
import { externalRedis } from "./external.ts";
import { replicatedRedis } from "./replicated.ts";
import { singleRedis } from "./single.ts";
import type { RedisClient } from "./users.ts";

/** `redis://` URLs by purpose; all of them are secrets. */
export interface RedisUrls {
  /** Sessions and rate limits. */
  readonly redisUrl: pulumi.Output<string>;
  readonly brokerUrl: pulumi.Output<string>;
  readonly resultBackendUrl: pulumi.Output<string>;
  /** Feature flags. */
  readonly flagsUrl: pulumi.Output<string>;
}

/** How the platform's cache and broker are reached. */
export interface Redis {
  /** The URLs for processes on a server that connect for a purpose; each purpose has its own user. */
  readonly urls: (server: string, client: RedisClient) => RedisUrls;
  /** Logins with which the gateways ask who is the master; a secret. @default - it is known */
  readonly gatewayPasswords?: pulumi.Output<GatewayPasswords>;
  /** Variables that Flower needs in addition. */
  readonly flowerEnvironment: Readonly<Record<string, string>>;
  /** What has to exist before a client connects. */
  readonly ready: readonly pulumi.Resource[];
  /** Ends the time in which clients of the version without users are let in. @param clients what has to have replaced them */
  readonly endFormerLogins: (clients: readonly pulumi.Resource[]) => void;
}

type Maker = (context: Context) => Redis | undefined;

const makers: Readonly<Record<Settings["cache"]["availability"], Maker>> = {
  single: singleRedis,
  sentinel: replicatedRedis,
};

/** Creates the platform's cache and broker; undefined where a local stack leaves them out. */
export function createRedis(context: Context): Redis | undefined {
  const { mode, availability } = context.settings.cache;
  return mode === "external" ? externalRedis(context) : makers[availability](context);
}
