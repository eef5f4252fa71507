/** The servers of a stack at Hetzner, with their network and firewalls, and a Docker Engine on each. */
import { keyFingerprint } from "../../config/checks/servers.ts";
import type { ImageKey } from "../../config/images.ts";
import { edgePorts } from "../../topology/services/edge.ts";
import * as hcloud from "@pulumi/hcloud";
import * as pulumi from "@pulumi/pulumi";
import { formerly } from "../former.ts";
import { edgeHealthPath } from "../../common/edge-contract.ts";
import { growthCommand } from "../../common/server-contract.ts";
import type { Settings } from "../../config/schema.ts";
import { type Naming, labels, physicalName } from "../../topology/naming.ts";
import type { Server } from "../../topology/server.ts";
import type { Topology } from "../../topology/topology.ts";
import { CloudFirewall, type CloudFirewallArgs } from "./cloud-firewall.ts";
import { firewallFiles, firewallInstall, privateMtu, userData } from "./cloud-init.ts";
import { peersOf, publishedOn } from "../../topology/peers.ts";
import type { ImageRecipe } from "../../topology/images.ts";
import { DockerRuntime, type RegistryLogin } from "../runtime/docker/runtime.ts";
import { edgeInterface, type PacketFilter } from "./packet-filter.ts";
import { HostFiles } from "../runtime/docker/host-files.ts";
import { createImageCleanup } from "../runtime/docker/image-cleanup.ts";
import { HostReady } from "./host-ready.ts";
import { PrivateNetwork } from "./private-network.ts";
import { CloudServer, type CloudServerArgs } from "./server.ts";
import { ServerDrain } from "./server-drain.ts";
import { SshAccess } from "./ssh-access.ts";
import { sshdConfig, sshdConfigFile } from "./sshd-config.ts";
import { growthScript } from "./volume-growth.ts";
import type { HetznerAccess } from "./server-type.ts";
import { sshOptions } from "../../common/ssh.ts";

export interface FleetArgs {
  readonly naming: Naming;
  readonly topology: Topology;
  readonly hetzner: Settings["hetzner"];
  readonly admin: Settings["admin"];
  /** Whether only Cloudflare may connect to the web ports. */
  readonly behindCloudflare: boolean;
  /** Whether the engine and Hetzner refuse to delete resources with data. */
  readonly protection: boolean;
  /** @default - the availability of server types is not checked at Hetzner */
  readonly access?: HetznerAccess | undefined;
  /** Ids of SSH keys that Hetzner has without this stack, by fingerprint; it stores each key once. */
  readonly existingKeys: ReadonlyMap<string, string>;
  /** References of the images that a server needs, by key. */
  readonly imagesOf: (server: string) => ReadonlyMap<ImageKey, string>;
  /** How a server makes those of them that no registry has. */
  readonly recipesOf: (server: string) => ReadonlyMap<ImageKey, ImageRecipe>;
  readonly login: RegistryLogin | undefined;
}

/** A server and the resources on it that other components use. */
export interface Member {
  readonly server: Server;
  readonly cloudServer: CloudServer;
  readonly runtime: DockerRuntime;
  /** Arguments with which `ssh` logs in. */
  readonly ssh: pulumi.Output<string[]>;
  /** The server's own SSH host key, as `algorithm key`. */
  readonly hostKey: pulumi.Output<string>;
  /** Packet-filter rules that admit the other servers. */
  readonly peerRules: pulumi.Resource;
  /** Stops the containers before the server is deleted; what routes visitors to the server depends on it. */
  readonly drain: pulumi.Resource;
}

/** The first boot installs packages; at Hetzner it takes a minute or two. */
const bootTimeoutSeconds = 600;

/** The private network, the firewalls and the servers of a stack. */
export class Fleet extends pulumi.ComponentResource {
  /** The servers by name. */
  readonly members: ReadonlyMap<string, Member>;
  /** The subnet of all servers. */
  readonly subnetId: pulumi.Output<string>;

  readonly #args: FleetArgs;
  /** The first Docker Engine with each image that servers make themselves; the others copy it from there. */
  readonly #builders = new Map<ImageKey, DockerRuntime>();

