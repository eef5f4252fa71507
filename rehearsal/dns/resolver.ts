/** Resolves DNS names for the cloud's servers: the cloud's own services and the records of its zones, nothing else. Pure. */
import { acmeHostname } from "../acme/acme-hostname.ts";
import { recordsFor } from "../cloudflare/edge/origins.ts";
import { objectsHostOf } from "../cloudflare/objects/r2-hosts.ts";
import { ownedBy, type Zone } from "../cloudflare/state.ts";
import type { World } from "../cloudflare/world.ts";

export interface ResolverOptions {
  readonly world: World;
  /** Host names of the registries whose images are in the cloud's registry. */
  readonly registryHosts: () => ReadonlySet<string>;
  /** Address of the edge. */
  readonly edge: string;
  /** Address of the registry. */
  readonly registry: string;
  /** Address of the ACME authority. */
  readonly acme: string;
}

export interface NameAnswer {
  readonly type: "A" | "CNAME";
  readonly name: string;
  readonly data: string;
}

export interface Resolution {
  /** `NOERROR` without answers: the name exists, but has no address. */
  readonly code: "NOERROR" | "NXDOMAIN" | "REFUSED";
  readonly answers: readonly NameAnswer[];
}

const longestChain = 8;

export class Resolver {
  readonly #options: ResolverOptions;

  constructor(options: ResolverOptions) {
    this.#options = options;
  }

  /** @param name in any case, without a trailing dot */
  resolve(name: string, depth = 0): Resolution {
    const { world, registryHosts, edge, registry, acme } = this.#options;
    const hostname = name.toLowerCase();
    if (registryHosts().has(hostname)) return found(hostname, [registry]);
    if (hostname === acmeHostname) return found(hostname, [acme]);
    if (objectsHostOf(hostname, world.accountId) !== undefined) return found(hostname, [edge]);
    const zone = world.zoneOf(hostname);
    return zone === undefined ? { code: "NXDOMAIN", answers: [] } : this.#inZone(zone, hostname, depth);
  }

  #inZone(zone: Zone, hostname: string, depth: number): Resolution {
    const { world, edge } = this.#options;
    const balancers = ownedBy(world.store, "cloudflare.balancer", zone.id);
    const records = recordsFor(ownedBy(world.store, "cloudflare.record", zone.id), hostname);
    const isProxied = records.some(({ proxied }) => proxied === true);
    if (isProxied || balancers.some(({ name }) => name === hostname)) return found(hostname, [edge]);
    const contents = (wanted: string): string[] =>
      records.flatMap(({ type, content }) => (type === wanted ? [String(content)] : []));
    const [target] = contents("CNAME");
    if (target !== undefined && depth < longestChain) {
      const { code, answers } = this.resolve(target, depth + 1);
      return { code, answers: [{ type: "CNAME", name: hostname, data: target }, ...answers] };
    }
    const addresses = contents("A");
    // The cloud's public addresses are loopback addresses, which a server would resolve to itself.
    const reachable = addresses.filter((address) => !address.startsWith("127."));
    if (addresses.length > 0 && reachable.length === 0) return { code: "REFUSED", answers: [] };
    const exists = records.length > 0 || hostname === zone.name;
    return exists ? found(hostname, reachable) : { code: "NXDOMAIN", answers: [] };
  }
}

const found = (name: string, addresses: readonly string[]): Resolution => ({
  code: "NOERROR",
  answers: addresses.map((data) => ({ type: "A", name, data })),
});
