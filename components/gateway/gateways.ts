/** Creates the gateways of a stack. */
import { servicesOf } from "../../topology/topology.ts";
import { requiredAuthority } from "../authority/required-authority.ts";
import type { Context } from "../context.ts";
import type { Redis } from "../cache/redis.ts";
import { Gateway } from "./gateway.ts";
import { gatewayListeners } from "./listeners.ts";

/** One on each server that the plan has one for; none without the trait. */
export function createGateways(context: Context, passwords: Redis["gatewayPasswords"]): Gateway[] {
  const { topology, runtimes, parent } = context;
  const listeners = gatewayListeners(topology);
  return servicesOf(topology, "gateway").map((service) => {
    const { certificate } = requiredAuthority(context);
    const args = { runtime: runtimes.of(service), service, listeners, authority: certificate, passwords };
    return new Gateway(service.name, args, { parent, dependsOn: [...runtimes.peerRules] });
  });
}
