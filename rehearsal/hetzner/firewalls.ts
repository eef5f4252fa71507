/** API routes of firewalls: their rules, and the servers that they apply to. */
import { z } from "zod";
import { stampOf } from "./actions.ts";
import { isRange6, rangeOf } from "./addresses.ts";
import { id, labels, maybe, name, parse } from "./body.ts";
import type { Cloud } from "./cloud.ts";
import { convergeFirewalls } from "./converge.ts";
import { HetznerError, inUse } from "./errors.ts";
import { labelSelector } from "./listing.ts";
import type { ResourceType, Routes } from "./resources.ts";
import { addressesOf, covers } from "./server-links.ts";
import type { Action, Firewall, Rule, Server } from "./state.ts";

const mostRules = 50;

/** `80`, `80-85` or `any`. */
function isPortOrRange(text: string): boolean {
  if (text === "any") return true;
  const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  return first !== undefined && Number(first) >= 1 && Number(first) <= Number(last) && Number(last) <= 65_535;
}

/** Like the real API, refuses a network with host bits instead of correcting it. */
const address = z
  .string()
  .refine(
    (text) => rangeOf(text) !== undefined || isRange6(text),
    "must be an IPv4 or IPv6 network in CIDR notation, without host bits",
  );
const ruleSchema = z
  .object({
    direction: z.enum(["in", "out"]),
    protocol: z.enum(["tcp", "udp", "icmp", "esp", "gre"]),
    port: maybe(z.string().refine(isPortOrRange, "must be a port, a range such as 80-85, or any")),
    source_ips: maybe(z.array(address)),
    destination_ips: maybe(z.array(address)),
    description: maybe(z.string().max(255)),
  })
  .refine(({ protocol, port }) => ["tcp", "udp"].includes(protocol) === (port !== undefined), {
    path: ["port"],
    message: "is required for tcp and udp, and not allowed otherwise",
  })
  .refine((rule) => (rule.direction === "in" ? rule.source_ips : rule.destination_ips)?.length, {
    message: "needs source_ips (in) or destination_ips (out)",
  });
const rulesSchema = z.array(ruleSchema).max(mostRules, `at most ${mostRules} rules`);

const resourceSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("server"), server: z.strictObject({ id }) }),
  z.strictObject({ type: z.literal("label_selector"), label_selector: z.strictObject({ selector: z.string() }) }),
]);
const resourcesSchema = z.array(resourceSchema);
type Resource = z.infer<typeof resourceSchema>;

const rulesOf = (rules: z.infer<typeof rulesSchema>): Rule[] =>
  // Like the real API, shows the incoming ones first.
  [...rules.filter(({ direction }) => direction === "in"), ...rules.filter(({ direction }) => direction === "out")].map(
    (rule) => ({
      direction: rule.direction,
      protocol: rule.protocol,
      port: rule.port ?? null,
      source_ips: rule.source_ips ?? [],
      destination_ips: rule.destination_ips ?? [],
      description: rule.description ?? null,
    }),
  );

