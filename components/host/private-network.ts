import * as hcloud from "@pulumi/hcloud";
import * as pulumi from "@pulumi/pulumi";
import { labels, physicalName, type Naming } from "../../topology/naming.ts";
import { privateNetwork } from "../../topology/types.ts";

/** The private network that all servers of a stack share, with its one subnet. */
export class PrivateNetwork extends pulumi.ComponentResource {
  readonly subnetId: pulumi.Output<string>;

  constructor(name: string, naming: Naming, opts?: pulumi.ComponentResourceOptions) {
    super("orion:host:PrivateNetwork", name, {}, opts);
    const network = new hcloud.Network(
      `${name}-network`,
      {
        name: physicalName(naming, "network"),
        ipRange: privateNetwork.range,
        deleteProtection: true,
        labels: { ...labels(naming, "network") },
      },
      { parent: this, protect: true },
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
