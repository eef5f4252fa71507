/** The ingress of a stack: host name, Cloudflare, load balancers, and an edge (nginx) on each machine with apps. */
import * as pulumi from "@pulumi/pulumi";
import { edgeConfigFile } from "../../common/edge-contract.ts";
import { cloudflareRanges } from "../../common/cloudflare-ranges.ts";
import { publicNames, zonePlans, publicUrl } from "../../config/host-names.ts";
import { privatePathsOf } from "../../config/private-paths.ts";
import type { Settings } from "../../config/schema.ts";
import type { ServiceOf } from "../../topology/service.ts";
import { hasServers, servicesOf } from "../../topology/topology.ts";
import { anyVersion, type AppTier } from "../app-tier/app-tier.ts";
import type { Context } from "../context.ts";
import { type AcmeArgs, AcmeCertificate, AcmeClient } from "./certificates/acme-certificate.ts";
import { CloudflareZone } from "./cloudflare/zone.ts";
import { withAliases } from "../aliases.ts";
import { createEdgeDrain } from "../edge-proxy/edge-drain.ts";
import { type Certificate, EdgeProxy } from "../edge-proxy/edge-proxy.ts";
import { HostName } from "./host-name.ts";
import { HetznerBalancer } from "./hetzner-balancer.ts";
import { SelfSignedCertificate } from "./certificates/self-signed-certificate.ts";
import { type Storage, uploadsOf } from "../storage/storage.ts";

/** An address at which visitors reach edges. */
export interface Origin {
  readonly location: string;
  /** IPv4 address; known once the edges behind it answer. */
  readonly address: pulumi.Output<string>;
}

interface Edge {
  readonly service: ServiceOf<"edge">;
  readonly proxy: EdgeProxy;
  /** Arguments of the ACME client. @default - the certificate has another source */
  readonly acme?: AcmeArgs;
}

/** What an edge is made of. */
interface EdgeParts {
  /** The apps of each machine, by its name. */
  readonly apps: ReadonlyMap<string, AppTier>;
  readonly storage: Storage;
  readonly certificates: ReadonlyMap<string, Certificate> | "acme";
  /** Signs the certificate that clients must present. Undefined without Cloudflare: visitors have none. */
  readonly clientAuthority: pulumi.Output<string> | undefined;
}

type Balancing = Settings["edge"]["balancing"];

/** The origins of a stack, by how visitors are balanced. */
const originsOf: Readonly<Record<Balancing, (context: Context, edges: readonly Edge[]) => readonly Origin[]>> = {
  direct: directOrigins,
  regional: balancedOrigins,
  global: () => {
    throw new Error("orion:edge.balancing global is not built; unbuiltTraits of config/presets.ts must refuse it");
  },
};

/**
 * @param apps the apps of each machine, by its name
 * @returns what passes requests to the apps
 */
export function createIngress(
  context: Context,
  storage: Storage,
  apps: ReadonlyMap<string, AppTier>,
): readonly pulumi.Resource[] {
  const { settings, topology, parent } = context;
  const zones = createZones(context);
  const certificates = createCertificates(context, zones);
  const clientAuthority = authorityOf([...zones.values()]);
  const edges = servicesOf(topology, "edge").map((service) =>
    createEdge(context, service, { apps, storage, certificates, clientAuthority }),
  );
  const [origin] = originsOf[settings.edge.balancing](context, edges);
  const names = origin ? createHostNames(context, zones, edges, origin) : [];
  for (const { proxy, acme } of edges) {
    // The authority connects to the host names.
    if (acme) new AcmeCertificate("edge-certificate", acme, { parent, dependsOn: [proxy, ...names] });
  }
  return edges.map(({ proxy }) => proxy);
}

/** The zones at Cloudflare, by name. Each is named by its zone, so that another `orion:domain` leaves it as it is. */
function createZones({ settings, cloudflareAccess: access, parent }: Context): ReadonlyMap<string, CloudflareZone> {
  const { edge, domain } = settings;
  const names = publicNames(settings);
  return new Map(
    [...zonePlans(settings)].map(([zone, plan]) => {
      const hostnames = names.filter((one) => one.zone === zone).map(({ name }) => name);
      const args = {
        ...{ zone, plan, hostnames, access, certificate: edge.tls === "cloudflare-origin-ca" },
        ...(domain !== undefined && hostnames.includes(domain) && { first: domain }),
      };
      return [zone, new CloudflareZone(`cloudflare-${zone}`, args, { parent })];
    }),
  );
}

/** The authorities of which a client of the edges must have a certificate; undefined without Cloudflare. */
function authorityOf(zones: readonly CloudflareZone[]): pulumi.Output<string> | undefined {
  const [first, ...others] = zones.map(({ clientAuthority }) => clientAuthority);
  if (!first || others.length === 0) return first;
  return pulumi.all([first, ...others]).apply((all) => all.map((one) => `${one.trim()}\n`).join(""));
}

/** The certificate of each host name; `acme` is one for all of them, and `none` has none. */
function createCertificates(
  { settings, parent }: Context,
  zones: ReadonlyMap<string, CloudflareZone>,
): ReadonlyMap<string, Certificate> | "acme" {
  const { edge, domain = "localhost" } = settings;
  const names = publicNames(settings);
  switch (edge.tls) {
    case "none":
      return new Map();
    case "acme":
      return "acme";
    case "cloudflare-origin-ca":
      return new Map([...zones.values()].flatMap(({ certificates }) => [...certificates]));
    case "self-signed": {
      const all = names.length > 0 ? names.map(({ name }) => name) : [domain];
      return new Map(
        all.map((hostname) => {
          const name = hostname === domain ? "edge-tls" : `edge-tls-${hostname}`;
          return [hostname, new SelfSignedCertificate(name, { hostname }, { parent })];
        }),
      );
    }
  }
}