export function registerFirewalls(routes: Routes): void {
  const { cloud } = routes;
  const type: ResourceType<"hetzner.firewall"> = {
    kind: "hetzner.firewall",
    path: "firewalls",
    singular: "firewall",
    name,
    view: (firewall) => viewOf(cloud, firewall),
    remove: (firewall) => {
      if (firewall.servers.length + firewall.selectors.length > 0) {
        throw inUse(`firewall with ID ${firewall.id} is still in use`);
      }
      cloud.store.delete("hetzner.firewall", firewall.id);
      return undefined;
    },
  };

  /** Changes a firewall and applies it to every server that it covered before or covers now. */
  const change = (firewall: Firewall, command: string, next: Partial<Firewall>): Action[] => {
    const after = { ...firewall, ...next };
    const servers = cloud.store.list("hetzner.server").filter((one) => covers(firewall, one) || covers(after, one));
    const subjects = [{ id: firewall.id, type: "firewall" }, ...servers.map((one) => ({ id: one.id, type: "server" }))];
    const apply = () => void cloud.change("hetzner.firewall", firewall.id, () => next);
    const work = async () => {
      for (const { id: server } of servers) await convergeFirewalls(cloud, server);
    };
    return [cloud.actions.start(command, subjects, apply, work)];
  };

  routes.differs(["POST /firewalls", "POST /firewalls/:id/actions/set_rules"], "rules for IPv6 have no effect");
  routes.post("/firewalls", ({ body }) => {
    const schema = z.strictObject({
      name,
      labels: maybe(labels),
      rules: maybe(rulesSchema),
      apply_to: maybe(resourcesSchema),
    });
    const asked = parse(schema, body);
    return cloud.store.transaction(() => {
      cloud.requireFreeName(type.kind, asked.name);
      cloud.requireRoom(type.kind);
      const firewall: Firewall = {
        id: cloud.store.nextId(type.kind),
        name: asked.name,
        labels: asked.labels ?? {},
        created: stampOf(cloud.now()),
        rules: rulesOf(asked.rules ?? []),
        servers: [],
        selectors: [],
      };
      cloud.store.put(type.kind, firewall.id, firewall);
      const applied = added(cloud, firewall, asked.apply_to ?? [], 422);
      const actions = asked.apply_to?.length ? change(firewall, "apply_firewall", applied) : [];
      return { firewall: viewOf(cloud, cloud.require(type.kind, firewall.id)), actions };
    });
  });

  routes.command(type, "set_rules", (firewall, body) => {
    const { rules } = parse(z.strictObject({ rules: rulesSchema }), body);
    return { actions: change(firewall, "set_firewall_rules", { rules: rulesOf(rules) }) };
  });
  routes.command(type, "apply_to_resources", (firewall, body) => {
    const { apply_to: resources } = parse(z.strictObject({ apply_to: resourcesSchema }), body);
    return { actions: change(firewall, "apply_firewall", added(cloud, firewall, resources, 404)) };
  });
  routes.command(type, "remove_from_resources", (firewall, body) => {
    const { remove_from: resources } = parse(z.strictObject({ remove_from: resourcesSchema }), body);
    return { actions: change(firewall, "remove_firewall", removed(cloud, firewall, resources)) };
  });
  routes.resource(type);
}

/** @param absent status of the error for a server that does not exist */
function added(cloud: Cloud, firewall: Firewall, resources: readonly Resource[], absent: 404 | 422): Partial<Firewall> {
  const servers = [...firewall.servers];
  const selectors = [...firewall.selectors];
  for (const resource of resources) {
    if (resource.type === "server") {
      const server = serverOf(cloud, resource.server.id, absent);
      if (servers.includes(server.id)) throw already(`server ${server.name}`);
      if (addressesOf(cloud, server.id).length === 0) {
        throw new HetznerError(422, "private_net_only_server", `server ${server.name} has no public address`);
      }
      servers.push(server.id);
    } else {
      const { selector } = resource.label_selector;
      labelSelector(selector);
      if (selectors.includes(selector)) throw already(`selector '${selector}'`);
      selectors.push(selector);
    }
  }
  return { servers, selectors };
}

/** Like the real API, accepts resources that the firewall is not applied to. */
function removed(cloud: Cloud, firewall: Firewall, resources: readonly Resource[]): Partial<Firewall> {
  const servers = new Set(firewall.servers);
  const selectors = new Set(firewall.selectors);
  for (const resource of resources) {
    if (resource.type === "server") {
      const server = serverOf(cloud, resource.server.id, 404);
      if (!servers.delete(server.id) && covers(firewall, server)) {
        const message = `the firewall is applied to server ${server.name} by a label selector`;
        throw new HetznerError(422, "firewall_managed_by_label_selector", message);
      }
    } else selectors.delete(resource.label_selector.selector);
  }
  return { servers: [...servers], selectors: [...selectors] };
}

function serverOf({ store }: Cloud, id: number, absent: 404 | 422): Server {
  const found = store.get("hetzner.server", id);
  if (!found) throw new HetznerError(absent, "firewall_resource_not_found", `no server ${id}`);
  return found;
}

const already = (what: string) => new HetznerError(422, "firewall_already_applied", `already applied to ${what}`);

function viewOf(cloud: Cloud, firewall: Firewall) {
  const covered = (selector: string) =>
    cloud.store.list("hetzner.server").filter((one) => labelSelector(selector)(one.labels));
  return {
    id: firewall.id,
    name: firewall.name,
    labels: firewall.labels,
    created: firewall.created,
    rules: firewall.rules,
    applied_to: [
      ...firewall.servers.map((one) => ({ type: "server", server: { id: one } })),
      ...firewall.selectors.map((selector) => ({
        type: "label_selector",
        label_selector: { selector },
        applied_to_resources: covered(selector).map((one) => ({ type: "server", server: { id: one.id } })),
      })),
    ],
  };
}
