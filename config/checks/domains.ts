/** Checks the other host names of a stack. Pure. */
import { isRecord } from "../../common/record.ts";
import { normalHostName } from "../host-name.ts";
import { isCovered, publicNames, zoneOf } from "../host-names.ts";
import { line } from "../line.ts";
import type { Settings } from "../schema.ts";

/** @returns the problems, one line each */
export function checkDomains(settings: Settings): string[] {
  const { domain, domains, storage, cloudflare } = settings;
  const names = Object.keys(domains);
  if (names.length > 0 && domain === undefined) {
    return [line("domain", undefined, "a host name such as orion.example.com, while orion:domains has more of them")];
  }
  const refuse = (name: string, allowed: string): string[] => [line(`domains.${name}`, domains[name], allowed)];
  const used = publicNames(settings).map(({ zone }) => zone);
  if (storage.customDomain !== undefined) used.push(zoneOf(storage.customDomain, settings));
  const unused = Object.keys(cloudflare.zones).filter((zone) => !used.includes(zone));
  return [
    ...names.flatMap((name) => {
      if (name === domain) return refuse(name, "another host name than orion:domain, which is served anyway");
      return name === storage.customDomain
        ? refuse(name, "another host name than orion:storage.customDomain, where the files are")
        : [];
    }),
    ...publicNames(settings).flatMap(({ name, zone }) =>
      name === domain || zone === undefined || isCovered(name, zone)
        ? []
        : refuse(
            name,
            `${zone} or one label below it: Cloudflare's certificates go no deeper; name the zone in orion:cloudflare.zones if it is another one`,
          ),
    ),
    ...(cloudflare.enabled
      ? unused.map((zone) =>
          line(
            `cloudflare.zones.${zone}`,
            cloudflare.zones[zone],
            "a zone that contains a name of orion:domains or orion:storage.customDomain",
          ),
        )
      : []),
  ];
}

/** @param values host names and what they are given, as a stack says them: of two spellings of one name, the settings have the last */
export function checkSpellings(key: string, values: unknown): string[] {
  if (!isRecord(values)) return [];
  const names = Object.keys(values);
  return names.flatMap((name, index) => {
    const twin = names.find((other) => normalHostName(other) === normalHostName(name));
    return twin === undefined || names.indexOf(twin) === index
      ? []
      : [line(`${key}.${name}`, values[name], `each host name once: it is ${twin} as well`)];
  });
}
