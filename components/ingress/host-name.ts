import { DnsRecord } from "@pulumi/cloudflare/dnsRecord.js";
import * as pulumi from "@pulumi/pulumi";
import { formerly } from "../former.ts";
import type { CloudflareZone } from "./cloudflare/zone.ts";
import { DrainDelay } from "./drain-delay.ts";

export interface HostNameArgs {
  readonly zone: CloudflareZone;
  /** Host name of the platform in that zone. */
  readonly domain: string;
  /** IPv4 address that visitors are sent to. */
  readonly address: pulumi.Input<string>;
}

/**
 * Cloudflare switches to another origin within seconds. This is the time for remaining requests to the old origin, whose
 * resources the engine deletes after all other changes.
 */
const drainSeconds = 30;

/** The DNS record of the platform's host name at Cloudflare; a new address replaces the old one in one step. */
export class HostName extends pulumi.ComponentResource {
  constructor(name: string, { zone, domain, address }: HostNameArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:ingress:HostName", name, {}, formerly({ ...opts }, { type: "orion:edge:HostName" }));
    const record = new DnsRecord(
      `${name}-record`,
      { zoneId: zone.zoneId, name: domain, type: "A", content: address, ttl: 1, proxied: true },
      // The record cannot exist twice. In the first stacks it was a child of the zone.
      { parent: this, deleteBeforeReplace: true, aliases: [{ name: "cloudflare-record-core-1", parent: zone }] },
    );
    new DrainDelay(
      `${name}-drain`,
      { route: record.content, afterChangeSeconds: drainSeconds, atRemovalSeconds: 0 },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
