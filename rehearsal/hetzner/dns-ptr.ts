/** Reverse DNS names (PTR records) of IP addresses: shows and sets them. */
import { z } from "zod";
import type { Json } from "../json.ts";
import { isOneOf } from "./addresses.ts";
import { parse } from "./body.ts";
import type { Cloud } from "./cloud.ts";
import { invalid } from "./errors.ts";
import type { ResourceType, Routes } from "./resources.ts";
import type { HetznerObjects, PrimaryIp } from "./state.ts";

type AddressKind = "hetzner.primary_ip" | "hetzner.floating_ip" | "hetzner.load_balancer";

/** PTR records as the API shows them: for an IPv4 address always one, for an IPv6 range those that were set. */
export const dnsPtrOf = ({ ip, type, dnsPtr }: Pick<PrimaryIp, "ip" | "type" | "dnsPtr">): Json[] =>
  type === "ipv4"
    ? [{ ip, dns_ptr: dnsPtr[ip] ?? `static.${ip.split(".").reverse().join(".")}.clients.your-server.de` }]
    : Object.entries(dnsPtr).map(([address, name]) => ({ ip: address, dns_ptr: name }));

/**
 * Sets the PTR record of an address; null removes it.
 *
 * @throws {HetznerError} when the address does not belong to the object
 */
export function setDnsPtr<Kind extends AddressKind>(
  { store }: Cloud,
  kind: Kind,
  object: HetznerObjects[Kind],
  address: string,
  name: string | null,
): void {
  const own = "ipv6" in object ? [object.ip, object.ipv6] : [object.ip];
  if (!own.some((one) => isOneOf(one, address))) throw invalid("ip", `${address} is not one of its addresses`);
  const others = Object.entries(object.dnsPtr).filter(([ip]) => ip !== address);
  const dnsPtr = Object.fromEntries(name === null ? others : [...others, [address, name]]);
  store.put(kind, object.id, { ...object, dnsPtr });
}

export const dnsPtrSchema = z.strictObject({ ip: z.string(), dns_ptr: z.string().nullable() });

/** Registers `change_dns_ptr` for a kind of resource that has its own addresses. */
export function registerDnsPtr<Kind extends AddressKind>(routes: Routes, type: ResourceType<Kind>): void {
  const { cloud } = routes;
  routes.command(type, "change_dns_ptr", (object, body) => {
    const asked = parse(dnsPtrSchema, body);
    setDnsPtr(cloud, type.kind, object, asked.ip, asked.dns_ptr);
    return { action: cloud.actions.done("change_dns_ptr", [{ id: object.id, type: type.singular }]) };
  });
}
