/** The DNS record of one host name. */
import { DnsRecord } from "@pulumi/cloudflare/dnsRecord.js";
import * as pulumi from "@pulumi/pulumi";
import { withAliases } from "../aliases.ts";
import type { CloudflareZone } from "./cloudflare/zone.ts";
import { DrainDelay } from "./drain-delay.ts";

export interface HostNameArgs {
  readonly zone: CloudflareZone;
  /** A host name of the platform in that zone. */
  readonly hostname: string;
  /** IPv4 address that visitors are sent to. */
  readonly address: pulumi.Input<string>;
  /** Whether it is the one name that stacks had before they could have several. @default false */
  readonly isFirst?: boolean;
}

/**
 * Cloudflare switches to another origin within seconds. This is the time for remaining requests to the old origin, whose
 * resources the engine deletes after all other changes.
 */
const drainSeconds = 30;

/** It is at Cloudflare; a new address replaces the old one in one step. */
export class HostName extends pulumi.ComponentResource {
  constructor(name: string, args: HostNameArgs, opts?: pulumi.ComponentResourceOptions) {
    const { zone, hostname, address, isFirst = false } = args;
    const former = isFirst ? [{ name: "hostname" }, { type: "orion:edge:HostName", name: "hostname" }] : [];
    super("orion:ingress:HostName", name, {}, withAliases({ ...opts }, ...former));
    const record = new DnsRecord(
      `${name}-record`,
      { zoneId: zone.zoneId, name: hostname, type: "A", content: address, ttl: 1, proxied: true },
      {
        parent: this,
        // The record cannot exist twice.
        deleteBeforeReplace: true,
        // In the first stacks it was a child of the zone.
        ...(isFirst && { aliases: [{ name: "cloudflare-record-core-1", parent: zone }] }),
      },
    );
    new DrainDelay(
      `${name}-drain`,
      { route: record.content, afterChangeSeconds: drainSeconds, atRemovalSeconds: 0 },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
