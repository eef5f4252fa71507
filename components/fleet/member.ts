/** A server of a fleet with what it needs to run containers: first boot, SSH access, Docker Engine and packet filter. */
import * as pulumi from "@pulumi/pulumi";
import { growthCommand } from "../../common/server-contract.ts";
import { sshOptions } from "../../common/ssh.ts";
import type { ImageKey } from "../../config/images.ts";
import type { Settings } from "../../config/schema.ts";
import type { ImageRecipe } from "../../topology/images.ts";
import type { Naming } from "../../topology/naming.ts";
import { peersOf, publishedOn } from "../../topology/peers.ts";
import type { Server } from "../../topology/server.ts";
import type { Topology } from "../../topology/topology.ts";
import { HostFiles } from "../runtime/docker/host-files.ts";
import { createImageCleanup } from "../runtime/docker/image-cleanup.ts";
import { DockerRuntime, type RegistryLogin } from "../runtime/docker/runtime.ts";
import { firewallFiles, firewallInstall, privateMtu, userData } from "./cloud-init.ts";
import { edgeHealthOf } from "./edge-health.ts";
import { HostReady } from "./host-ready.ts";
import { edgeInterface, type PacketFilter } from "./packet-filter.ts";
import { CloudServer, type CloudServerArgs } from "./server.ts";
import { ServerDrain } from "./server-drain.ts";
import type { HetznerAccess } from "./server-type.ts";
import { SshAccess } from "./ssh-access.ts";
import { sshdConfig, sshdConfigFile } from "./sshd-config.ts";
import { growthScript } from "./volume-growth.ts";

/** What all servers of a fleet have in common. */
export interface CommonArgs {
  readonly naming: Naming;
  readonly topology: Topology;
  readonly hetzner: Pick<Settings["hetzner"], "image">;
  readonly admin: Settings["admin"];
  /** Whether the engine and Hetzner refuse to delete resources with data. */
  readonly protection: boolean;
  /** @default - the availability of server types is not checked at Hetzner */
  readonly access?: HetznerAccess | undefined;
  /** References of the images that a server needs, by key. */
  readonly imagesOf: (server: string) => ReadonlyMap<ImageKey, string>;
  /** How a server makes those of them that no registry has. */
  readonly recipesOf: (server: string) => ReadonlyMap<ImageKey, ImageRecipe>;
  readonly login: RegistryLogin | undefined;
}

export interface MemberArgs extends CommonArgs {
  /** The network, keys, firewalls and placement group that it gets at Hetzner, and the server whose type changes before its own. */
  readonly cloud: Pick<CloudServerArgs, "placementGroupId" | "sshKeyIds" | "firewallIds" | "subnetId" | "after">;
  /** The first Docker Engine with each image that servers make themselves, to copy it from. */
  readonly imagesFrom: ReadonlyMap<ImageKey, DockerRuntime>;
}

/** The first boot installs packages; at Hetzner it takes a minute or two. */
const bootTimeoutSeconds = 600;

/** A server of a fleet, and the resources on it that other components use. They are named after the server. */
export class Member {
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

  readonly #args: MemberArgs;
  readonly #parent: pulumi.Resource;
  /** How the plugin's resources log in. */
  readonly #login: { readonly host: pulumi.Output<string>; readonly sshOptions: pulumi.Output<string[]> };

  /** @param parent the fleet, which is the parent of all resources */
  constructor(server: Server, args: MemberArgs, parent: pulumi.Resource) {
    this.server = server;
    this.#args = args;
    this.#parent = parent;
    const filter = this.#packetFilter();
    this.cloudServer = this.#createCloudServer(filter);
    this.#login = this.#createLogin();
    const booted = this.#createHostReady();
    const ready = this.#createSshAccess(booted);
    this.runtime = this.#createRuntime(ready);
    createImageCleanup(`${server.name}-image-cleanup`, this.runtime, { parent, dependsOn: booted });
    this.drain = this.#createDrain(ready);
    this.#createVolumeGrowth(ready);
    this.peerRules = this.#createPeerRules(filter, ready);
    this.hostKey = booted.hostKey;
    this.ssh = pulumi
      .all([this.#login.sshOptions, this.cloudServer.address])
      .apply(([options, address]) => [...options, `root@${address}`]);
  }

  /** The files of this machine's ssh. */
  get #sshFiles() {
    const { sshFolder, identityFile } = this.#args.admin;
    return { folder: sshFolder, ...(identityFile !== undefined && { identityFile }) };
  }

  #packetFilter(): PacketFilter {
    const { server } = this;
    const { topology } = this.#args;
    return { server, peers: peersOf(topology, server), published: publishedOn(topology, server) };
  }

