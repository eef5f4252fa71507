/** The servers of a stack, each a place for containers. */
import { keyFingerprint } from "../../config/checks/servers.ts";
import type { ImageKey } from "../../config/images.ts";
import { edgePorts } from "../../topology/services/edge.ts";
import * as hcloud from "@pulumi/hcloud";
import * as pulumi from "@pulumi/pulumi";
import { formerly } from "../former.ts";
import { edgeHealthPath } from "../../common/edge-contract.ts";
import { firewallCommand } from "../../common/server-contract.ts";
import type { Settings } from "../../config/schema.ts";
import { type Naming, labels, physicalName } from "../../topology/naming.ts";
import type { Server } from "../../topology/server.ts";
import type { Topology } from "../../topology/topology.ts";
import { CloudFirewall, type CloudFirewallArgs } from "./cloud-firewall.ts";
import { privateMtu, userData } from "./cloud-init.ts";
import { peersOf } from "../../topology/peers.ts";
import { DockerRuntime, type RegistryLogin } from "../runtime/docker/runtime.ts";
import { firewallScript } from "./packet-filter.ts";
import { HostFiles } from "../runtime/docker/host-files.ts";
import { HostReady } from "./host-ready.ts";
import { PrivateNetwork } from "./private-network.ts";
import { CloudServer, type CloudServerArgs } from "./server.ts";
import { ServerDrain } from "./server-drain.ts";
import type { HetznerAccess } from "./server-type.ts";
import { sshOptions } from "../../common/ssh.ts";

export interface FleetArgs {
  readonly naming: Naming;
  readonly topology: Topology;
  readonly hetzner: Settings["hetzner"];
  readonly admin: Settings["admin"];
  /** Whether visitors come through Cloudflare alone. */
  readonly behindCloudflare: boolean;
  /** Whether neither the engine nor Hetzner deletes what holds data. */
  readonly protection: boolean;
  /** @default - Hetzner is not asked which types of servers it has */
  readonly access?: HetznerAccess | undefined;
  /** References of the images that a server needs, by the name that components ask for. */
  readonly imagesOf: (server: string) => ReadonlyMap<ImageKey, string>;
  readonly login: RegistryLogin | undefined;
}

/** A server and what it is used by. */
export interface Member {
  readonly server: Server;
  readonly cloudServer: CloudServer;
  readonly place: DockerRuntime;
  /** Arguments with which `ssh` logs in. */
  readonly ssh: pulumi.Output<string[]>;
  /** The packet filter's rules that let other servers reach this one. */
  readonly peerRules: pulumi.Resource;
  /** Stops the containers before the server is deleted; what sends visitors to the server depends on it. */
  readonly drain: pulumi.Resource;
}

/** A first boot installs packages on a machine that has just been made; Hetzner's take a minute or two. */
const bootTimeoutSeconds = 600;

/** The private network, the firewalls and the servers of a stack. */
export class Fleet extends pulumi.ComponentResource {
  /** By the server's name. */
  readonly members: ReadonlyMap<string, Member>;
  /** The subnet that all of them are in. */
  readonly subnetId: pulumi.Output<string>;

  readonly #args: FleetArgs;

