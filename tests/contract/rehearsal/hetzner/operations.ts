/** What clients do to a cloud, each with what becomes of the model when it succeeds. */
import { isRecord } from "../../../../common/record.ts";
import type { Json } from "../../../../rehearsal/json.ts";
import type { Model } from "./model.ts";

export interface Operation {
  readonly method: "POST" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  /** Whether the cloud has to agree to it, when nothing else is under way. */
  readonly isAllowed: boolean;
  /** What it changes; for each action of the reply, by its command, and without any for the reply itself. */
  readonly effects: (reply: Json) => Readonly<Record<string, Effect>>;
}
export interface Effect {
  readonly apply: () => void;
  /** What a failure leaves; without it, nothing. */
  readonly fail?: () => void;
}

export interface Choice {
  /** Numbers to choose by. */
  readonly a: number;
  readonly b: number;
}
type Make = (model: Model, choice: Choice, number: number) => Operation | undefined;

const pick = <T>(all: Iterable<T>, by: number): T | undefined => {
  const list = [...all];
  return list[by % list.length];
};
const idOf = (reply: Json, singular: string): number => {
  const made = reply[singular];
  return isRecord(made) ? Number(made["id"]) : Number.NaN;
};
const post = (path: string, body: unknown, isAllowed: boolean, effects: Operation["effects"]): Operation => ({
  method: "POST",
  path,
  body,
  isAllowed,
  effects,
});
/** A command whose one action has the effect. */
const command = (path: string, body: unknown, isAllowed: boolean, apply: () => void): Operation =>
  post(path, body, isAllowed, ({ action }) => ({ [isRecord(action) ? String(action["command"]) : ""]: { apply } }));
const remove = (path: string, isAllowed: boolean, apply: () => void): Operation => ({
  ...{ method: "DELETE", path, isAllowed },
  effects: ({ action }) => ({ [isRecord(action) ? String(action["command"]) : ""]: { apply } }),
});
const server = (id: number) => ({ type: "server", server: { id } });
const place = { location: "fsn1" };

