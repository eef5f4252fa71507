/** Hetzner's catalogue from dated data files (types, prices, locations, images), and its API representation. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Json } from "../json.ts";

/** A number for each continent: the part of its network zones' names before the dash. */
const byContinent = z.record(z.string(), z.number());
const architectures = z.enum(["x86", "arm"]);
const retirementSchema = z.object({ announced: z.string(), unavailable_after: z.string() });
const serverTypeSchema = z.object({
  id: z.number(),
  name: z.string(),
  cores: z.number(),
  memory: z.number(),
  disk: z.number(),
  cpuType: z.string(),
  category: z.string(),
  architecture: architectures,
  /** € per month, net. Where there is no price, it has never been for sale. */
  monthly: byContinent,
  /** TB of traffic included. */
  trafficTb: byContinent,
  /** Continents where it is no longer for sale. */
  retiredIn: z.array(z.string()).default([]),
  /** Where it is not that of most types. */
  retirement: retirementSchema.optional(),
});
const locationSchema = z.looseObject({ id: z.number(), name: z.string(), network_zone: z.string() });
const datacenterSchema = z.object({ id: z.number(), name: z.string(), description: z.string(), location: z.string() });
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
  architecture: architectures,
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
  floatingIpv6: 1,
  volumeGb: 0.0572,
  imageGb: 0.0143,
  vat: 19,
} as const;

const terabyte = 1_099_511_627_776;
/** Hours after which a month is paid: Hetzner's hourly prices are the monthly ones by this. */
const hoursOfMonth = 624;
const balancerTrafficTb = 20;
/** € per TB of traffic that is not included. */
const trafficPrice = (continent: string): number => (continent === "ap" ? 7.4 : 1);

export class Catalogue {
  readonly serverTypes: readonly ServerType[];
  readonly #retirement: z.infer<typeof retirementSchema>;
  readonly #prices = new Map<ServerType, readonly Json[]>();
  /** Types as they are shown while no location is without them: every reply with a server has one. */
  readonly #shown = new Map<ServerType, Json>();
  readonly locations: readonly Location[];
  readonly #datacenters: readonly z.infer<typeof datacenterSchema>[];
  readonly balancerTypes: readonly BalancerType[];
  readonly images: readonly Image[];
  readonly isos: readonly z.infer<typeof isoSchema>[];

  /** @param folder folder of the data files: rehearsal/hetzner/catalogue */
  constructor(folder: string) {
    const read = (file: string): unknown => JSON.parse(readFileSync(join(folder, file), "utf8"));
    const servers = z.object({ serverTypes: z.array(serverTypeSchema), retirement: retirementSchema });
    const { serverTypes, retirement } = servers.parse(read("server-types.json"));
    this.serverTypes = serverTypes;
    this.#retirement = retirement;
    const places = z.object({ locations: z.array(locationSchema), datacenters: z.array(datacenterSchema) });
    const { locations, datacenters } = places.parse(read("locations.json"));
    this.locations = locations;
    this.#datacenters = datacenters;
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
    const { id, name: own, description } = this.datacenterOf(name);
    const serverTypes = { supported: [], available: [], available_for_migration: [] };
    return { location, datacenter: { id, name: own, description, location, server_types: serverTypes } };
  }

  /** The data center of a location: Hetzner sells servers in one each. */
  datacenterOf(location: string): z.infer<typeof datacenterSchema> {
    const found = this.#datacenters.find((one) => one.location === location);
    if (!found) throw new Error(`the catalogue has no data center in ${location}`);
    return found;
  }

  zoneOf(location: string): string {
    return this.find(this.locations, location)?.network_zone ?? "";
  }

  /** An image by its id, or by its name for an architecture. */
  findImage(idOrName: unknown, architecture: ServerType["architecture"]): Image | undefined {
    const named = this.images.find((one) => one.name === idOrName && one.architecture === architecture);
    return named ?? this.images.find(({ id }) => String(id) === String(idOrName));
  }

  /** Whether a server of the type can be ordered in a location, if it is not sold out. */
  isForSale({ monthly, retiredIn }: ServerType, location: Location): boolean {
    const continent = continentOf(location);
    return continent in monthly && !retiredIn.includes(continent);
  }

  /** Whether it can be ordered nowhere any more. */
  isRetired({ monthly, retiredIn }: ServerType): boolean {
    return Object.keys(monthly).every((continent) => retiredIn.includes(continent));
  }