  constructor(name: string, args: FleetArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:fleet:Fleet", name, {}, formerly({ ...opts }, { type: "orion:host:Fleet" }));
    this.#args = args;
    const network = new PrivateNetwork("private", args, { parent: this });
    const sshKeyIds = this.#createSshKeys();
    const placementGroups = this.#createPlacementGroups();
    const firewallIds = [this.#createFirewall("closed", "nobody")];
    const common = { sshKeyIds, firewallIds, subnetId: network.subnetId };
    const members: Member[] = [];
    for (const server of args.topology.servers) {
      // One after the other, so that the rest of them is there for the work of the one that changes its type.
      const before = members.findLast((member) => isBeside(member.server, server));
      const placementGroupId = placementGroups.get(server.placementGroup);
      members.push(this.#createMember(server, { ...common, placementGroupId, after: before?.cloudServer.type }));
    }
    this.members = new Map(members.map((member) => [member.server.name, member]));
    this.subnetId = network.subnetId;
    this.#openToVisitors(members.filter(({ server }) => server.publicWeb));
    this.registerOutputs({});
  }

  /** Named by the key itself: another list changes no key that stays. Hetzner has each key once. */
  #createSshKeys(): pulumi.Output<string>[] {
    const { naming, admin } = this.#args;
    return admin.sshPublicKeys.map((publicKey, index) => {
      const name = `admin-${keyFingerprint(publicKey)}`;
      return new hcloud.SshKey(
        name,
        { name: physicalName(naming, name), publicKey, labels: { ...labels(naming, "admin") } },
        // The first stacks named keys by their place in the list.
        formerly({ parent: this }, { name: `admin-${index + 1}` }),
      ).id;
    });
  }

  /** Each keeps its servers on physical hosts of their own. A server joins one while it is off only: when it is created. */
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
    this.#createFirewall("web", this.#args.behindCloudflare ? "cloudflare" : "everybody", serverIds);
  }

  #createMember(
    server: Server,
    common: Pick<CloudServerArgs, "placementGroupId" | "sshKeyIds" | "firewallIds" | "subnetId" | "after">,
  ): Member {
    const { naming, topology, hetzner, admin, protection, access, imagesOf, login } = this.#args;
    const { name } = server;
    const ssh = {
      folder: admin.sshFolder,
      ...(admin.identityFile !== undefined && { identityFile: admin.identityFile }),
    };
    const edgeHealth = edgeHealthOf(topology, server);
    const cloudServer = new CloudServer(
      name,
      {
        ...common,
        ...{ naming, server, protection, access, ssh },
        ...(edgeHealth !== undefined && { edgeHealth }),
        image: hetzner.image,
        userData: userData(server, peersOf(topology, server)),
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
        ...(cloudServer.volumeDevice && { volumeDevice: cloudServer.volumeDevice }),
        timeoutSeconds: bootTimeoutSeconds,
      },
      { parent: this, deletedWith: cloudServer.server, dependsOn: [...cloudServer.attachments] },
    );
    const place = new DockerRuntime(
      name,
      {
        naming,
        dockerHost,
        sshOptions: options,
        images: imagesOf(name),
        login,
        mtu: privateMtu,
        server: cloudServer.server,
        ready,
      },
      { parent: this },
    );
    const loggingIn = pulumi.all([options, cloudServer.address]).apply(([words, host]) => [...words, `root@${host}`]);
    const drain = new ServerDrain(
      `${name}-drain`,
      { host: dockerHost, sshOptions: options, stack: naming.stack },
      { parent: this, dependsOn: ready },
    );
    return {
      server,
      cloudServer,
      place,
      ssh: loggingIn,
      peerRules: this.#createPeerRules(server, place, ready),
      drain,
    };
  }

  /** The rules of the first boot name the servers of that time; these replace them. */
  #createPeerRules(server: Server, place: DockerRuntime, ready: HostReady): pulumi.Resource {
    const script = firewallScript(server, peersOf(this.#args.topology, server));
    return new HostFiles(
      `${server.name}-peers`,
      {
        place,
        files: { [firewallCommand]: { text: script, mode: "0755" } },
        command: [firewallCommand],
        removal: ["true"],
      },
      { parent: this, dependsOn: ready },
    );
  }
}

/** Whether two servers do the same work: a primary and its replicas do. */
const isBeside = (one: Server, other: Server): boolean => poolOf(one) === poolOf(other);
const poolOf = ({ role }: Server): Server["role"] => (role === "db" ? "core" : role);

/** Where the edge of a server says whether it is well; undefined where no load balancer asks. */
function edgeHealthOf({ services }: Topology, { name }: Server): string | undefined {
  const ports = services.flatMap(({ kind, server, published }) =>
    kind === "edge" && server === name ? published : [],
  );
  const at = ports.find(({ containerPort }) => containerPort === edgePorts.health);
  return at && `http://${at.address}:${at.port}${edgeHealthPath}`;
}
