/** API commands that change a load balancer: services, targets, network, public interface, algorithm, type. */
import { z } from "zod";
import type { Subject } from "./actions.ts";
import { requireBalancerType, requireCertificates, serviceOf, withService } from "./balancer-services.ts";
import { targetOf, targetSchema, withTarget } from "./balancer-targets.ts";
import { id, idOrName, maybe, parse, port } from "./body.ts";
import type { Cloud } from "./cloud.ts";
import { convergeBalancer } from "./converge.ts";
import { HetznerError, notFound } from "./errors.ts";
import type { ResourceType, Routes } from "./resources.ts";
import type { Action, Balancer } from "./state.ts";

export const algorithmSchema = z.enum(["round_robin", "least_connections"]);

export const subjectOf = (balancer: Pick<Balancer, "id">): Subject => ({ id: balancer.id, type: "load_balancer" });

/** Its private address, as `AddressBook.reserve` takes it. */
export const privateAddressesOf = ({ network }: Balancer): string[] => (network ? [`${network.id}/${network.ip}`] : []);

interface Reply {
  readonly action: Action;
}
type Command = (cloud: Cloud, balancer: Balancer, body: unknown) => Reply;
type Plain = (cloud: Cloud, balancer: Balancer) => Reply;

const commands: Readonly<Record<string, Command>> = {
  add_service: addService,
  update_service: updateService,
  delete_service: deleteService,
  add_target: addTarget,
  remove_target: removeTarget,
  attach_to_network: attachToNetwork,
  detach_from_network: detachFromNetwork,
  change_algorithm: changeAlgorithm,
  change_type: changeType,
};
const plain: Readonly<Record<string, Plain>> = {
  enable_public_interface: enablePublicInterface,
  disable_public_interface: disablePublicInterface,
};

export function registerBalancerCommands(routes: Routes, type: ResourceType<"hetzner.load_balancer">): void {
  for (const [name, run] of Object.entries(commands)) {
    routes.command(type, name, (balancer, body) => run(routes.cloud, balancer, body));
  }
  for (const [name, run] of Object.entries(plain)) routes.plain(type, name, (balancer) => run(routes.cloud, balancer));
}

/** Starts an action that changes a load balancer; a private address that it loses stays reserved until the work has ended. */
function change(
  cloud: Cloud,
  balancer: Balancer,
  command: string,
  next: Partial<Balancer>,
  ...others: readonly Subject[]
): Reply {
  cloud.requireIdle(subjectOf(balancer));
  let release: () => void = () => undefined;
  const apply = () => {
    const kept = privateAddressesOf(cloud.change("hetzner.load_balancer", balancer.id, () => next));
    release = cloud.addresses.reserve(privateAddressesOf(balancer).filter((one) => !kept.includes(one)));
  };
  const work = () => convergeBalancer(cloud, balancer.id).finally(release);
  return { action: cloud.actions.start(command, [subjectOf(balancer), ...others], apply, work) };
}

function addService(cloud: Cloud, balancer: Balancer, body: unknown): Reply {
  const added = requireCertificates(cloud, serviceOf(body));
  const { max_services: most } = requireBalancerType(cloud, balancer.type);
  return change(cloud, balancer, "add_service", { services: withService(balancer.services, added, most) });
}

function updateService(cloud: Cloud, balancer: Balancer, body: unknown): Reply {
  const { listen_port: asked } = parse(z.looseObject({ listen_port: port }), body);
  const before = balancer.services.find((one) => one.listen_port === asked);
  if (!before) throw notFound("service with listen port", asked);
  const after = requireCertificates(cloud, serviceOf(body, before));
  const services = balancer.services.map((one) => (one === before ? after : one));
  return change(cloud, balancer, "update_service", { services });
}

function deleteService(cloud: Cloud, balancer: Balancer, body: unknown): Reply {
  const { listen_port: asked } = parse(z.strictObject({ listen_port: port }), body);
  const services = balancer.services.filter((one) => one.listen_port !== asked);
  if (services.length === balancer.services.length) throw notFound("service with listen port", asked);
  return change(cloud, balancer, "delete_service", { services });
}

function addTarget(cloud: Cloud, balancer: Balancer, body: unknown): Reply {
  const target = targetOf(parse(targetSchema, body));
  const { max_targets: most } = requireBalancerType(cloud, balancer.type);
  const { targets } = withTarget(cloud, balancer, target, most);
  return change(cloud, balancer, "add_target", { targets });
}

function removeTarget(cloud: Cloud, balancer: Balancer, body: unknown): Reply {
  const wanted = targetOf(parse(targetSchema, body));
  const targets = balancer.targets.filter(
    (one) => one.server !== wanted.server || one.selector !== wanted.selector || one.ip !== wanted.ip,
  );
  if (targets.length === balancer.targets.length) throw notFound("load balancer target", wanted.type);
  return change(cloud, balancer, "remove_target", { targets });
}

function attachToNetwork(cloud: Cloud, balancer: Balancer, body: unknown): Reply {
  const asked = parse(z.strictObject({ network: id, ip: maybe(z.string()), ip_range: maybe(z.string()) }), body);
  const network = cloud.require("hetzner.network", asked.network);
  if (balancer.network) {
    throw new HetznerError(409, "load_balancer_already_attached", "the load balancer is attached to a network");
  }
  const ip = cloud.addresses.privateAddress(network, asked.ip, balancer.zone, asked.ip_range);
  const subject = { id: asked.network, type: "network" };
  return change(cloud, balancer, "attach_to_network", { network: { id: asked.network, ip } }, subject);
}

function detachFromNetwork(cloud: Cloud, balancer: Balancer, body: unknown): Reply {
  const { network } = parse(z.strictObject({ network: id }), body);
  if (balancer.network?.id !== network) throw notFound("network of the load balancer", network);
  if (balancer.targets.some(({ usePrivateIp }) => usePrivateIp)) {
    throw new HetznerError(422, "service_error", "the load balancer has targets that use their private IP");
  }
  return change(cloud, balancer, "detach_from_network", { network: undefined }, { id: network, type: "network" });
}

function enablePublicInterface(cloud: Cloud, balancer: Balancer): Reply {
  return change(cloud, balancer, "enable_public_interface", { publicInterface: true });
}

function disablePublicInterface(cloud: Cloud, balancer: Balancer): Reply {
  if (!balancer.network) {
    throw new HetznerError(422, "load_balancer_not_attached_to_network", "it would have no interface");
  }
  if (balancer.targets.some(({ type, usePrivateIp }) => type !== "ip" && !usePrivateIp)) {
    throw new HetznerError(422, "targets_without_use_private_ip", "it has targets that use their public IP");
  }
  return change(cloud, balancer, "disable_public_interface", { publicInterface: false });
}

function changeAlgorithm(cloud: Cloud, balancer: Balancer, body: unknown): Reply {
  const { type: algorithm } = parse(z.strictObject({ type: algorithmSchema }), body);
  return change(cloud, balancer, "change_algorithm", { algorithm });
}

function changeType(cloud: Cloud, balancer: Balancer, body: unknown): Reply {
  const asked = parse(z.strictObject({ load_balancer_type: idOrName }), body);
  const next = requireBalancerType(cloud, asked.load_balancer_type);
  if (balancer.services.length > next.max_services || balancer.targets.length > next.max_targets) {
    throw new HetznerError(422, "invalid_load_balancer_type", `${next.name} has room for fewer services or targets`);
  }
  return change(cloud, balancer, "change_load_balancer_type", { type: next.id });
}
