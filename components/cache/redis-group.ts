/** The Redis servers of which Sentinel makes one the master: the cache and its replicas, or the broker and its replicas. Pure. */
import type { Address } from "../published-address.ts";

export interface RedisGroup {
  /** The name that the Sentinels know it by: `cache` or `broker`. */
  readonly name: string;
  /** The master until Sentinels watch the group; from then on they choose it. */
  readonly first: Address;
  readonly sentinels: readonly Address[];
}

/** One server of a group. */
export interface GroupMember {
  readonly group: RedisGroup;
  /** Where the others and the Sentinels reach it. */
  readonly own: Address;
}

/** Sentinels that must agree: the majority of three. */
export const sentinelQuorum = 2;

/**
 * A master that no replica has answered for so many seconds refuses writes. It checks once a second, in whole seconds: so it refuses
 * them five seconds after the last answer at the latest, before a Sentinel may call the master down.
 */
export const replicaLagSeconds = 3;

/** A Sentinel calls a server down after so many seconds without an answer. With less, busy servers would be called down. */
export const downAfterSeconds = 5;

/** A failover that failed, such as an election without a majority, is tried again after twice so many seconds. */
export const failoverTimeoutSeconds = 5;

/** `10.20.1.11 6381`, as redis.conf and Sentinel write it. */
export const written = ({ host, port }: Address): string => `${host} ${port}`;
