/** The way of a visitor to the apps: the host name, Cloudflare, load balancers, and an edge beside the apps of each machine. */
import type * as pulumi from "@pulumi/pulumi";
import { edgeConfigFile } from "../../common/edge-contract.ts";
import { cloudflareRanges } from "../../config/cloudflare-ranges.ts";
import { partName } from "../../topology/naming.ts";
import { type Service, servicesOf } from "../../topology/types.ts";
import { type AppTier } from "../app-tier/app-tier.ts";
import { type BackingServicesArgs } from "../backing-services.ts";
import { type Runtimes } from "../runtimes.ts";
import { type AcmeArgs, AcmeCertificate, AcmeClient } from "./certificates/acme-certificate.ts";
import { CloudflareZone } from "./cloudflare/zone.ts";
import { type Certificate, EdgeProxy } from "../edge-proxy/edge-proxy.ts";
import { createEdgeDrain } from "../edge-proxy/edge-drain.ts";
import { HostName } from "./host-name.ts";
import { HetznerBalancer } from "./hetzner-balancer.ts";
import { SelfSignedCertificate } from "./certificates/self-signed-certificate.ts";
import { NotBuiltError } from "../not-built.ts";
import { type Storage, uploadsOf } from "../storage/storage.ts";

export interface IngressArgs extends BackingServicesArgs {
  readonly places: Runtimes;
  readonly storage: Storage;
  /** The apps of each machine, by its name. */
  readonly apps: ReadonlyMap<string, AppTier>;
}

/** Makes it. Visitors are sent where everything behind is up. @param parent the component that it belongs to */
export function createIngress(args: IngressArgs, parent: pulumi.Resource): void {
  const zone = createZone(args, parent);
  const certificate = createCertificate(args, zone, parent);
  const edges = servicesOf(args.topology, "edge").map((service) => createEdge(service, args, certificate, parent));
  const address = createBalancer(edges, args, parent) ?? publicAddress(args.places);
  const { domain } = args.settings;
  // Also on the way back to one server, visitors are sent only where an edge is up.
  const opts = { parent, dependsOn: edges.map(({ proxy }) => proxy) };
  const name = zone && domain !== undefined && address && new HostName("hostname", { zone, domain, address }, opts);
  for (const { proxy, acme } of edges) {
    // An authority asks at the host name.
    if (acme) new AcmeCertificate("edge-certificate", acme, { parent, dependsOn: [proxy, ...(name ? [name] : [])] });
  }
}

interface Edge {
  readonly service: Service;
  readonly proxy: EdgeProxy;
  /** Where the server gets its certificate by itself. */
  readonly acme: AcmeArgs | undefined;
}

function createZone({ settings }: IngressArgs, parent: pulumi.Resource): CloudflareZone | undefined {
  const { edge, domain, cloudflare } = settings;
  const { enabled, plan, zone } = cloudflare;
  if (!enabled || domain === undefined || zone === undefined) return undefined;
  const args = { zone, domain, plan, certificate: edge.tls === "cloudflare-origin-ca" };
  return new CloudflareZone("cloudflare", args, { parent });
}

function createCertificate(
  { settings }: IngressArgs,
  zone: CloudflareZone | undefined,
  parent: pulumi.Resource,
): Certificate | "acme" | undefined {
  const { edge, domain } = settings;
  switch (edge.tls) {
    case "none":
      return undefined;
    case "acme":
      return "acme";
    case "cloudflare-origin-ca":
      return zone?.certificate;
    case "self-signed":
      return new SelfSignedCertificate("edge-tls", { hostname: domain ?? "localhost" }, { parent });
  }
}

function createEdge(
  service: Service,
  { settings, topology, places, storage, apps }: IngressArgs,
  certificate: Certificate | "acme" | undefined,
  parent: pulumi.Resource,
): Edge {
  const { edge, domain, cloudflare } = settings;
  const app = apps.get(service.server);
  if (!app) throw new Error(`${service.name} is to stand before apps on ${service.server}, where the plan has none`);
  const balancers = topology.loadBalancers.map(({ privateAddress }) => privateAddress);
  const place = places.of(service);
  const container = { container: service.container, config: edgeConfigFile };
  const acme = certificate === "acme" &&
    domain !== undefined && { place, hostname: domain, ...edge.acme, edge: container };
  const client = acme ? [new AcmeClient("edge-acme", acme, { parent })] : [];
  const args = {
    place,
    service,
    app: app.alias,
    bodyLimitMb: edge.bodyLimitMb,
    trustedProxies: cloudflare.enabled ? [...cloudflareRanges.ipv4, ...cloudflareRanges.ipv6] : [],
    ...(balancers.length > 0 && { balancers }),
    ...(certificate && { certificate }),
    ...(domain !== undefined && { hostname: domain }),
    ...uploadsOf(storage),
  };
  const name = partName("edge", service.server);
  const proxy = new EdgeProxy(name, args, { parent, dependsOn: [app, ...client] });
  if (topology.servers.length > 0) createEdgeDrain(`${name}-drain`, place, { parent, dependsOn: proxy });
  return { service, proxy, acme: acme || undefined };
}

/** @returns the address of the load balancer once it answers; undefined in a phase without one */
function createBalancer(
  edges: readonly Edge[],
  { settings, topology, places }: IngressArgs,
  parent: pulumi.Resource,
): pulumi.Output<string> | undefined {
  const { hetzner, domain, cloudflare } = settings;
  // Where Cloudflare does not send visitors there, somebody else does who knows the address.
  const protection = settings.protection && !cloudflare.enabled;
  const { stack, phase, loadBalancers } = topology;
  const [balancer, another] = loadBalancers;
  if (!balancer) return undefined;
  if (another) throw new NotBuiltError("More than one load balancer");
  const { subnetId, members } = places;
  if (subnetId === undefined || domain === undefined) throw new Error("a load balancer has a network and a host name");
  const targets = edges.flatMap(({ service, proxy }) => {
    const member = members.get(service.server);
    return member ? [{ member, edge: proxy }] : [];
  });
  const naming = { stack, phase };
  const args = { naming, balancer, type: hetzner.loadBalancerType, subnetId, targets, hostname: domain, protection };
  return new HetznerBalancer(balancer.name, args, { parent }).address;
}

/** Of the server that visitors come to directly; undefined in development. */
const publicAddress = ({ members }: Runtimes): pulumi.Output<string> | undefined =>
  [...members.values()].find(({ server }) => server.publicWeb)?.cloudServer.address;
