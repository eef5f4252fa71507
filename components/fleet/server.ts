import * as hcloud from "@pulumi/hcloud";
import * as pulumi from "@pulumi/pulumi";
import { type Naming, labels, physicalName } from "../../topology/naming.ts";
import { type Server, keepsAddress } from "../../topology/server.ts";
import { formerly } from "../former.ts";
import { type HetznerAccess, ServerType, type ServerTypeArgs } from "./server-type.ts";

export interface CloudServerArgs {
  readonly naming: Naming;
  readonly server: Server;
  readonly subnetId: pulumi.Input<string>;
  readonly placementGroupId: pulumi.Input<number> | undefined;
  readonly sshKeyIds: readonly pulumi.Input<string>[];
  /** What it has from its first minute on. */
  readonly firewallIds: readonly pulumi.Input<number>[];
  /** Operating system image by name. */
  readonly image: string;
  /** What cloud-init does before the first login. */
  readonly userData: string;
  /** Where this machine's ssh has its files. */
  readonly ssh: ServerTypeArgs["ssh"];
  /** URL at which load balancers ask for its edge. @default - they do not */
  readonly edgeHealth?: string;
  /** @default - Hetzner is not asked which types it has */
  readonly access?: HetznerAccess | undefined;
  /** What has its turn before, when types change. @default - nothing */
  readonly after?: ServerType | undefined;
  /** Whether neither the engine nor the provider deletes what holds data. @default true */
  readonly protection?: boolean;
}

/**
 * Values that the engine leaves as they are. Changing the first ones would make Hetzner replace the server; firewalls it has
 * from its first minute on, and further ones are attached and detached apart from it; for another type Hetzner's provider
 * would switch it off at once, and all servers at the same time, which `ServerType` does with more care.
 */
const leftAlone = ["image", "userData", "sshKeys", "location", "firewallIds", "serverType"];

const isProtected = ({ protection = true }: CloudServerArgs): boolean => protection;

/** One Hetzner server with an address and, where it keeps data, a Volume that outlive it. */
export class CloudServer extends pulumi.ComponentResource {
  readonly server: hcloud.Server;
  readonly type: ServerType;
  /** The public IPv4 address; known before the server is, so that a replacement changes no DNS record. */
  readonly address: pulumi.Output<string>;
  /** Where the Volume is, as a device; undefined when the server keeps no data. */
  readonly volumeDevice: pulumi.Output<string> | undefined;
  /** What must be there before the server is used: its place in the private network, its Volume. */
  readonly attachments: readonly pulumi.Resource[];

  constructor(name: string, args: CloudServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:fleet:CloudServer", name, {}, formerly({ ...opts }, { type: "orion:host:CloudServer" }));
    const primaryIp = this.#createAddress(name, args);
    this.type = this.#createType(name, args);
    this.server = this.#createServer(name, args, primaryIp);
    const network = this.#attachToNetwork(name, args);
    const volume = args.server.volumeGb > 0 ? this.#createVolume(name, args) : undefined;
    this.address = primaryIp.ipAddress;
    this.volumeDevice = volume?.linuxDevice;
    this.attachments = [network, ...(volume ? [this.#attachVolume(name, volume)] : [])];
    this.registerOutputs({ address: this.address });
  }

  #labels(args: CloudServerArgs): Record<string, string> {
    return { ...labels(args.naming, args.server.role) };
  }

  #createAddress(name: string, args: CloudServerArgs): hcloud.PrimaryIp {
    // What stands behind a load balancer comes and goes.
    const isKept = keepsAddress(args.server) && isProtected(args);
    return new hcloud.PrimaryIp(
      `${name}-ip`,
      {
        name: physicalName(args.naming, args.server.name),
        type: "ipv4",
        location: args.server.location,
        autoDelete: false,
        deleteProtection: isKept,
        labels: this.#labels(args),
      },
      { parent: this, protect: isKept },
    );
  }

  #createType(name: string, { naming, server, ssh, edgeHealth, access, after }: CloudServerArgs): ServerType {
    return new ServerType(
      `${name}-type`,
      {
        ...{ server: physicalName(naming, server.name), location: server.location, types: server.types },
        ...{ stack: naming.stack, ssh },
        ...(edgeHealth !== undefined && { edgeHealth }),
        ...(access && { access }),
      },
      { parent: this, ...(after && { dependsOn: after }) },
    );
  }

  #createServer(name: string, args: CloudServerArgs, primaryIp: hcloud.PrimaryIp): hcloud.Server {
    const { server } = args;
    const stateful = server.volumeGb > 0 && isProtected(args);
    return new hcloud.Server(
      `${name}-server`,
      {
        name: physicalName(args.naming, server.name),
        serverType: this.type.type,
        image: args.image,
        location: server.location,
        userData: args.userData,
        sshKeys: [...args.sshKeyIds],
        firewallIds: [...args.firewallIds],
        ...(args.placementGroupId !== undefined && { placementGroupId: args.placementGroupId }),
        // A bigger disk cannot be made smaller again, so a rescale leaves it.
        keepDisk: true,
        publicNets: [{ ipv4Enabled: true, ipv4: primaryIp.id.apply(Number), ipv6Enabled: false }],
        deleteProtection: stateful,
        rebuildProtection: stateful,
        labels: this.#labels(args),
      },
      // The address can belong to one server at a time, so the old one goes first.
      { parent: this, protect: stateful, ignoreChanges: leftAlone, deleteBeforeReplace: true },
    );
  }

  #attachToNetwork(name: string, args: CloudServerArgs): hcloud.ServerNetwork {
    return new hcloud.ServerNetwork(
      `${name}-network`,
      { serverId: this.server.id.apply(Number), subnetId: args.subnetId, ip: args.server.privateAddress },
      { parent: this, deletedWith: this.server },
    );
  }

  #createVolume(name: string, args: CloudServerArgs): hcloud.Volume {
    return new hcloud.Volume(
      `${name}-volume`,
      {
        name: physicalName(args.naming, args.server.name),
        size: args.server.volumeGb,
        location: args.server.location,
        format: "ext4",
        deleteProtection: isProtected(args),
        labels: this.#labels(args),
      },
      { parent: this, protect: isProtected(args), retainOnDelete: isProtected(args) },
    );
  }

  /** Not mounted by Hetzner's own means: `HostReady` does it, in a place that does not depend on the Volume's number. */
  #attachVolume(name: string, volume: hcloud.Volume): hcloud.VolumeAttachment {
    return new hcloud.VolumeAttachment(
      `${name}-attachment`,
      { volumeId: volume.id.apply(Number), serverId: this.server.id.apply(Number), automount: false },
      { parent: this, deletedWith: this.server },
    );
  }
}
