/** Servers of lists of types, one of them behind the other. */
import * as hcloud from "@pulumi/hcloud";
import * as pulumi from "@pulumi/pulumi";
import { CloudServer } from "../../../../components/fleet/server.ts";
import type { ServerType } from "../../../../components/fleet/server-type.ts";
import { loadHetznerAccess } from "../../../../config/load.ts";
import { phases } from "../../../../config/schema.ts";
import type { Server } from "../../../../topology/server.ts";

const config = new pulumi.Config();
const phase = phases.find((one) => one === config.require("phase")) ?? "mvp";
const naming = { stack: "prod", phase };
const group = new hcloud.PlacementGroup("spread", { name: "spread", type: "spread" });
const network = new hcloud.Network("private", { name: "private", ipRange: "10.20.0.0/16" });
const subnet = new hcloud.NetworkSubnet("private", {
  ...{ networkId: network.id.apply(Number), type: "cloud", networkZone: "eu-central", ipRange: "10.20.1.0/24" },
});

let after: ServerType | undefined;
for (let number = 1; number <= config.requireNumber("count"); number++) {
  const server: Server = {
    ...{ name: `app-${number}`, role: "app", location: "fsn1", privateAddress: `10.20.1.${40 + number}` },
    ...{ types: config.require("types").split(","), volumeGb: 0, publicWeb: false, placementGroup: "spread" },
  };
  after = new CloudServer(server.name, {
    ...{ naming, server, after, access: loadHetznerAccess(), ssh: { folder: "/nowhere" } },
    ...{ subnetId: subnet.id, placementGroupId: group.id.apply(Number), sshKeyIds: [], firewallIds: [] },
    ...{ image: "debian-12", userData: () => "#cloud-config\n{}\n" },
  }).type;
}