export const operations: Readonly<Record<string, Make>> = {
  createServer: ({ servers, networks }, { a, b }, number) => {
    const network = a % 2 === 0 ? pick(networks, b) : undefined;
    const own = network === undefined || a % 4 === 0;
    const on = a % 5 !== 0;
    const body = {
      ...{ name: `s${number}`, server_type: "cx23", image: "debian-12", ...place, start_after_create: on },
      ...(network !== undefined && { networks: [network] }),
      public_net: { enable_ipv4: own, enable_ipv6: own },
    };
    return post("/servers", body, true, (reply) => {
      const joined = new Set(network === undefined ? [] : [network]);
      const made = (started: boolean) => () =>
        void servers.set(idOf(reply, "server"), { on: started, own, networks: joined });
      return { create_server: { apply: made(on), fail: made(false) } };
    });
  },
  deleteServer: (model, { a }) => {
    const id = pick(model.servers.keys(), a);
    if (id === undefined) return undefined;
    return remove(`/servers/${id}`, true, () => {
      model.deleteServer(id);
    });
  },
  power: ({ servers }, { a, b }) => {
    const [id, found] = pick(servers, a) ?? [];
    const name = pick(["poweron", "poweroff", "shutdown", "reboot", "reset"], b);
    if (found === undefined || name === undefined) return undefined;
    return command(`/servers/${id}/actions/${name}`, undefined, true, () => {
      found.on = !["poweroff", "shutdown"].includes(name);
    });
  },
  attachServer: ({ servers, networks }, { a, b }) => {
    const [id, found] = pick(servers, a) ?? [];
    const network = pick(networks, b);
    if (found === undefined || network === undefined) return undefined;
    const isAllowed = !found.networks.has(network) && found.networks.size < 3;
    return command(`/servers/${id}/actions/attach_to_network`, { network }, isAllowed, () => {
      found.networks.add(network);
    });
  },
  detachServer: ({ servers, balancers }, { a, b }) => {
    const [id = 0, found] = pick(servers, a) ?? [];
    const network = found && pick(found.networks, b);
    if (network === undefined) return undefined;
    const isTarget = [...balancers.values()].some((one) => one.network === network && one.targets.get(id) === true);
    return command(`/servers/${id}/actions/detach_from_network`, { network }, !isTarget, () => {
      found?.networks.delete(network);
    });
  },

  createVolume: ({ volumes, servers }, { a, b }, number) => {
    const [target] = (a % 2 === 0 ? pick(servers, b) : undefined) ?? [];
    const isAllowed = [...volumes.values()].filter((one) => one.server === target).length < 16;
    const body = { name: `v${number}`, size: 10, ...(target === undefined ? place : { server: target }) };
    return post("/volumes", body, target === undefined || isAllowed, (reply) => {
      const id = idOf(reply, "volume");
      const made = (owner: number | undefined) => () => void volumes.set(id, { sizeGb: 10, server: owner });
      return {
        create_volume: { apply: made(undefined), fail: made(undefined) },
        attach_volume: { apply: made(target) },
      };
    });
  },
  deleteVolume: ({ volumes }, { a }) => {
    const [id = 0, found] = pick(volumes, a) ?? [];
    if (found === undefined) return undefined;
    return remove(`/volumes/${id}`, found.server === undefined, () => void volumes.delete(id));
  },
  attachVolume: ({ volumes, servers }, { a, b }) => {
    const [id, found] = pick(volumes, a) ?? [];
    const [target] = pick(servers, b) ?? [];
    if (found === undefined || target === undefined) return undefined;
    const hasRoom = [...volumes.values()].filter((one) => one.server === target).length < 16;
    const isAllowed = found.server === undefined && hasRoom;
    return command(`/volumes/${id}/actions/attach`, { server: target, automount: b % 2 === 0 }, isAllowed, () => {
      found.server = target;
    });
  },
  detachVolume: ({ volumes }, { a }) => {
    const [id, found] = pick(volumes, a) ?? [];
    if (found === undefined) return undefined;
    return command(`/volumes/${id}/actions/detach`, undefined, found.server !== undefined, () => {
      found.server = undefined;
    });
  },
  resizeVolume: ({ volumes }, { a, b }) => {
    const [id, found] = pick(volumes, a) ?? [];
    if (found === undefined) return undefined;
    const size = 10 + (b % 20);
    return command(`/volumes/${id}/actions/resize`, { size }, size > found.sizeGb, () => {
      found.sizeGb = size;
    });
  },

  createNetwork: ({ networks }, _, number) => {
    const subnets = [{ type: "cloud", network_zone: "eu-central", ip_range: `10.${number % 250}.1.0/24` }];
    const body = { name: `n${number}`, ip_range: `10.${number % 250}.0.0/16`, subnets };
    return post("/networks", body, true, (reply) => ({
      "": { apply: () => void networks.add(idOf(reply, "network")) },
    }));
  },
  deleteNetwork: (model, { a }) => {
    const id = pick(model.networks, a);
    if (id === undefined) return undefined;
    return remove(`/networks/${id}`, !model.isInUse(id), () => {
      model.deleteNetwork(id);
    });
  },

  createBalancer: ({ balancers, networks }, { a, b }, number) => {
    const network = a % 2 === 0 ? pick(networks, b) : undefined;
    const body = {
      name: `b${number}`,
      load_balancer_type: "lb11",
      ...place,
      ...(network !== undefined && { network }),
    };
    return post("/load_balancers", body, true, (reply) => {
      const made = () => void balancers.set(idOf(reply, "load_balancer"), { network, targets: new Map() });
      return { create_load_balancer: { apply: made, fail: made } };
    });
  },
  deleteBalancer: ({ balancers }, { a }) => {
    const id = pick(balancers.keys(), a);
    if (id === undefined) return undefined;
    return remove(`/load_balancers/${id}`, true, () => void balancers.delete(id));
  },
  addTarget: (model, { a, b }) => {
    const [id, found] = pick(model.balancers, a) ?? [];
    const [target, joined] = pick(model.servers, b) ?? [];
    if (found === undefined || target === undefined) return undefined;
    const privately = found.network !== undefined && joined?.networks.has(found.network) === true;
    const isAllowed = !found.targets.has(target) && (privately || model.hasPublicAddress(target));
    const body = { ...server(target), use_private_ip: privately };
    return command(`/load_balancers/${id}/actions/add_target`, body, isAllowed, () => {
      found.targets.set(target, privately);
    });
  },
  removeTarget: ({ balancers }, { a, b }) => {
    const [id, found] = pick(balancers, a) ?? [];
    const target = found && pick(found.targets.keys(), b);
    if (target === undefined) return undefined;
    return command(`/load_balancers/${id}/actions/remove_target`, server(target), true, () => {
      found?.targets.delete(target);
    });
  },

  createAddress: ({ addresses }, _, number) =>
    post("/primary_ips", { name: `p${number}`, type: "ipv4", ...place }, true, (reply) => ({
      "": { apply: () => void addresses.set(idOf(reply, "primary_ip"), { server: undefined }) },
    })),
  assignAddress: (model, { a, b }) => {
    const [id, found] = pick(model.addresses, a) ?? [];
    const [target, taker] = pick(model.servers, b) ?? [];
    if (found === undefined || target === undefined || taker === undefined) return undefined;
    const isAllowed = found.server === undefined && !taker.on && !model.hasPublicAddress(target);
    const body = { assignee_id: target, assignee_type: "server" };
    return command(`/primary_ips/${id}/actions/assign`, body, isAllowed, () => {
      found.server = target;
    });
  },
  unassignAddress: (model, { a }) => {
    const [id, found] = pick(model.addresses, a) ?? [];
    if (found === undefined) return undefined;
    const holder = found.server === undefined ? undefined : model.servers.get(found.server);
    const isAllowed = holder !== undefined && !holder.on && !model.isTarget(found.server ?? 0, false);
    return command(`/primary_ips/${id}/actions/unassign`, undefined, isAllowed, () => {
      found.server = undefined;
    });
  },
  deleteAddress: (model, { a }) => {
    const [id = 0, found] = pick(model.addresses, a) ?? [];
    if (found === undefined) return undefined;
    return remove(`/primary_ips/${id}`, found.server === undefined, () => void model.addresses.delete(id));
  },

  createFloating: ({ floating }) =>
    post("/floating_ips", { type: "ipv4", home_location: "fsn1" }, true, (reply) => ({
      "": { apply: () => void floating.set(idOf(reply, "floating_ip"), { server: undefined }) },
    })),
  assignFloating: ({ floating, servers }, { a, b }) => {
    const [id, found] = pick(floating, a) ?? [];
    const target = pick(servers.keys(), b);
    if (found === undefined || target === undefined) return undefined;
    return command(`/floating_ips/${id}/actions/assign`, { server: target }, true, () => {
      found.server = target;
    });
  },
};