  /** Bytes of traffic that a server has included. */
  trafficOf(type: ServerType, location: string): number {
    const found = this.find(this.locations, location);
    return (found ? (type.trafficTb[continentOf(found)] ?? 0) : 0) * terabyte;
  }

  /** A server type as the API shows it. @param unavailable names of locations where none can be created now */
  serverType(type: ServerType, unavailable: ReadonlySet<string> = new Set()): Json {
    const known = unavailable.size === 0 ? this.#shown.get(type) : undefined;
    if (known) return known;
    const made = this.#viewOf(type, unavailable);
    if (unavailable.size === 0) this.#shown.set(type, made);
    return made;
  }

  #viewOf(type: ServerType, unavailable: ReadonlySet<string>): Json {
    const retirement = type.retirement ?? this.#retirement;
    return {
      id: type.id,
      name: type.name,
      description: type.name.toUpperCase().replace(/(?<=[A-Z])(?=\d)/, " "),
      category: type.category,
      cores: type.cores,
      memory: type.memory,
      disk: type.disk,
      cpu_type: type.cpuType,
      storage_type: "local",
      architecture: type.architecture,
      deprecated: this.isRetired(type),
      deprecation: this.isRetired(type) ? retirement : null,
      locations: this.#placesOf(type).map((location) => {
        const available = this.isForSale(type, location) && !unavailable.has(location.name);
        const deprecation = this.isForSale(type, location) ? null : retirement;
        return { id: location.id, name: location.name, deprecation, available, recommended: available };
      }),
      prices: this.#serverPrices(type),
    };
  }

  balancerType({ monthly, ...type }: BalancerType): Json {
    return { ...type, deprecated: null, prices: this.#balancerPrices(monthly) };
  }

  image(image: Image): Json {
    return {
      ...image,
      type: "system",
      status: "available",
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

  /** Locations where a type is or was for sale. */
  #placesOf({ monthly }: ServerType): Location[] {
    return this.locations.filter((one) => continentOf(one) in monthly);
  }

  /** Its prices are the same for every reply, and many replies show a type. */
  #serverPrices(type: ServerType): readonly Json[] {
    const known = this.#prices.get(type);
    if (known) return known;
    const made = this.#placesOf(type).map((location) => {
      const continent = continentOf(location);
      return priceEntry(location, type.monthly[continent] ?? 0, type.trafficTb[continent] ?? 0);
    });
    this.#prices.set(type, made);
    return made;
  }

  #balancerPrices(monthly: number): Json[] {
    return this.locations.map((location) => priceEntry(location, monthly, balancerTrafficTb));
  }

  pricing(): Json {
    const monthly = (net: number) => this.locations.map(({ name }) => ({ location: name, price_monthly: price(net) }));
    const hourly = (net: number) => monthly(net).map((entry) => ({ ...entry, price_hourly: price(hourlyOf(net)) }));
    return {
      currency: "EUR",
      vat_rate: prices.vat.toFixed(6),
      primary_ips: [
        { type: "ipv4", prices: hourly(prices.primaryIpv4) },
        { type: "ipv6", prices: hourly(0) },
      ],
      floating_ip: { price_monthly: price(prices.floatingIpv4) },
      floating_ips: [
        { type: "ipv4", prices: monthly(prices.floatingIpv4) },
        { type: "ipv6", prices: monthly(prices.floatingIpv6) },
      ],
      image: { price_per_gb_month: price(prices.imageGb) },
      volume: { price_per_gb_month: price(prices.volumeGb) },
      server_backup: { percentage: "20.0000000000" },
      server_types: this.serverTypes.map((type) => ({
        id: type.id,
        name: type.name,
        prices: this.#serverPrices(type),
      })),
      load_balancer_types: this.balancerTypes.map((type) => ({
        id: type.id,
        name: type.name,
        prices: this.#balancerPrices(type.monthly),
      })),
    };
  }
}

const continentOf = ({ network_zone: zone }: Location): string => zone.split("-")[0] ?? "";
const hourlyOf = (monthly: number): number => Math.round((monthly / hoursOfMonth) * 10_000) / 10_000;

const priceEntry = (location: Location, monthly: number, trafficTb: number): Json => ({
  location: location.name,
  price_hourly: price(hourlyOf(monthly)),
  price_monthly: price(monthly),
  included_traffic: trafficTb * terabyte,
  price_per_tb_traffic: price(trafficPrice(continentOf(location))),
});

const price = (net: number) => ({ net: net.toFixed(10), gross: (net * (1 + prices.vat / 100)).toFixed(10) });