  constructor(name: string, args: FleetArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:fleet:Fleet", name, {}, formerly({ ...opts }, { type: "orion:host:Fleet" }));
    this.#args = args;
    const network = new PrivateNetwork("private", args, { parent: this });
    const sshKeyIds = this.#createSshKeys();
    const placementGroups = this.#createPlacementGroups();
    const firewallIds = [this.#createFirewall("closed", "none")];
    const common = { sshKeyIds, firewallIds, subnetId: network.subnetId };
    const members: Member[] = [];
    for (const server of args.topology.servers) {
      // Types change one server after the other, so that the other servers of the role carry the load.
      const before = members.findLast((member) => isBeside(member.server, server));
      const placementGroupId = placementGroups.get(server.placementGroup);
      members.push(this.#createMember(server, { ...common, placementGroupId, after: before?.cloudServer.type }));
    }
    this.members = new Map(members.map((member) => [member.server.name, member]));
    this.subnetId = network.subnetId;
    this.#openToVisitors(members.filter(({ server }) => server.publicWeb));
    this.registerOutputs({});
  }

  /** Named by the key's fingerprint, so that adding or removing a key changes no other. Hetzner stores each key once. */
  #createSshKeys(): pulumi.Input<string>[] {
    const { naming, admin, existingKeys } = this.#args;
    return admin.sshPublicKeys.map((publicKey, index) => {
      const fingerprint = keyFingerprint(publicKey);
      const existing = existingKeys.get(fingerprint);
      if (existing !== undefined) return existing;
      const name = `admin-${fingerprint}`;
      return new hcloud.SshKey(
        name,
        { name: physicalName(naming, name), publicKey, labels: { ...labels(naming, "admin") } },
        // The first stacks named keys by their place in the list.
        formerly({ parent: this }, { name: `admin-${index + 1}` }),
      ).id;
    });
  }

  /** Each runs its servers on different physical hosts. A server can join only while it is off, hence when it is created. */
  #createPlacementGroups(): ReadonlyMap<string, pulumi.Output<number>> {
    const { naming, topology } = this.#args;
    const names = [...new Set(topology.servers.map(({ placementGroup }) => placementGroup))];
    return new Map(
      names.map((name) => {
        const group = new hcloud.PlacementGroup(
          name,
          { name: physicalName(naming, name), type: "spread", labels: { ...labels(naming, "spread") } },
          { parent: this },
        );
        return [name, group.id.apply(Number)];
      }),
    );
  }

