/** Hetzner's catalogue from dated data files (types, prices, locations, images), and its API representation. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Json } from "../json.ts";

const serverTypeSchema = z.object({
  id: z.number(),
  name: z.string(),
  cores: z.number(),
  memory: z.number(),
  disk: z.number(),
  cpuType: z.string(),
  category: z.string(),
  /** € per month, net. */
  monthly: z.number(),
});
const locationSchema = z.looseObject({ id: z.number(), name: z.string(), network_zone: z.string() });
const balancerTypeSchema = z.looseObject({
  id: z.number(),
  name: z.string(),
  max_services: z.number(),
  max_targets: z.number(),
  monthly: z.number(),
});
const imageSchema = z.looseObject({
  id: z.number(),
  name: z.string(),
  description: z.string(),
  os_flavor: z.string(),
  os_version: z.string(),
  created: z.string(),
});
const isoSchema = z.looseObject({ id: z.number(), name: z.string(), architecture: z.string() });

export type ServerType = z.infer<typeof serverTypeSchema>;
export type Location = z.infer<typeof locationSchema>;
export type BalancerType = z.infer<typeof balancerTypeSchema>;
export type Image = z.infer<typeof imageSchema>;

/** Prices without a server or load balancer type, in € per month, net; Hetzner's price list of 2026-09-29. */
export const prices = {
  primaryIpv4: 0.5,
  floatingIpv4: 3,
  volumeGb: 0.0572,
  imageGb: 0.0143,
  trafficTb: 1,
  vat: 19,
} as const;

const terabyte = 1_099_511_627_776;
const hoursOfMonth = 730;

export class Catalogue {
  readonly serverTypes: readonly ServerType[];
  readonly locations: readonly Location[];
  readonly balancerTypes: readonly BalancerType[];
  readonly images: readonly Image[];
  readonly isos: readonly z.infer<typeof isoSchema>[];

  /** @param folder folder of the data files: rehearsal/hetzner/catalogue */
  constructor(folder: string) {
    const read = (file: string): unknown => JSON.parse(readFileSync(join(folder, file), "utf8"));
    this.serverTypes = z
      .object({ serverTypes: z.array(serverTypeSchema) })
      .parse(read("server-types.json")).serverTypes;
    this.locations = z.object({ locations: z.array(locationSchema) }).parse(read("locations.json")).locations;
    this.balancerTypes = z
      .object({ loadBalancerTypes: z.array(balancerTypeSchema) })
      .parse(read("load-balancer-types.json")).loadBalancerTypes;
    const images = z.object({ images: z.array(imageSchema), isos: z.array(isoSchema) }).parse(read("images.json"));
    this.images = images.images;
    this.isos = images.isos;
  }

  /** Finds a row by id or name. */
  find<Row extends { readonly id: number; readonly name: string }>(
    rows: readonly Row[],
    idOrName: unknown,
  ): Row | undefined {
    return rows.find(({ id, name }) => name === idOrName || String(id) === String(idOrName));
  }

  /** Fields `location` and `datacenter`; clients from before mid-2026 read the latter. */
  locationFields(name: string): Json {
    const location = this.find(this.locations, name);
    return {
      location,
      datacenter: location && {
        id: location.id,
        name: `${name}-dc1`,
        description: `${name} virtual DC 1`,
        location,
        server_types: { supported: [], available: [], available_for_migration: [] },
      },
    };
  }

  zoneOf(location: string): string {
    return this.find(this.locations, location)?.network_zone ?? "";
  }

  /** A server type as the API shows it. @param soldOut names of locations where it is sold out */
  serverType(type: ServerType, soldOut: ReadonlySet<string> = new Set()): Json {
    return {
      id: type.id,
      name: type.name,
      description: type.name.toUpperCase(),
      category: type.category,
      cores: type.cores,
      memory: type.memory,
      disk: type.disk,
      cpu_type: type.cpuType,
      storage_type: "local",
      architecture: "x86",
      deprecated: false,
      deprecation: null,
      locations: this.locations.map(({ id, name }) => ({
        id,
        name,
        deprecation: null,
        available: !soldOut.has(name),
        recommended: !soldOut.has(name),
      })),
      prices: this.pricesOf(type.monthly),
    };
  }

  balancerType({ monthly, ...type }: BalancerType): Json {
    return { ...type, deprecated: null, prices: this.pricesOf(monthly) };
  }

  image(image: Image): Json {
    return {
      ...image,
      type: "system",
      status: "available",
      architecture: "x86",
      image_size: null,
      disk_size: 5,
      created_from: null,
      bound_to: null,
      rapid_deploy: true,
      protection: { delete: false },
      deprecated: null,
      deleted: null,
      labels: {},
    };
  }

  iso(iso: Json): Json {
    return { ...iso, deprecation: null };
  }

  /** Price entries for every location from a monthly price. */
  pricesOf(monthly: number): Json[] {
    return this.locations.map(({ name }) => ({
      location: name,
      price_hourly: price(monthly / hoursOfMonth),
      price_monthly: price(monthly),
      included_traffic: 20 * terabyte,
      price_per_tb_traffic: price(prices.trafficTb),
    }));
  }

  pricing(): Json {
    const monthly = (net: number) =>
      this.pricesOf(net).map(({ location, price_monthly }) => ({ location, price_monthly }));
    const hourly = (net: number) =>
      this.pricesOf(net).map(({ location, price_hourly, price_monthly }) => ({
        location,
        price_hourly,
        price_monthly,
      }));
    return {
      currency: "EUR",
      vat_rate: prices.vat.toFixed(6),
      primary_ips: [
        { type: "ipv4", prices: hourly(prices.primaryIpv4) },
        { type: "ipv6", prices: hourly(0) },
      ],
      floating_ip: { price_monthly: price(prices.floatingIpv4) },
      floating_ips: [{ type: "ipv4", prices: monthly(prices.floatingIpv4) }],
      image: { price_per_gb_month: price(prices.imageGb) },
      volume: { price_per_gb_month: price(prices.volumeGb) },
      server_backup: { percentage: "20.0000000000" },
      server_types: this.serverTypes.map((type) => ({
        id: type.id,
        name: type.name,
        prices: this.pricesOf(type.monthly),
      })),
      load_balancer_types: this.balancerTypes.map((type) => ({
        id: type.id,
        name: type.name,
        prices: this.pricesOf(type.monthly),
      })),
    };
  }
}

const price = (net: number) => ({ net: net.toFixed(10), gross: (net * (1 + prices.vat / 100)).toFixed(10) });
