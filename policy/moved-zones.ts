/** Says what it means when a host name that stays goes into another zone at Cloudflare: its record is made again there. Pure. */
import { isWithin } from "../config/host-names.ts";
import { danger, type Finding } from "./findings.ts";
import type { Graph } from "./graph.ts";

/** The component of a zone, which a state has as well; the ids of zones are not known without Cloudflare. */
const zoneType = "orion:ingress:CloudflareZone";
const prefix = "cloudflare-";

/** The zones of a stack; the first stacks had one without a name. */
const zonesIn = ({ resources }: Graph): string[] =>
  resources.flatMap(({ type, name }) =>
    type === zoneType && name.startsWith(prefix) ? [name.slice(prefix.length)] : [],
  );

/** The smallest zone that contains a name. */
const zoneIn = (zones: readonly string[], name: string): string | undefined =>
  zones.filter((zone) => isWithin(name, zone)).sort((one, other) => other.length - one.length)[0];

export function movedZones(before: Graph, after: Graph): Finding[] {
  const [had, has] = [before, after].map(zonesIn);
  if (!had || !has) return [];
  const kept = new Set(after.hostNames);
  return (before.hostNames ?? [])
    .filter((name) => kept.has(name))
    .flatMap((name): Finding[] => {
      const [was, is] = [zoneIn(had, name), zoneIn(has, name)];
      if (was === undefined || is === undefined || was === is) return [];
      const left = has.includes(was)
        ? ""
        : `; rules, settings and certificates that the stack has made in ${was} are deleted`;
      const happens = `would move from the zone ${was} to ${is} at Cloudflare: its record is deleted and made again, so that visitors do not find the name in between, nor afterwards unless ${is} is active${left}`;
      const instead = `wait until Cloudflare shows ${is} as active, and update when few visit; or leave orion:cloudflare.zone and orion:cloudflare.zones as they were`;
      return [danger(name, happens, instead)];
    });
}
