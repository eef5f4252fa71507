/** Load balancer targets: parses and validates them. */
import { z } from "zod";
import { numberOf } from "./addresses.ts";
import { id, maybe } from "./body.ts";
import type { Cloud } from "./cloud.ts";
import { HetznerError, invalid } from "./errors.ts";
import { labelSelector } from "./listing.ts";
import { publicAddress } from "./server-links.ts";
import type { Balancer, BalancerTarget } from "./state.ts";

const usePrivate = { use_private_ip: maybe(z.boolean()) };
export const targetSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("server"), server: z.strictObject({ id }), ...usePrivate }),
  z.strictObject({
    type: z.literal("label_selector"),
    label_selector: z.strictObject({ selector: z.string().min(1) }),
    ...usePrivate,
  }),
  z.strictObject({
    type: z.literal("ip"),
    ip: z.strictObject({ ip: z.string().refine((text) => numberOf(text) !== undefined, "must be an IPv4 address") }),
    ...usePrivate,
  }),
]);

export function targetOf(asked: z.infer<typeof targetSchema>): BalancerTarget {
  const { type, use_private_ip: usePrivateIp = false } = asked;
  if (type === "server") return { type, server: asked.server.id, usePrivateIp };
  if (type === "label_selector") return { type, selector: asked.label_selector.selector, usePrivateIp };
  if (usePrivateIp) throw invalid("use_private_ip", "is not for a target of type ip");
  return { type, ip: asked.ip.ip, usePrivateIp: false };
}

/** Adds a target. @throws {HetznerError} when the load balancer cannot have it */
export function withTarget(cloud: Cloud, balancer: Balancer, target: BalancerTarget, most: number): Balancer {
  const { targets, network } = balancer;
  const isSame = (one: BalancerTarget) =>
    one.server === target.server && one.selector === target.selector && one.ip === target.ip;
  if (targets.some(isSame)) throw new HetznerError(409, "target_already_defined", "the target is already defined");
  if (targets.length >= most) {
    throw new HetznerError(403, "resource_limit_exceeded", `this type of load balancer has at most ${most} targets`);
  }
  if (target.usePrivateIp && !network) {
    throw new HetznerError(422, "load_balancer_not_attached_to_network", "the load balancer is in no network");
  }
  if (target.type !== "ip" && !target.usePrivateIp && !balancer.publicInterface) {
    const message = "load balancer public interface is disabled, cannot add target using public IP";
    throw new HetznerError(422, "load_balancer_public_interface_disabled", message);
  }
  if (target.ip !== undefined && cloud.addresses.isPublic(target.ip)) {
    const message = `the IP ${target.ip} belongs to a resource of the cloud`;
    throw new HetznerError(422, "cloud_resource_ip_not_allowed", message);
  }
  if (target.selector !== undefined) labelSelector(target.selector);
  if (target.server !== undefined) {
    const server = cloud.require("hetzner.server", target.server);
    if (target.usePrivateIp && !server.networks.some((one) => one.network === network?.id)) {
      throw new HetznerError(422, "server_not_attached_to_network", `server ${server.name} is not in the network`);
    }
    if (!target.usePrivateIp && publicAddress(cloud, server.id) === undefined) {
      throw new HetznerError(422, "missing_ipv4", `server ${server.name} has no public IPv4 address`);
    }
  }
  return { ...balancer, targets: [...targets, target] };
}
