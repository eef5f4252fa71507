/** The host names of a stack and their zones at Cloudflare. Pure. */
import { sortedByName } from "../common/record.ts";
import type { Settings } from "./schema.ts";

export interface PublicName {
  readonly name: string;
  /** `serve`: by the app; `redirect`: to the same path of `orion:domain`. */
  readonly answer: "serve" | "redirect";
  /** The zone at Cloudflare that contains it; undefined without Cloudflare. */
  readonly zone: string | undefined;
}

type Named = Pick<Settings, "domain" | "domains" | "cloudflare">;

/** All names that visitors use, `orion:domain` first, the others sorted, since their order means nothing; none without `orion:domain`. */
export function publicNames(settings: Named): readonly PublicName[] {
  const { domain, domains } = settings;
  if (domain === undefined) return [];
  const others = sortedByName(domains).map(([name, answer]) => ({ name, answer }));
  const all: readonly Omit<PublicName, "zone">[] = [{ name: domain, answer: "serve" }, ...others];
  return all.map((one) => ({ ...one, zone: zoneOf(one.name, settings) }));
}

/** The names that the app answers, `orion:domain` first. */
export const servedNames = (settings: Named): readonly string[] =>
  publicNames(settings).flatMap(({ name, answer }) => (answer === "serve" ? [name] : []));

/** The URL at which visitors reach the platform. */
export function publicUrl({ hosting, domain, services, ports, edge }: Settings): string {
  if (hosting === "local" || domain === undefined) {
    return `http://127.0.0.1:${services.includes("edge") ? ports.edge : ports.app}`;
  }
  return `${edge.tls === "none" ? "http" : "https"}://${domain}`;
}

/** The zone of a name: the smallest of those that the stack names and that contain it, otherwise what most zones are. */
export function zoneOf(
  name: string,
  { cloudflare: { enabled, zone, zones } }: Pick<Settings, "cloudflare">,
): string | undefined {
  if (!enabled) return undefined;
  const [smallest] = [...(zone === undefined ? [] : [zone]), ...Object.keys(zones)]
    .filter((one) => isWithin(name, one))
    .sort((one, other) => other.length - one.length);
  return smallest ?? zoneLabels(name);
}

/** The plan of each zone that has a name of the stack, by the zone's name. */
export const zonePlans = (settings: Settings): ReadonlyMap<string, Settings["cloudflare"]["plan"]> =>
  new Map(publicNames(settings).flatMap(({ zone }) => (zone === undefined ? [] : [[zone, planOf(zone, settings)]])));

/** The plan of a zone at Cloudflare, as the stack says it. */
const planOf = (zone: string, { cloudflare }: Pick<Settings, "cloudflare">): Settings["cloudflare"]["plan"] =>
  cloudflare.zones[zone] ?? cloudflare.plan;

export const isWithin = (name: string, zone: string): boolean => name === zone || name.endsWith(`.${zone}`);

/** Suffixes of two labels below which names are sold, as those of one label elsewhere: the common ones. */
const suffixes: ReadonlySet<string> = new Set([
  ...["co.uk", "org.uk", "me.uk", "ltd.uk", "ac.uk", "gov.uk", "co.jp", "ne.jp", "or.jp", "ac.jp", "com.au", "net.au"],
  ...["org.au", "edu.au", "gov.au", "co.nz", "org.nz", "net.nz", "co.za", "org.za", "com.br", "net.br", "org.br"],
  ...["com.ar", "com.mx", "com.co", "com.pe", "com.tr", "com.cn", "com.hk", "com.sg", "com.my", "com.tw", "com.ua"],
  ...["co.in", "co.kr", "co.id", "co.th", "co.il", "co.ke", "or.at", "co.at", "com.pl", "com.pt", "com.es"],
]);

/** The labels which most zones are: the last two, or the last three where two are a public suffix. */
export function zoneLabels(name: string): string {
  const labels = name.split(".");
  return labels.slice(suffixes.has(labels.slice(-2).join(".")) ? -3 : -2).join(".");
}

/** Whether names are sold below it, so that it is no zone of a customer. */
export const isPublicSuffix = (name: string): boolean => suffixes.has(name);

/** Whether Cloudflare's certificate of the zone covers the name: the zone itself, and one label below it. */
export const isCovered = (name: string, zone: string): boolean => name.split(".").length - zone.split(".").length <= 1;
