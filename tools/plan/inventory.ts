/** The plan of a stack as a document for people and programs: servers, services, prices and what the account must allow. Pure. */
import { priceList, priceOf } from "../../config/prices.ts";
import type { Settings } from "../../config/schema.ts";
import { accountNeeds, type Need } from "../../policy/account.ts";
import { cents, costOf } from "../../policy/cost.ts";
import { outlineOf } from "../../policy/outline.ts";
import { definitionOf } from "../../topology/catalogue.ts";
import type { Server } from "../../topology/server.ts";
import type { Service } from "../../topology/service.ts";
import type { Topology } from "../../topology/topology.ts";

/** The document that `make plan JSON=1` prints. A field that is added keeps the version; one that changes or goes raises it. */
export interface Inventory {
  readonly version: 1;
  readonly stack: string;
  readonly phase: string;
  /** `local`: the Docker Engine of this machine; `hetzner`: servers. */
  readonly hosting: Settings["hosting"];
  /** The host name that visitors use. */
  readonly domain: string | null;
  readonly servers: readonly PlannedServer[];
  readonly loadBalancers: readonly PlannedLoadBalancer[];
  readonly services: readonly PlannedService[];
  readonly cost: PlannedCost;
  /** What the account at Hetzner must allow. */
  readonly account: readonly Need[];
}

export interface PlannedServer {
  readonly name: string;
  readonly role: string;
  readonly location: string;
  /** The preferred server type. */
  readonly type: string;
  /** Types that are taken when the preferred one is sold out, in order. */
  readonly otherTypes: readonly string[];
  readonly privateAddress: string;
  /** Whether visitors or Cloudflare connect to its public address. */
  readonly publicWeb: boolean;
  /** GB of its Volume; 0: it keeps no data. */
  readonly volumeGb: number;
  /** € per month, net, of the preferred type, without Volume and address; null when the price list does not have it. */
  readonly monthly: number | null;
}

export interface PlannedLoadBalancer {
  readonly name: string;
  readonly location: string;
  readonly type: string;
  readonly privateAddress: string;
  readonly monthly: number | null;
}

export interface PlannedService {
  readonly name: string;
  readonly kind: string;
  /** The name of its server, or `local`. */
  readonly server: string;
  /** `always`, `once` in an update, or `by timer`. */
  readonly runs: string;
  /** What its volumes hold: `data` that must survive, `files` that can be written again, or `nothing`. */
  readonly keeps: string;
  /** Memory limit of its container. */
  readonly memoryMb: number;
  readonly ports: readonly { readonly address: string; readonly port: number; readonly containerPort: number }[];
  /** A worker's queues. */
  readonly queues?: readonly string[];
}

export interface PlannedCost {
  /** € per month, net, without traffic, Cloudflare and object storage. */
  readonly monthly: number;
  readonly items: readonly { readonly what: string; readonly count: number; readonly monthly: number }[];
  /** Resources whose price is not known; the sum does not include them. */
  readonly unpriced: readonly string[];
  readonly source: string;
  readonly date: string;
}

/** The inventory of a stack. */
export function inventoryOf({ settings, topology }: { settings: Settings; topology: Topology }): Inventory {
  const { stack, phase, hosting, servers, services, loadBalancers } = topology;
  const { items, monthly, unpriced } = costOf(outlineOf(topology, settings));
  return {
    version: 1,
    ...{ stack, phase, hosting, domain: settings.domain ?? null },
    servers: servers.map(plannedServer),
    loadBalancers: loadBalancers.map(({ name, location, privateAddress }) => {
      const type = settings.hetzner.loadBalancerType;
      return { name, location, type, privateAddress, monthly: priceOf(priceList.loadBalancer, type) ?? null };
    }),
    services: services.map(plannedService),
    cost: {
      monthly: cents(monthly),
      items: items.filter(({ count }) => count > 0).map((item) => ({ ...item, monthly: cents(item.monthly) })),
      ...{ unpriced, source: priceList.source, date: priceList.date },
    },
    account: accountNeeds([topology], settings.hetzner.limits),
  };
}

function plannedServer({ name, role, location, types, privateAddress, publicWeb, volumeGb }: Server): PlannedServer {
  const [type = "", ...otherTypes] = types;
  const monthly = priceOf(priceList.server, type) ?? null;
  return { name, role, location, type, otherTypes, privateAddress, publicWeb, volumeGb, monthly };
}

function plannedService(service: Service): PlannedService {
  const { name, kind, server, memoryMb, published } = service;
  const { runs, keeps } = definitionOf(kind);
  return {
    ...{ name, kind, server, runs, keeps, memoryMb },
    ports: published.map(({ address, port, containerPort }) => ({ address, port, containerPort })),
    ...(service.kind === "worker" && { queues: service.queues }),
  };
}

/** Services of one kind on one server. */
export interface Group {
  readonly kind: string;
  readonly server: string;
  readonly services: readonly PlannedService[];
}

/** The services of a machine by kind, in the order of the plan. */
export function groupsOn({ services }: Pick<Inventory, "services">, server: string): Group[] {
  const own = services.filter((service) => service.server === server);
  return [...new Set(own.map(({ kind }) => kind))].map((kind) => ({
    ...{ kind, server },
    services: own.filter((service) => service.kind === kind),
  }));
}