  #createCloudServer(filter: PacketFilter): CloudServer {
    const { naming, topology, protection, access, hetzner, cloud } = this.#args;
    const { server } = this;
    const edgeHealth = edgeHealthOf(topology, server);
    return new CloudServer(
      server.name,
      {
        ...{ ...cloud, naming, server, protection, access, ssh: this.#sshFiles, image: hetzner.image },
        ...(edgeHealth !== undefined && { edgeHealth }),
        userData: (firstKey) => userData(filter, firstKey),
      },
      { parent: this.#parent },
    );
  }

  #createLogin() {
    const { server, address } = this.cloudServer;
    const files = this.#sshFiles;
    return {
      host: pulumi.interpolate`ssh://root@${address}`,
      sshOptions: server.id.apply((serverId) => sshOptions({ ...files, serverId })),
    };
  }

  #createHostReady(): HostReady {
    const { server, firstKey, volumeDevice, attachments } = this.cloudServer;
    return new HostReady(
      `${this.server.name}-ready`,
      {
        ...{ ...this.#login, serverId: server.id, firstKey },
        ...(volumeDevice && { volumeDevice }),
        timeoutSeconds: bootTimeoutSeconds,
      },
      { parent: this.#parent, deletedWith: server, dependsOn: [...attachments] },
    );
  }

  /** Before anything else connects: sshd takes no connection for a moment while it loads its settings. */
  #createSshAccess(booted: HostReady): SshAccess {
    const authorizedKeys = [...this.#args.admin.sshPublicKeys];
    return new SshAccess(
      `${this.server.name}-ssh-access`,
      { ...this.#login, authorizedKeys, configFile: sshdConfigFile, config: sshdConfig },
      { parent: this.#parent, deletedWith: this.cloudServer.server, dependsOn: booted },
    );
  }

  #createRuntime(ready: pulumi.Resource): DockerRuntime {
    const { naming, imagesOf, recipesOf, imagesFrom, login } = this.#args;
    const { name } = this.server;
    const { host: dockerHost, sshOptions: options } = this.#login;
    return new DockerRuntime(
      name,
      {
        ...{ naming, dockerHost, sshOptions: options, server: this.cloudServer.server, ready },
        ...{ images: imagesOf(name), recipes: recipesOf(name), imagesFrom, login },
        ...{ mtu: privateMtu, edgeInterface },
      },
      { parent: this.#parent },
    );
  }

  #createDrain(ready: pulumi.Resource): ServerDrain {
    const args = { ...this.#login, stack: this.#args.naming.stack };
    return new ServerDrain(`${this.server.name}-drain`, args, { parent: this.#parent, dependsOn: ready });
  }

  /** The file system follows the Volume in the same update, while PostgreSQL writes. */
  #createVolumeGrowth(ready: pulumi.Resource): void {
    const { volumeGb } = this.cloudServer;
    if (!volumeGb) return;
    new HostFiles(
      `${this.server.name}-volume-growth`,
      {
        runtime: this.runtime,
        files: { [growthCommand]: { text: growthScript, mode: "0755" } },
        command: [growthCommand, pulumi.interpolate`${volumeGb}`],
        removal: ["true"],
      },
      { parent: this.#parent, dependsOn: ready },
    );
  }

  /** User data is read once; these files replace those of the first boot whenever servers or services change. */
  #createPeerRules(filter: PacketFilter, ready: pulumi.Resource): HostFiles {
    return new HostFiles(
      `${this.server.name}-peers`,
      {
        runtime: this.runtime,
        files: firewallFiles(filter),
        command: ["sh", "-c", firewallInstall],
        removal: ["true"],
      },
      { parent: this.#parent, dependsOn: ready },
    );
  }
}
