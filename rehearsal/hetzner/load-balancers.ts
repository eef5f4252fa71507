/** API routes of load balancers: services, targets, networks, type, algorithm. */
import { z } from "zod";
import { stampOf } from "./actions.ts";
import { type Service, serviceOf, withService } from "./balancer-services.ts";
import { targetOf, targetSchema, withTarget } from "./balancer-targets.ts";
import { balancerView } from "./balancer-view.ts";
import { id, idOrName, labels, maybe, name, parse, port } from "./body.ts";
import { convergeBalancer } from "./converge.ts";
import { setDnsPtr } from "./dns-ptr.ts";
import { HetznerError, invalid, notFound } from "./errors.ts";
import type { ResourceType, Routes } from "./resources.ts";
import { firstOf } from "./server-view.ts";
import type { Action, Balancer } from "./state.ts";

/** Its private address, as `AddressBook.reserve` takes it. */
const privateOf = ({ network }: Balancer): string[] => (network ? [`${network.id}/${network.ip}`] : []);

const algorithm = z.enum(["round_robin", "least_connections"]);

export function registerLoadBalancers(routes: Routes): void {
  const { cloud } = routes;
  const { catalogue, store } = cloud;
  const subjectOf = (balancer: Pick<Balancer, "id">) => ({ id: balancer.id, type: "load_balancer" });
  const type: ResourceType<"hetzner.load_balancer"> = {
    kind: "hetzner.load_balancer",
    path: "load_balancers",
    singular: "load_balancer",
    name,
    view: (balancer) => balancerView(cloud, balancer),
    remove: (balancer) => {
      cloud.requireIdle(subjectOf(balancer));
      cloud.remove(type.kind, subjectOf(balancer), () => convergeBalancer(cloud, balancer.id), [
        balancer.ip,
        ...privateOf(balancer),
      ]);
      return undefined;
    },
  };
  const typeOf = (wanted: number | string) => {
    const found = catalogue.find(catalogue.balancerTypes, wanted);
    if (!found) throw invalid("load_balancer_type", `load balancer type '${wanted}' not found`);
    return found;
  };
  const requireCertificates = (service: Service): Service => {
    for (const one of service.http?.certificates ?? []) cloud.require("hetzner.certificate", one);
    return service;
  };

  routes.post("/load_balancers", async ({ body }) => {
    const schema = z.object({
      name,
      load_balancer_type: idOrName,
      algorithm: maybe(z.object({ type: algorithm })),
      location: maybe(idOrName),
      network_zone: maybe(z.string()),
      labels: maybe(labels),
      targets: maybe(z.array(targetSchema)),
      services: maybe(z.array(z.unknown())),
      public_interface: maybe(z.boolean()),
      network: maybe(id),
    });
    const asked = parse(schema, body);
    const { balancer, action } = store.transaction(() => {
      cloud.requireFreeName(type.kind, asked.name);
      cloud.requireRoom(type.kind);
      const sold = typeOf(asked.load_balancer_type);
      const location =
        asked.location === undefined
          ? catalogue.locations.find((one) => one.network_zone === asked.network_zone)
          : catalogue.find(catalogue.locations, asked.location);
      if (!location) throw invalid("location", "a known location or network zone is required");
      let services: readonly Service[] = [];
      for (const one of asked.services ?? []) {
        services = withService(services, requireCertificates(serviceOf(one)), sold.max_services);
      }
      const own = store.nextId(type.kind);
      let made: Balancer = {
        id: own,
        name: asked.name,
        labels: asked.labels ?? {},
        created: stampOf(cloud.now()),
        type: sold.id,
        location: location.name,
        zone: location.network_zone,
        algorithm: asked.algorithm?.type ?? "round_robin",
        services,
        targets: [],
        ip: cloud.addresses.freeAddress(),
        ipv6: firstAddress6(cloud.addresses.freeRange6("load_balancer", own)),
        publicInterface: asked.public_interface ?? true,
        network:
          asked.network === undefined
            ? undefined
            : {
                id: asked.network,
                ip: cloud.addresses.privateAddress(
                  cloud.require("hetzner.network", asked.network),
                  undefined,
                  location.network_zone,
                ),
              },
        protection: { delete: false },
        dnsPtr: {},
      };
      for (const target of asked.targets ?? []) made = withTarget(cloud, made, targetOf(target), sold.max_targets);
      store.put(type.kind, own, made);
      const nothing = () => undefined;
      const work = () => convergeBalancer(cloud, own);
      return {
        balancer: made,
        action: cloud.actions.create("create_load_balancer", [subjectOf(made)], nothing, work),
      };
    });
    return { load_balancer: await type.view(balancer), action };
  });

  const change = (
    balancer: Balancer,
    command: string,
    next: Partial<Balancer>,
    ...others: { id: number; type: string }[]
  ): { action: Action } => {
    cloud.requireIdle(subjectOf(balancer));
    let release: () => void = () => undefined;
    const apply = () => {
      const after = cloud.change(type.kind, balancer.id, () => next);
      release = cloud.addresses.reserve(privateOf(balancer).filter((one) => !privateOf(after).includes(one)));
    };
    const work = () => convergeBalancer(cloud, balancer.id).finally(release);
    return { action: cloud.actions.start(command, [subjectOf(balancer), ...others], apply, work) };
  };

  routes.command(type, "add_service", (balancer, body) => {
    const added = requireCertificates(serviceOf(body));
    const { max_services: most } = typeOf(balancer.type);
    return change(balancer, "add_service", { services: withService(balancer.services, added, most) });
  });
  routes.command(type, "update_service", (balancer, body) => {
    const { listen_port: asked } = parse(z.object({ listen_port: port }), body);
    const before = balancer.services.find((one) => one.listen_port === asked);
    if (!before) throw notFound("service with listen port", asked);
    const after = requireCertificates(serviceOf(body, before));
    return change(balancer, "update_service", {
      services: balancer.services.map((one) => (one === before ? after : one)),
    });
  });
  routes.command(type, "delete_service", (balancer, body) => {
    const { listen_port: asked } = parse(z.object({ listen_port: port }), body);
    const services = balancer.services.filter((one) => one.listen_port !== asked);
    if (services.length === balancer.services.length) throw notFound("service with listen port", asked);
    return change(balancer, "delete_service", { services });
  });

  routes.command(type, "add_target", (balancer, body) => {
    const target = targetOf(parse(targetSchema, body));
    const { targets } = withTarget(cloud, balancer, target, typeOf(balancer.type).max_targets);
    return change(balancer, "add_target", { targets });
  });
  routes.command(type, "remove_target", (balancer, body) => {
    const wanted = targetOf(parse(targetSchema, body));
    const targets = balancer.targets.filter(
      (one) => one.server !== wanted.server || one.selector !== wanted.selector || one.ip !== wanted.ip,
    );
    if (targets.length === balancer.targets.length) throw notFound("load balancer target", wanted.type);
    return change(balancer, "remove_target", { targets });
  });

  routes.command(type, "attach_to_network", (balancer, body) => {
    const asked = parse(z.object({ network: id, ip: maybe(z.string()), ip_range: maybe(z.string()) }), body);
    const network = cloud.require("hetzner.network", asked.network);
    if (balancer.network) {
      throw new HetznerError(409, "load_balancer_already_attached", "the load balancer is attached to a network");
    }
    const ip = cloud.addresses.privateAddress(network, asked.ip, balancer.zone, asked.ip_range);
    const subject = { id: asked.network, type: "network" };
    return change(balancer, "attach_to_network", { network: { id: asked.network, ip } }, subject);
  });
  routes.command(type, "detach_from_network", (balancer, body) => {
    const { network } = parse(z.object({ network: id }), body);
    if (balancer.network?.id !== network) throw notFound("network of the load balancer", network);
    if (balancer.targets.some(({ usePrivateIp }) => usePrivateIp)) {
      throw new HetznerError(422, "service_error", "the load balancer has targets that use their private IP");
    }
    return change(balancer, "detach_from_network", { network: undefined }, { id: network, type: "network" });
  });
  routes.command(type, "enable_public_interface", (balancer) =>
    change(balancer, "enable_public_interface", { publicInterface: true }),
  );
  routes.command(type, "disable_public_interface", (balancer) => {
    if (!balancer.network) {
      throw new HetznerError(422, "load_balancer_not_attached_to_network", "it would have no interface");
    }
    if (balancer.targets.some(({ type: kind, usePrivateIp }) => kind !== "ip" && !usePrivateIp)) {
      throw new HetznerError(422, "targets_without_use_private_ip", "it has targets that use their public IP");
    }
    return change(balancer, "disable_public_interface", { publicInterface: false });
  });

  routes.command(type, "change_algorithm", (balancer, body) => {
    const { type: next } = parse(z.object({ type: algorithm }), body);
    return change(balancer, "change_algorithm", { algorithm: next });
  });
  routes.command(type, "change_type", (balancer, body) => {
    const asked = parse(z.object({ load_balancer_type: idOrName }), body);
    const next = typeOf(asked.load_balancer_type);
    if (balancer.services.length > next.max_services || balancer.targets.length > next.max_targets) {
      throw new HetznerError(422, "invalid_load_balancer_type", `${next.name} has room for fewer services or targets`);
    }
    return change(balancer, "change_load_balancer_type", { type: next.id });
  });
  routes.command(type, "change_dns_ptr", (balancer, body) => {
    const asked = parse(z.object({ ip: z.string(), dns_ptr: z.string().nullable() }), body);
    setDnsPtr(cloud, type.kind, balancer, asked.ip, asked.dns_ptr);
    return { action: cloud.actions.done("change_dns_ptr", [subjectOf(balancer)]) };
  });
  routes.protection(type);
  routes.resource(type);
}
