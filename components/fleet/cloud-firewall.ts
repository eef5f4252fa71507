import * as hcloud from "@pulumi/hcloud";
import * as pulumi from "@pulumi/pulumi";
import { formerly } from "../former.ts";
import { cloudflareRanges } from "../../config/cloudflare-ranges.ts";
import { type Naming, labels, physicalName } from "../../topology/naming.ts";

export interface CloudFirewallArgs {
  readonly naming: Naming;
  /** Address ranges that SSH is open to; none: nobody. */
  readonly adminCidrs: readonly string[];
  /** Who may reach the web ports: `cloudflare` alone, everybody, or nobody. */
  readonly web: "cloudflare" | "everybody" | "nobody";
  /** Servers by number that get it, and lose it again, while they run. @default - those that name it themselves */
  readonly attachedTo?: readonly pulumi.Input<number>[];
}

const everybody = ["0.0.0.0/0", "::/0"];

/** What Hetzner lets through to the public address of a server; everything else is dropped before it arrives. */
export class CloudFirewall extends pulumi.ComponentResource {
  readonly id: pulumi.Output<number>;

  constructor(name: string, args: CloudFirewallArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:fleet:CloudFirewall", name, {}, formerly({ ...opts }, { type: "orion:host:CloudFirewall" }));
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
      // A resource of its own: what a move does not want any more goes last, when nobody comes that way.
      new hcloud.FirewallAttachment(
        `${name}-firewall-attachment`,
        { firewallId: this.id, serverIds: [...attachedTo] },
        { parent: this },
      );
    }
    this.registerOutputs({ id: this.id });
  }
}

/** The rules, as Hetzner gives them back. */
export function firewallRules({
  adminCidrs,
  web,
}: Pick<CloudFirewallArgs, "adminCidrs" | "web">): hcloud.types.input.FirewallRule[] {
  const tcp = (port: string, sourceIps: readonly string[], description: string) =>
    sourceIps.length === 0 ? [] : [{ direction: "in", protocol: "tcp", port, sourceIps: [...sourceIps], description }];
  const visitors = {
    cloudflare: [...cloudflareRanges.ipv4, ...cloudflareRanges.ipv6],
    everybody,
    nobody: [],
  }[web];
  return [
    ...tcp("22", adminCidrs, "SSH of the operators"),
    ...tcp("80", visitors, "Visitors"),
    ...tcp("443", visitors, "Visitors"),
    // Without it, paths with a smaller packet size stall.
    { direction: "in", protocol: "icmp", sourceIps: everybody, description: "Reachability and packet size" },
  ];
}
