/** One Hetzner server with its address, type and Volume. */
import * as hcloud from "@pulumi/hcloud";
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { type Naming, labels, physicalName } from "../../topology/naming.ts";
import { type Server, keepsAddress } from "../../topology/server.ts";
import { withAliases } from "../aliases.ts";
import type { FirstKey } from "./cloud-init.ts";
import { type HetznerAccess, ServerType, type ServerTypeArgs } from "./server-type.ts";

export interface CloudServerArgs {
  readonly naming: Naming;
  readonly server: Server;
  readonly subnetId: pulumi.Input<string>;
  readonly placementGroupId: pulumi.Input<number> | undefined;
  readonly sshKeyIds: readonly pulumi.Input<string>[];
  /** Firewalls that it has from its creation on. */
  readonly firewallIds: readonly pulumi.Input<number>[];
  /** Operating system image by name. */
  readonly image: string;
  /** Text for cloud-init, with the host key that the server shows at the first connection. */
  readonly userData: (firstKey: FirstKey) => string;
  /** Files of this machine's ssh. */
  readonly ssh: ServerTypeArgs["ssh"];
  /** URL of load balancers' health check of its edge. @default - no load balancer */
  readonly edgeHealth?: string;
  /** @default - the availability of types is not checked at Hetzner */
  readonly access?: HetznerAccess | undefined;
  /** The server whose type must change before this one's. @default - none */
  readonly after?: ServerType | undefined;
  /** Whether the engine and the provider refuse to delete resources with data. @default true */
  readonly protection?: boolean;
}

/**
 * Inputs whose changes the engine ignores. A change of the first four would replace the server. Firewalls are attached and
 * detached by separate resources after its creation. For another type Hetzner's provider would power all servers off at once;
 * `ServerType` drains them one by one.
 */
const ignoredInputs = ["image", "userData", "sshKeys", "location", "firewallIds", "serverType"];

const isProtected = ({ protection = true }: CloudServerArgs): boolean => protection;

/** The address and, where it keeps data, the Volume outlive the server. */
export class CloudServer extends pulumi.ComponentResource {
  readonly server: hcloud.Server;
  readonly type: ServerType;
  /** Public half of the host key that the server shows at the first connection, and never again. */
  readonly firstKey: pulumi.Output<string>;
  /** The public IPv4 address; known before the server exists, so that a replacement changes no DNS record. */
  readonly address: pulumi.Output<string>;
  /** Device of the Volume; undefined when the server keeps no data. */
  readonly volumeDevice: pulumi.Output<string> | undefined;
  /** Its size in GB, once the Volume has it. */
  readonly volumeGb: pulumi.Output<number> | undefined;
  /** What must exist before the server is used: its attachments to the private network and to its Volume. */
  readonly attachments: readonly pulumi.Resource[];

  constructor(name: string, args: CloudServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:fleet:CloudServer", name, {}, withAliases({ ...opts }, { type: "orion:host:CloudServer" }));
    const primaryIp = this.#createAddress(name, args);
    this.type = this.#createType(name, args);
    const firstKey = new tls.PrivateKey(`${name}-first-host-key`, { algorithm: "ED25519" }, { parent: this });
    // Undefined when the key is not made yet and `pulumi up --target` leaves it out; the engine then creates no server.
    this.firstKey = firstKey.publicKeyOpenssh.apply((line: string | undefined) => line?.trim() ?? "");
    this.server = this.#createServer(name, args, primaryIp, firstKey.privateKeyOpenssh);
    const network = this.#attachToNetwork(name, args);
    const volume = args.server.volumeGb > 0 ? this.#createVolume(name, args) : undefined;
    this.address = primaryIp.ipAddress;
    this.volumeDevice = volume?.linuxDevice;
    this.volumeGb = volume?.size;
    this.attachments = [network, ...(volume ? [this.#attachVolume(name, volume)] : [])];
    this.registerOutputs({ address: this.address });
  }

  #labels(args: CloudServerArgs): Record<string, string> {
    return { ...labels(args.naming, args.server.role) };
  }

  #createAddress(name: string, args: CloudServerArgs): hcloud.PrimaryIp {
    // Behind a load balancer no client knows the address, so it needs no protection.
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

  #createServer(
    name: string,
    args: CloudServerArgs,
    primaryIp: hcloud.PrimaryIp,
    firstPrivateKey: pulumi.Output<string>,
  ): hcloud.Server {
    const { server } = args;
    const userData = pulumi
      .all([firstPrivateKey, this.firstKey])
      .apply(([privateKey, publicKey]) => args.userData({ privateKey, publicKey }));
    const stateful = server.volumeGb > 0 && isProtected(args);
    return new hcloud.Server(
      `${name}-server`,
      {
        name: physicalName(args.naming, server.name),
        serverType: this.type.type,
        image: args.image,
        location: server.location,
        userData: pulumi.secret(userData),
        sshKeys: [...args.sshKeyIds],
        firewallIds: [...args.firewallIds],
        ...(args.placementGroupId !== undefined && { placementGroupId: args.placementGroupId }),
        // A disk that has grown cannot shrink, so a change of the type keeps it.
        keepDisk: true,
        publicNets: [{ ipv4Enabled: true, ipv4: primaryIp.id.apply(Number), ipv6Enabled: false }],
        deleteProtection: stateful,
        rebuildProtection: stateful,
        labels: this.#labels(args),
      },
      // The address can belong to one server at a time, so the old server is deleted first.
      { parent: this, protect: stateful, ignoreChanges: ignoredInputs, deleteBeforeReplace: true },
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

  /** Without Hetzner's automount: `HostReady` mounts it at a path that does not depend on the Volume's id. */
  #attachVolume(name: string, volume: hcloud.Volume): hcloud.VolumeAttachment {
    return new hcloud.VolumeAttachment(
      `${name}-attachment`,
      { volumeId: volume.id.apply(Number), serverId: this.server.id.apply(Number), automount: false },
      { parent: this, deletedWith: this.server },
    );
  }
}
