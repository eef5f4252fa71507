/** Converts a stored load balancer into the spec of its machine, with targets resolved to addresses. */
import type { BalancerService, BalancerSpec, BalancerTarget as Resolved } from "../machines/machines.ts";
import type { Service } from "./balancer-services.ts";
import type { Cloud } from "./cloud.ts";
import { labelSelector } from "./listing.ts";
import { publicAddress } from "./server-links.ts";
import type { Balancer, BalancerTarget, Server } from "./state.ts";

/** The servers that a target selects. */
export function serversOf(cloud: Cloud, target: BalancerTarget): Server[] {
  if (target.type === "ip") return [];
  const servers = cloud.store.list("hetzner.server");
  const { selector } = target;
  return servers.filter(({ id, labels }) =>
    selector === undefined ? id === target.server : labelSelector(selector)(labels),
  );
}

/** Address at which a load balancer reaches a server; undefined while the server has none. */
function addressOf(cloud: Cloud, balancer: Balancer, target: BalancerTarget, server: Server): string | undefined {
  if (!target.usePrivateIp) return publicAddress(cloud, server.id);
  return server.networks.find(({ network }) => network === balancer.network?.id)?.ip;
}

export const targetName = {
  server: (id: number): string => `server-${id}`,
  ip: (ip: string): string => `ip-${ip}`,
};

export function specOf(cloud: Cloud, balancer: Balancer): BalancerSpec {
  const targets = balancer.targets.flatMap((target): Resolved[] => {
    if (target.ip !== undefined) return [{ name: targetName.ip(target.ip), address: target.ip }];
    return serversOf(cloud, target).flatMap((server) => {
      const address = addressOf(cloud, balancer, target, server);
      return address === undefined ? [] : [{ name: targetName.server(server.id), address }];
    });
  });
  const { network } = balancer;
  return {
    id: balancer.id,
    publicAddress: balancer.publicInterface ? balancer.ip : undefined,
    networks: network
      ? [
          {
            networkId: network.id,
            range: cloud.require("hetzner.network", network.id).range,
            address: network.ip,
            aliasAddresses: [],
          },
        ]
      : [],
    algorithm: balancer.algorithm,
    services: balancer.services.map((service) => serviceSpec(cloud, service)),
    targets: [...new Map(targets.map((target) => [target.name, target])).values()],
  };
}

function serviceSpec(cloud: Cloud, service: Service): BalancerService {
  const { http, health_check: check } = service;
  const certificates = (http?.certificates ?? []).map((id) => {
    const { certificate, privateKey } = cloud.require("hetzner.certificate", id);
    return `${(certificate ?? "").trim()}\n${privateKey ?? ""}`;
  });
  return {
    protocol: service.protocol,
    listenPort: service.listen_port,
    destinationPort: service.destination_port,
    proxyProtocol: service.proxyprotocol,
    certificates,
    redirectHttp: http?.redirect_http ?? false,
    cookie: http?.sticky_sessions ? { name: http.cookie_name, lifetime: http.cookie_lifetime } : undefined,
    timeoutIdle: http?.timeout_idle,
    healthCheck: {
      protocol: check.protocol,
      port: check.port,
      interval: check.interval,
      timeout: check.timeout,
      retries: check.retries,
      http: check.http && {
        domain: check.http.domain,
        path: check.http.path,
        response: check.http.response,
        statusCodes: check.http.status_codes,
        tls: check.http.tls,
      },
    },
  };
}
