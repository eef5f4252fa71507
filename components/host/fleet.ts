/** The servers of a stack, each a place for containers. */
import * as hcloud from "@pulumi/hcloud";
import * as pulumi from "@pulumi/pulumi";
import { type Settings } from "../../config/schema.ts";
import { labels, type Naming, physicalName } from "../../topology/naming.ts";
import { type Server, type Topology } from "../../topology/types.ts";
import { CloudFirewall } from "./cloud-firewall.ts";
import { privateMtu, userData } from "./cloud-init.ts";
import { DockerPlace } from "./docker-place.ts";
import { peersOf } from "./host-firewall.ts";
import { HostReady } from "./host-ready.ts";
import { PrivateNetwork } from "./private-network.ts";
import { CloudServer } from "./server.ts";
import { sshOptions } from "./ssh-options.ts";

export interface FleetArgs {
  readonly naming: Naming;
  readonly topology: Topology;
  readonly hetzner: Settings["hetzner"];
  readonly admin: Settings["admin"];
  /** Whether visitors come through Cloudflare alone. */
  readonly behindCloudflare: boolean;
  /** Whether neither the engine nor Hetzner deletes what holds data. */
  readonly protection: boolean;
  /** References of the images that a server needs, by the name that components ask for. */
  readonly imagesOf: (server: string) => Readonly<Record<string, string>>;
}

/** A first boot installs packages on a machine that has just been made; Hetzner's take a minute or two. */
const bootTimeoutSeconds = 600;

/** The private network, the firewalls and the servers of a stack. */
export class Fleet extends pulumi.ComponentResource {
  /** By the server's name. */
  readonly places: ReadonlyMap<string, DockerPlace>;
  /** Public IPv4 addresses, by the server's name. */
  readonly addresses: ReadonlyMap<string, pulumi.Output<string>>;

  /** Arguments with which `ssh` logs in, by the server's name. */
  readonly ssh: ReadonlyMap<string, pulumi.Output<string[]>>;

  readonly #args: FleetArgs;

  constructor(name: string, args: FleetArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:host:Fleet", name, {}, opts);
    this.#args = args;
    const network = new PrivateNetwork("private", args, { parent: this });
    const sshKeyIds = this.#createSshKeys();
    const placementGroupId = this.#createPlacementGroup();
    const firewalls = this.#createFirewalls();
    const servers = args.topology.servers.map((server) => {
      const firewallIds = [server.publicWeb ? firewalls.web : firewalls.closed].flatMap((one) => one ?? []);
      const common = { placementGroupId, sshKeyIds, firewallIds, subnetId: network.subnetId };
      return this.#createServer(server, common);
    });
    this.addresses = new Map(servers.map(({ name: each, address }) => [each, address]));
    this.ssh = new Map(servers.map(({ name: each, ssh }) => [each, ssh]));
    this.places = new Map(servers.map(({ name: each, place }) => [each, place]));
    this.registerOutputs({});
  }

  #createSshKeys(): pulumi.Output<string>[] {
    const { naming, admin } = this.#args;
    return admin.sshPublicKeys.map(
      (publicKey, index) =>
        new hcloud.SshKey(
          `admin-${index + 1}`,
          { name: physicalName(naming, "admin", index + 1), publicKey, labels: { ...labels(naming, "admin") } },
          { parent: this },
        ).id,
    );
  }

  /** No two servers on one physical machine. It can be joined by a server that is off only, so it is there from the start. */
  #createPlacementGroup(): pulumi.Output<number> {
    const { naming } = this.#args;
    const group = new hcloud.PlacementGroup(
      "spread",
      { name: physicalName(naming, "spread"), type: "spread", labels: { ...labels(naming, "spread") } },
      { parent: this },
    );
    return group.id.apply(Number);
  }

  #createFirewalls(): { web: pulumi.Output<number> | undefined; closed: pulumi.Output<number> | undefined } {
    const { naming, admin, topology, behindCloudflare } = this.#args;
    const firewall = (name: string, web: "cloudflare" | "everybody" | "nobody") =>
      new CloudFirewall(name, { naming, adminCidrs: admin.cidrs, web }, { parent: this }).id;
    const has = (publicWeb: boolean) => topology.servers.some((server) => server.publicWeb === publicWeb);
    return {
      web: has(true) ? firewall("web", behindCloudflare ? "cloudflare" : "everybody") : undefined,
      closed: has(false) ? firewall("closed", "nobody") : undefined,
    };
  }

  #createServer(
    server: Server,
    common: {
      placementGroupId: pulumi.Output<number>;
      sshKeyIds: pulumi.Output<string>[];
      firewallIds: pulumi.Output<number>[];
      subnetId: pulumi.Output<string>;
    },
  ): { name: string; address: pulumi.Output<string>; ssh: pulumi.Output<string[]>; place: DockerPlace } {
    const { naming, topology, hetzner, admin, protection, imagesOf } = this.#args;
    const { name } = server;
    const cloudServer = new CloudServer(
      name,
      {
        ...common,
        naming,
        server,
        protection,
        image: hetzner.image,
        userData: userData(server, peersOf(topology, server)),
      },
      { parent: this },
    );
    const dockerHost = pulumi.interpolate`ssh://root@${cloudServer.address}`;
    const options = cloudServer.server.id.apply((serverId) =>
      sshOptions({ folder: admin.sshFolder, identityFile: admin.identityFile, serverId }),
    );
    const ready = new HostReady(
      `${name}-ready`,
      {
        host: dockerHost,
        sshOptions: options,
        serverId: cloudServer.server.id,
        ...(cloudServer.volumeDevice && { volumeDevice: cloudServer.volumeDevice }),
        timeoutSeconds: bootTimeoutSeconds,
      },
      { parent: this, deletedWith: cloudServer.server, dependsOn: [...cloudServer.attachments] },
    );
    const place = new DockerPlace(
      name,
      {
        naming,
        dockerHost,
        sshOptions: options,
        images: imagesOf(name),
        mtu: privateMtu,
        server: cloudServer.server,
        ready,
      },
      { parent: this },
    );
    const { address } = cloudServer;
    const ssh = pulumi.all([options, address]).apply(([words, host]) => [...words, `root@${host}`]);
    return { name, address, ssh, place };
  }
}
