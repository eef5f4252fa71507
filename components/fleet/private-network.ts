/** The private network and subnet of a stack's servers. */
import * as hcloud from "@pulumi/hcloud";
import * as pulumi from "@pulumi/pulumi";
import { type Naming, labels, physicalName } from "../../topology/naming.ts";
import { privateNetwork } from "../../topology/server.ts";
import { withAliases } from "../aliases.ts";

export interface PrivateNetworkArgs {
  readonly naming: Naming;
  /** Whether the engine and the provider refuse to delete resources with data. @default true */
  readonly protection?: boolean;
}

export class PrivateNetwork extends pulumi.ComponentResource {
  readonly subnetId: pulumi.Output<string>;

  constructor(name: string, { naming, protection = true }: PrivateNetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:fleet:PrivateNetwork", name, {}, withAliases({ ...opts }, { type: "orion:host:PrivateNetwork" }));
    const network = new hcloud.Network(
      `${name}-network`,
      {
        name: physicalName(naming, "network"),
        ipRange: privateNetwork.range,
        deleteProtection: protection,
        labels: { ...labels(naming, "network") },
      },
      { parent: this, protect: protection },
    );
    const subnet = new hcloud.NetworkSubnet(
      `${name}-subnet`,
      {
        networkId: network.id.apply(Number),
        type: "cloud",
        networkZone: privateNetwork.zone,
        ipRange: privateNetwork.subnet,
      },
      { parent: this },
    );
    this.subnetId = subnet.id;
    this.registerOutputs({ subnetId: this.subnetId });
  }
}