  #createFirewall(
    name: string,
    web: CloudFirewallArgs["web"],
    attachedTo?: CloudFirewallArgs["attachedTo"],
  ): pulumi.Output<number> {
    const { naming, admin } = this.#args;
    const args = { naming, adminCidrs: admin.cidrs, web, ...(attachedTo && { attachedTo }) };
    return new CloudFirewall(name, args, { parent: this }).id;
  }

  #openToVisitors(members: readonly Member[]): void {
    if (members.length === 0) return;
    const serverIds = members.map(({ cloudServer }) => cloudServer.server.id.apply(Number));
    this.#createFirewall("web", this.#args.behindCloudflare ? "cloudflare" : "all", serverIds);
  }

  #createMember(
    server: Server,
    common: Pick<CloudServerArgs, "placementGroupId" | "sshKeyIds" | "firewallIds" | "subnetId" | "after">,
  ): Member {
    const { naming, topology, hetzner, admin, protection, access, imagesOf, recipesOf, login } = this.#args;
    const { name } = server;
    const ssh = {
      folder: admin.sshFolder,
      ...(admin.identityFile !== undefined && { identityFile: admin.identityFile }),
    };
    const edgeHealth = edgeHealthOf(topology, server);
    const filter = { server, peers: peersOf(topology, server), published: publishedOn(topology, server) };
    const cloudServer = new CloudServer(
      name,
      {
        ...common,
        ...{ naming, server, protection, access, ssh },
        ...(edgeHealth !== undefined && { edgeHealth }),
        image: hetzner.image,
        userData: (firstKey) => userData(filter, firstKey),
      },
      { parent: this },
    );
    const dockerHost = pulumi.interpolate`ssh://root@${cloudServer.address}`;
    const options = cloudServer.server.id.apply((serverId) => sshOptions({ ...ssh, serverId }));
    const ready = new HostReady(
      `${name}-ready`,
      {
        host: dockerHost,
        sshOptions: options,
        serverId: cloudServer.server.id,
        firstKey: cloudServer.firstKey,
        ...(cloudServer.volumeDevice && { volumeDevice: cloudServer.volumeDevice }),
        timeoutSeconds: bootTimeoutSeconds,
      },
      { parent: this, deletedWith: cloudServer.server, dependsOn: [...cloudServer.attachments] },
    );
    const sshAccess = new SshAccess(
      `${name}-ssh-access`,
      {
        host: dockerHost,
        sshOptions: options,
        authorizedKeys: [...admin.sshPublicKeys],
        configFile: sshdConfigFile,
        config: sshdConfig,
      },
      // Before anything else connects: sshd takes no connection for a moment while it loads its settings.
      { parent: this, deletedWith: cloudServer.server, dependsOn: ready },
    );
    const runtime = new DockerRuntime(
      name,
      {
        naming,
        dockerHost,
        sshOptions: options,
        images: imagesOf(name),
        recipes: recipesOf(name),
        imagesFrom: new Map(this.#builders),
        login,
        mtu: privateMtu,
        edgeInterface,
        server: cloudServer.server,
        ready: sshAccess,
      },
      { parent: this },
    );
    for (const key of runtime.builds.keys()) if (!this.#builders.has(key)) this.#builders.set(key, runtime);
    createImageCleanup(`${name}-image-cleanup`, runtime, { parent: this, dependsOn: ready });
    const loggingIn = pulumi.all([options, cloudServer.address]).apply(([words, host]) => [...words, `root@${host}`]);
    const drain = new ServerDrain(
      `${name}-drain`,
      { host: dockerHost, sshOptions: options, stack: naming.stack },
      { parent: this, dependsOn: sshAccess },
    );
    this.#growFileSystem(name, cloudServer, runtime, sshAccess);
    return {
      server,
      cloudServer,
      runtime,
      ssh: loggingIn,
      hostKey: ready.hostKey,
      peerRules: this.#createPacketFilter(filter, runtime, sshAccess),
      drain,
    };
  }

  /** The file system follows the Volume in the same update, while PostgreSQL writes. */
  #growFileSystem(name: string, { volumeGb }: CloudServer, runtime: DockerRuntime, ready: pulumi.Resource): void {
    if (!volumeGb) return;
    new HostFiles(
      `${name}-volume-growth`,
      {
        runtime,
        files: { [growthCommand]: { text: growthScript, mode: "0755" } },
        command: [growthCommand, pulumi.interpolate`${volumeGb}`],
        removal: ["true"],
      },
      { parent: this, dependsOn: ready },
    );
  }

  /** User data is read once; these files replace those of the first boot whenever servers or services change. */
  #createPacketFilter(filter: PacketFilter, runtime: DockerRuntime, ready: pulumi.Resource): pulumi.Resource {
    return new HostFiles(
      `${filter.server.name}-peers`,
      {
        runtime,
        files: firewallFiles(filter),
        command: ["sh", "-c", firewallInstall],
        removal: ["true"],
      },
      { parent: this, dependsOn: ready },
    );
  }
}

/** Whether two servers share a role; the primary's and its replicas' servers do. */
const isBeside = (one: Server, other: Server): boolean => poolOf(one) === poolOf(other);
const poolOf = ({ role }: Server): Server["role"] => (role === "db" ? "core" : role);

/** The URL of load balancers' health check of a server's edge; undefined without a load balancer. */
export function edgeHealthOf({ services }: Topology, { name }: Server): string | undefined {
  const ports = services.flatMap(({ kind, server, published }) =>
    kind === "edge" && server === name ? published : [],
  );
  const at = ports.find(({ containerPort }) => containerPort === edgePorts.health);
  return at && `http://${at.address}:${at.port}${edgeHealthPath}`;
}
