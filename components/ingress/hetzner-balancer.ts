/** Hetzner's load balancer in front of the edges. */
import { edgePorts } from "../../topology/services/edge.ts";
import * as hcloud from "@pulumi/hcloud";
import * as pulumi from "@pulumi/pulumi";
import type { FormerIdentity } from "../aliases.ts";
import { edgeHealthPath } from "../../common/edge-contract.ts";
import { type Naming, labels, physicalName } from "../../topology/naming.ts";
import type { LoadBalancer } from "../../topology/server.ts";
import type { Member } from "../fleet/member.ts";
import { DrainDelay } from "./drain-delay.ts";
import { HttpsReady } from "./https-ready.ts";

export interface HetznerBalancerArgs {
  readonly naming: Naming;
  readonly balancer: LoadBalancer;
  /** Hetzner's name of its size, such as `lb11`. */
  readonly type: string;
  readonly subnetId: pulumi.Input<string>;
  /** The servers that it spreads visitors over, each with its edge, which must be up before. */
  readonly targets: readonly { readonly member: Member; readonly edge: pulumi.Resource }[];
  readonly hostname: string;
  /** Whether neither the engine nor the provider deletes it: its address may be known elsewhere. @default true */
  readonly protection?: boolean;
}

/**
 * The health check of targets. A server that fails gets no more connections after at most twelve seconds; one that is only
 * slow is kept unless it stays slow for as long.
 */
const check = { intervalSeconds: 3, timeoutSeconds: 3, retries: 3 } as const;

/** How long a target keeps its open connections after it gets no new ones. */
const drainSeconds = 10;
const readySeconds = 180;

/**
 * It passes TLS through, so that only the edges have the certificate's key, and sends the client's address in the PROXY protocol:
 * the edges filter clients, because it cannot have a firewall.
 */
export class HetznerBalancer extends pulumi.ComponentResource {
  /** Former identities of the load balancer in the first location, the only one that a stack had. */
  static readonly formerFirst: readonly FormerIdentity[] = [
    { name: "balancer-1" },
    { name: "balancer-1", type: "orion:edge:HetznerBalancer" },
  ];

  /** Its public IPv4 address; known once it answers over HTTPS. */
  readonly address: pulumi.Output<string>;

  constructor(name: string, args: HetznerBalancerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:ingress:HetznerBalancer", name, {}, opts);
    const balancer = this.#createBalancer(name, args);
    const id = balancer.id.apply(Number);
    // One after the other: while one change of a load balancer is under way, Hetzner refuses the next.
    let last: pulumi.Resource = this.#attachToNetwork(name, args, id);
    for (const port of [80, 443]) last = this.#createService(name, balancer, port, last);
    for (const target of args.targets) last = this.#addTarget(name, target, id, last);
    this.address = this.#waitUntilReady(name, args, balancer, last);
    this.registerOutputs({ address: this.address });
  }

  #createBalancer(name: string, { naming, balancer, type, protection = true }: HetznerBalancerArgs) {
    return new hcloud.LoadBalancer(
      `${name}-balancer`,
      {
        name: physicalName(naming, balancer.name),
        loadBalancerType: type,
        location: balancer.location,
        algorithm: { type: "least_connections" },
        deleteProtection: protection,
        labels: { ...labels(naming, "balancer") },
      },
      { parent: this, protect: protection },
    );
  }

  #createService(name: string, balancer: hcloud.LoadBalancer, port: number, after: pulumi.Resource): pulumi.Resource {
    return new hcloud.LoadBalancerService(
      `${name}-service-${port}`,
      {
        loadBalancerId: balancer.id,
        protocol: "tcp",
        listenPort: port,
        destinationPort: port,
        proxyprotocol: true,
        healthCheck: {
          // A separate port without PROXY protocol: the check is a plain request.
          protocol: "http",
          port: edgePorts.health,
          interval: check.intervalSeconds,
          timeout: check.timeoutSeconds,
          retries: check.retries,
          http: { path: edgeHealthPath, statusCodes: ["200"] },
        },
      },
      { parent: this, dependsOn: after },
    );
  }

  #attachToNetwork(name: string, { balancer, subnetId }: HetznerBalancerArgs, loadBalancerId: pulumi.Output<number>) {
    return new hcloud.LoadBalancerNetwork(
      `${name}-network`,
      { loadBalancerId, subnetId, ip: balancer.privateAddress },
      { parent: this },
    );
  }

  /** Adds a server once its edge is up. On removal the target goes first; then open requests have time to end. */
  #addTarget(
    name: string,
    { member, edge }: HetznerBalancerArgs["targets"][number],
    loadBalancerId: pulumi.Output<number>,
    after: pulumi.Resource,
  ): pulumi.Resource {
    const { server, cloudServer, drain: serverDrain } = member;
    const delay = new DrainDelay(
      `${name}-drain-${server.name}`,
      { route: server.privateAddress, afterChangeSeconds: 0, atRemovalSeconds: drainSeconds },
      { parent: this, dependsOn: [edge, serverDrain, ...cloudServer.attachments] },
    );
    return new hcloud.LoadBalancerTarget(
      `${name}-target-${server.name}`,
      { loadBalancerId, type: "server", serverId: cloudServer.server.id.apply(Number), usePrivateIp: true },
      { parent: this, dependsOn: [after, delay] },
    );
  }

  #waitUntilReady(
    name: string,
    { targets, hostname }: HetznerBalancerArgs,
    balancer: hcloud.LoadBalancer,
    dependsOn: pulumi.Resource,
  ): pulumi.Output<string> {
    const ready = new HttpsReady(
      `${name}-ready`,
      {
        address: balancer.ipv4,
        port: 443,
        hostname,
        path: edgeHealthPath,
        behind: targets.map(({ member }) => member.server.name),
        // Enough requests for each target to be reached.
        inARow: 3 * targets.length,
        timeoutSeconds: readySeconds,
      },
      { parent: this, dependsOn },
    );
    return ready.address;
  }
}