function createHostNames(
  { settings, parent }: Context,
  zones: ReadonlyMap<string, CloudflareZone>,
  edges: readonly Edge[],
  { address }: Origin,
): readonly HostName[] {
  // Also when a stack moves back to one server, a record changes only after that server's edge is up.
  const opts = { parent, dependsOn: edges.map(({ proxy }) => proxy) };
  return publicNames(settings).flatMap(({ name, zone: zoneName = "" }) => {
    const zone = zones.get(zoneName);
    const args = { hostname: name, address, isFirst: name === settings.domain };
    return zone ? [new HostName(`hostname-${name}`, { zone, ...args }, opts)] : [];
  });
}

function createEdge(
  { settings, topology, runtimes, parent }: Context,
  service: ServiceOf<"edge">,
  { apps, storage, certificates, clientAuthority }: EdgeParts,
): Edge {
  const { edge, domain, cloudflare } = settings;
  const own = certificates === "acme" ? undefined : certificates.get(domain ?? "localhost");
  const certificate = certificates === "acme" ? certificates : own;
  const others = othersOf(settings, certificates);
  const app = apps.get(service.server);
  if (!app) throw new Error(`${service.name} needs an app on ${service.server}; the plan has none there`);
  const runtime = runtimes.of(service);
  const acme: AcmeArgs | undefined =
    certificate === "acme" && domain !== undefined
      ? {
          ...{ runtime, hostnames: publicNames(settings).map(({ name }) => name), ...edge.acme },
          edge: { container: service.container, config: edgeConfigFile },
        }
      : undefined;
  const client = acme ? [new AcmeClient("edge-acme", acme, { parent })] : [];
  const balancers = topology.loadBalancers.map(({ privateAddress }) => privateAddress);
  const args = {
    ...{ runtime, service, app: app.alias, instances: app.instanceHosts, anyVersion },
    appPort: settings.app.port,
    ...rulesOf(settings),
    ...(edge.sticky.length > 0 && { sticky: edge.sticky }),
    trustedProxies: cloudflare.enabled ? [...cloudflareRanges.ipv4, ...cloudflareRanges.ipv6] : [],
    ...(balancers.length > 0 && { balancers }),
    ...(certificate && { certificate }),
    ...(certificate && clientAuthority && { clientAuthority }),
    // On a local Docker Engine, visitors use an address, and containers the service's name.
    ...(hasServers(topology) && domain !== undefined && { hostname: domain }),
    ...(others.length > 0 && { others }),
    ...uploadsOf(storage),
  };
  // In the first stacks the edge of core-1 had no server in its name.
  const former = (name: string) => (service.server === "core-1" ? [{ name }] : []);
  const opts = withAliases({ parent, dependsOn: [app, ...client] }, ...former("edge"));
  const proxy = new EdgeProxy(service.name, args, opts);
  if (hasServers(topology)) {
    createEdgeDrain(
      `${service.name}-drain`,
      runtime,
      withAliases({ parent, dependsOn: proxy }, ...former("edge-farewell")),
    );
  }
  return { service, proxy, ...(acme && { acme }) };
}

/** The other host names as an edge has them. On a local Docker Engine the app answers any name. */
function othersOf(settings: Settings, certificates: EdgeParts["certificates"]) {
  const redirect = publicUrl(settings);
  return publicNames(settings)
    .slice(1)
    .filter(({ answer }) => settings.hosting !== "local" || answer === "redirect")
    .map(({ name: hostname, answer }) => {
      const certificate = certificates === "acme" ? undefined : certificates.get(hostname);
      return { hostname, ...(answer === "redirect" && { redirect }), ...(certificate && { certificate }) };
    });
}

/** The rules of the edge for all requests. */
function rulesOf(settings: Settings) {
  const { bodyLimitMb, responseSeconds, limits, headers, websockets } = settings.edge;
  const { healthPath } = settings.app;
  return {
    healthPath,
    bodyLimitMb,
    responseSeconds,
    limits,
    headers,
    websockets,
    privatePaths: privatePathsOf(settings),
  };
}

/** The public address of the one server with an edge; empty with a local Docker Engine. */
function directOrigins({ runtimes }: Context): readonly Origin[] {
  return [...runtimes.members.values()]
    .filter(({ server }) => server.publicWeb)
    .map(({ server, cloudServer }) => ({ location: server.location, address: cloudServer.address }));
}

/** The addresses of the load balancers, each known once its edges answer. */
function balancedOrigins(context: Context, edges: readonly Edge[]): readonly Origin[] {
  const { settings, topology, runtimes, parent } = context;
  const { hetzner, domain, cloudflare } = settings;
  const { subnetId, members } = runtimes;
  if (subnetId === undefined || domain === undefined)
    throw new Error("A load balancer needs a private network and orion:domain; the stack lacks one of them.");
  // Without Cloudflare a foreign DNS record points here, so the address must survive.
  const protection = settings.protection && !cloudflare.enabled;
  const targets = edges.flatMap(({ service, proxy }) => {
    const member = members.get(service.server);
    return member ? [{ member, edge: proxy }] : [];
  });
  return topology.loadBalancers.map((balancer, index) => {
    const args = { naming: topology, balancer, type: hetzner.loadBalancerType, subnetId, targets, hostname: domain };
    const opts = index === 0 ? withAliases({ parent }, ...HetznerBalancer.formerFirst) : { parent };
    const { address } = new HetznerBalancer(balancer.name, { ...args, protection }, opts);
    return { location: balancer.location, address };
  });
}
