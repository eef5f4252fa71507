/** The servers of a stack at Hetzner, with their network and firewalls, and a Docker Engine on each. */
import * as hcloud from "@pulumi/hcloud";
import * as pulumi from "@pulumi/pulumi";
import { keyFingerprint } from "../../config/public-key.ts";
import type { ImageKey } from "../../config/images.ts";
import { labels, physicalName } from "../../topology/naming.ts";
import type { Server } from "../../topology/server.ts";
import { withAliases } from "../aliases.ts";
import type { DockerRuntime } from "../runtime/docker/runtime.ts";
import { CloudFirewall, type CloudFirewallArgs } from "./cloud-firewall.ts";
import { type CommonArgs, Member, type MemberArgs } from "./member.ts";
import { PrivateNetwork } from "./private-network.ts";

export interface FleetArgs extends CommonArgs {
  /** Whether only Cloudflare may connect to the web ports. */
  readonly behindCloudflare: boolean;
  /** Ids of SSH keys that Hetzner has without this stack, by fingerprint; it stores each key once. */
  readonly existingKeys: ReadonlyMap<string, string>;
}

/** The private network, the firewalls and the servers of a stack. */
export class Fleet extends pulumi.ComponentResource {
  /** The servers by name. */
  readonly members: ReadonlyMap<string, Member>;
  /** The subnet of all servers. */
  readonly subnetId: pulumi.Output<string>;

  readonly #args: FleetArgs;

  constructor(name: string, args: FleetArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:fleet:Fleet", name, {}, withAliases({ ...opts }, { type: "orion:host:Fleet" }));
    this.#args = args;
    const network = new PrivateNetwork("private", args, { parent: this });
    const sshKeyIds = this.#createSshKeys();
    const placementGroups = this.#createPlacementGroups();
    const firewallIds = [this.#createFirewall("closed", "none")];
    const common = { sshKeyIds, firewallIds, subnetId: network.subnetId };
    const members = this.#createMembers((server) => ({
      ...common,
      placementGroupId: placementGroups.get(server.placementGroup),
    }));
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
        withAliases({ parent: this }, { name: `admin-${index + 1}` }),
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

  #createMembers(cloudOf: (server: Server) => Omit<MemberArgs["cloud"], "after">): Member[] {
    const members: Member[] = [];
    /** The first Docker Engine with each image that servers make themselves; the others copy it from there. */
    const builders = new Map<ImageKey, DockerRuntime>();
    for (const server of this.#args.topology.servers) {
      // Types change one server after the other, so that the other servers of the role carry the load.
      const before = members.findLast((member) => isBeside(member.server, server));
      const cloud = { ...cloudOf(server), after: before?.cloudServer.type };
      const args = { ...this.#args, cloud, imagesFrom: new Map(builders) };
      const member = new Member(server, args, this);
      for (const key of member.runtime.builds.keys()) if (!builders.has(key)) builders.set(key, member.runtime);
      members.push(member);
    }
    return members;
  }

  #openToVisitors(members: readonly Member[]): void {
    if (members.length === 0) return;
    const serverIds = members.map(({ cloudServer }) => cloudServer.server.id.apply(Number));
    this.#createFirewall("web", this.#args.behindCloudflare ? "cloudflare" : "all", serverIds);
  }
}

/** Whether of two servers only one may be powered off at a time: both do the same work, or hold copies of the same data. */
const isBeside = (one: Server, other: Server): boolean => poolOf(one) === poolOf(other);
/** The core server has PostgreSQL and the first Redis, and one Sentinel of three. */
const poolOf = ({ role }: Server): Server["role"] => (role === "db" || role === "cache" ? "core" : role);
