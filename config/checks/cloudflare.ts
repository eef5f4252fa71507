/** Checks settings about Cloudflare against each other. Pure. */
import { isCovered, isPublicSuffix, isWithin } from "../host-names.ts";
import { line } from "../line.ts";
import type { Settings } from "../schema.ts";
import { tlsFor } from "./servers.ts";

/** @returns the problems, one line each */
export function checkCloudflare(settings: Settings): string[] {
  return [...checkZone(settings), ...checkOrigin(settings), ...checkCustomDomain(settings)];
}

function checkZone({ domain, cloudflare: { enabled, zone } }: Settings): string[] {
  if (!enabled || domain === undefined || zone === undefined) return [];
  if (isPublicSuffix(zone)) {
    return [line("cloudflare.zone", zone, `a zone of your own below ${zone}, under which names are sold`)];
  }
  if (!isWithin(domain, zone)) {
    return [line("cloudflare.zone", zone, `the zone that contains orion:domain ${domain}`)];
  }
  if (isCovered(domain, zone)) return [];
  // Cloudflare would accept the record, and visitors would get a certificate that does not cover this name.
  const why = "Cloudflare's certificates go no deeper; set orion:cloudflare.zone if the domain lies in a zone below";
  return [line("domain", domain, `${zone} or one label below it: ${why}`)];
}

/** Cloudflare's strict TLS mode connects only to origins whose certificate it trusts. */
function checkOrigin({ hosting, edge, cloudflare }: Settings): string[] {
  if (hosting === "local" || !cloudflare.enabled) return [];
  if (edge.tls === "cloudflare-origin-ca" || edge.tls === "acme") return [];
  return [line("edge.tls", edge.tls, `${tlsFor(edge, cloudflare)} while orion:cloudflare.enabled is true`)];
}

function checkCustomDomain({ domain, storage, cloudflare }: Settings): string[] {
  const { enabled, zone, zones } = cloudflare;
  const { customDomain } = storage;
  if (customDomain === undefined) return [];
  const refuse = (allowed: string) => [line("storage.customDomain", customDomain, allowed)];
  if (storage.backend !== "r2") return refuse("nothing unless orion:storage.backend is r2");
  if (!enabled) return refuse("nothing unless orion:cloudflare.enabled is true");
  if (customDomain === domain) return refuse("another host name than orion:domain, where the app answers");
  const all = [...(zone === undefined ? [] : [zone]), ...Object.keys(zones)];
  if (zone !== undefined && !all.some((one) => isWithin(customDomain, one)))
    return refuse(`a host name in the zone ${all.join(" or ")}; name another zone in orion:cloudflare.zones`);
  return [];
}
