/** API routes of load balancers: creation, deletion, and the commands in balancer-commands.ts. */
import { z } from "zod";
import { stampOf } from "./actions.ts";
import { algorithmSchema, privateAddressesOf, registerBalancerCommands, subjectOf } from "./balancer-commands.ts";
import {
  requireBalancerType,
  requireCertificates,
  type Service,
  serviceOf,
  serviceSchema,
  withService,
} from "./balancer-services.ts";
import { targetOf, targetSchema, withTarget } from "./balancer-targets.ts";
import { balancerView } from "./balancer-view.ts";
import { id, idOrName, labels, maybe, name, parse } from "./body.ts";
import type { BalancerType, Location } from "./catalogue.ts";
import type { Cloud } from "./cloud.ts";
import { convergeBalancer } from "./converge.ts";
import { registerDnsPtr } from "./dns-ptr.ts";
import { invalid } from "./errors.ts";
import type { ResourceType, Routes } from "./resources.ts";
import { firstAddress6 } from "./server-view.ts";
import type { Action, Balancer } from "./state.ts";

const kind = "hetzner.load_balancer";

const createSchema = z.strictObject({
  name,
  load_balancer_type: idOrName,
  algorithm: maybe(z.strictObject({ type: algorithmSchema })),
  location: maybe(idOrName),
  network_zone: maybe(z.string()),
  labels: maybe(labels),
  targets: maybe(z.array(targetSchema)),
  services: maybe(z.array(serviceSchema)),
  public_interface: maybe(z.boolean()),
  network: maybe(id),
});
type CreateBody = z.infer<typeof createSchema>;

export function registerLoadBalancers(routes: Routes): void {
  const { cloud } = routes;
  const type: ResourceType<typeof kind> = {
    kind,
    path: "load_balancers",
    singular: "load_balancer",
    name,
    view: (balancer) => balancerView(cloud, balancer),
    remove: (balancer) => {
      removeBalancer(cloud, balancer);
      return cloud.actions.done("delete_load_balancer", [subjectOf(balancer)]);
    },
  };
  routes.differs(["POST /load_balancers"], "one price everywhere: that of the EU");
  routes.post("/load_balancers", async ({ body }) => {
    const asked = parse(createSchema, body);
    const { balancer, action } = cloud.store.transaction(() => createBalancer(cloud, asked));
    return { load_balancer: await balancerView(cloud, balancer), action };
  });
  registerBalancerCommands(routes, type);
  registerDnsPtr(routes, type);
  routes.protection(type);
  routes.resource(type);
}

function removeBalancer(cloud: Cloud, balancer: Balancer): void {
  const subject = subjectOf(balancer);
  cloud.requireIdle(subject);
  const addresses = [balancer.ip, ...privateAddressesOf(balancer)];
  cloud.remove(kind, subject, () => convergeBalancer(cloud, balancer.id), addresses);
}

function createBalancer(cloud: Cloud, asked: CreateBody): { balancer: Balancer; action: Action } {
  cloud.requireFreeName(kind, asked.name);
  cloud.requireRoom(kind);
  const type = requireBalancerType(cloud, asked.load_balancer_type);
  const location = requireLocation(cloud, asked);
  const services = servicesOf(cloud, type, asked.services ?? []);
  const bare = newBalancer(cloud, asked, type, location, services);
  const balancer = (asked.targets ?? []).reduce(
    (now, target) => withTarget(cloud, now, targetOf(target), type.max_targets),
    bare,
  );
  cloud.store.put(kind, balancer.id, balancer);
  const noChange = () => undefined;
  const work = () => convergeBalancer(cloud, balancer.id);
  return { balancer, action: cloud.actions.create("create_load_balancer", [subjectOf(balancer)], noChange, work) };
}

function requireLocation({ catalogue }: Cloud, { location, network_zone: zone }: CreateBody): Location {
  const found =
    location === undefined
      ? catalogue.locations.find((one) => one.network_zone === zone)
      : catalogue.find(catalogue.locations, location);
  if (!found) throw invalid("location", "a known location or network zone is required");
  if (zone !== undefined && found.network_zone !== zone)
    throw invalid("network_zone", `${found.name} is not in ${zone}`);
  return found;
}

const servicesOf = (cloud: Cloud, type: BalancerType, asked: readonly unknown[]): Service[] =>
  asked.reduce<Service[]>(
    (services, one) => withService(services, requireCertificates(cloud, serviceOf(one)), type.max_services),
    [],
  );

function newBalancer(
  cloud: Cloud,
  asked: CreateBody,
  type: BalancerType,
  location: Location,
  services: readonly Service[],
): Balancer {
  const own = cloud.store.nextId(kind);
  return {
    id: own,
    name: asked.name,
    labels: asked.labels ?? {},
    created: stampOf(cloud.now()),
    type: type.id,
    location: location.name,
    zone: location.network_zone,
    algorithm: asked.algorithm?.type ?? "round_robin",
    services,
    targets: [],
    ip: cloud.addresses.freeAddress(),
    ipv6: firstAddress6(cloud.addresses.freeRange6("load_balancer", own)),
    publicInterface: asked.public_interface ?? true,
    network: asked.network === undefined ? undefined : networkOf(cloud, asked.network, location.network_zone),
    protection: { delete: false },
    dnsPtr: {},
  };
}

function networkOf(cloud: Cloud, network: number, zone: string): NonNullable<Balancer["network"]> {
  const found = cloud.require("hetzner.network", network);
  return { id: network, ip: cloud.addresses.privateAddress(found, undefined, zone) };
}
