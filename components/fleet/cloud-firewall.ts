/** A Hetzner firewall for the public addresses of servers: SSH for operators, web ports for visitors. */
import * as hcloud from "@pulumi/hcloud";
import * as pulumi from "@pulumi/pulumi";
import { withAliases } from "../aliases.ts";
import { cloudflareRanges } from "../../common/cloudflare-ranges.ts";
import { type Naming, labels, physicalName } from "../../topology/naming.ts";

export interface CloudFirewallArgs {
  readonly naming: Naming;
  /** Address ranges that SSH is open to. Empty: SSH is closed. */
  readonly adminCidrs: readonly string[];
  /** Sources that may reach the web ports: Cloudflare's ranges, all addresses, or none. */
  readonly web: "cloudflare" | "all" | "none";
  /** Ids of running servers to attach it to. @default - none: servers name it when they are created */
  readonly attachedTo?: readonly pulumi.Input<number>[];
}

const allAddresses = ["0.0.0.0/0", "::/0"];

export class CloudFirewall extends pulumi.ComponentResource {
  readonly id: pulumi.Output<number>;

  constructor(name: string, args: CloudFirewallArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:fleet:CloudFirewall", name, {}, withAliases({ ...opts }, { type: "orion:host:CloudFirewall" }));
    const firewall = new hcloud.Firewall(
      `${name}-firewall`,
      {
        name: physicalName(args.naming, name),
        labels: { ...labels(args.naming, "firewall") },
        rules: firewallRules(args),
      },
      { parent: this },
    );
    this.id = firewall.id.apply(Number);
    const { attachedTo } = args;
    if (attachedTo) {
      // A separate resource, so that a move detaches the firewall last, when no visitor uses the address any more.
      new hcloud.FirewallAttachment(
        `${name}-firewall-attachment`,
        { firewallId: this.id, serverIds: [...attachedTo] },
        { parent: this },
      );
    }
    this.registerOutputs({ id: this.id });
  }
}

/** The rules in the form in which Hetzner returns them. */
export function firewallRules({
  adminCidrs,
  web,
}: Pick<CloudFirewallArgs, "adminCidrs" | "web">): hcloud.types.input.FirewallRule[] {
  const tcp = (port: string, sourceIps: readonly string[], description: string) =>
    sourceIps.length === 0 ? [] : [{ direction: "in", protocol: "tcp", port, sourceIps: [...sourceIps], description }];
  const visitors = {
    cloudflare: [...cloudflareRanges.ipv4, ...cloudflareRanges.ipv6],
    all: allAddresses,
    none: [],
  }[web];
  return [
    ...tcp("22", adminCidrs, "SSH of the operators"),
    ...tcp("80", visitors, "Visitors"),
    ...tcp("443", visitors, "Visitors"),
    // Without ICMP, connections over paths with a smaller MTU stall.
    { direction: "in", protocol: "icmp", sourceIps: allAddresses, description: "Reachability and packet size" },
  ];
}
