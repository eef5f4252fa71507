/** Creates the gateways of a stack. */
import type * as pulumi from "@pulumi/pulumi";
import { servicesOf } from "../../topology/topology.ts";
import { requiredAuthority } from "../authority/required-authority.ts";
import type { Context } from "../context.ts";
import type { Redis } from "../cache/redis.ts";
import { Gateway } from "./gateway.ts";
import { gatewayListeners } from "./listeners.ts";

/**
 * Creates a gateway on each server for which the plan has one.
 *
 * @param poolers started before the gateways, which send connections to them
 */
export function createGateways(
  context: Context,
  passwords: Redis["gatewayPasswords"],
  poolers: readonly pulumi.Resource[],
): Gateway[] {
  const { settings, topology, runtimes, parent } = context;
  return servicesOf(topology, "gateway").map((service) => {
    const { certificate } = requiredAuthority(context);
    const listeners = gatewayListeners(topology, settings, service.server);
    const args = { runtime: runtimes.of(service), service, listeners, authority: certificate, passwords };
    return new Gateway(service.name, args, { parent, dependsOn: [...runtimes.peerRules, ...poolers] });
  });
}
