/** Collects the current status of a cloud into one object, for `make cloud-status` and the status page. */
import { z } from "zod";
import type { CloudflareStore } from "../cloudflare/state.ts";
import type { Clock } from "../clock.ts";
import type { StoredFault } from "../faults.ts";
import { balancerView } from "../hetzner/balancer-view.ts";
import type { Cloud } from "../hetzner/cloud.ts";
import { publicAddress } from "../hetzner/server-links.ts";
import { observeServer } from "../hetzner/server-view.ts";
import type { CallLog } from "./call-log.ts";
import type { ChangeLog } from "./change-log.ts";
import { faultText, namesIn } from "./fault-targets.ts";
import { type CloudSettings, cloudAddresses } from "./settings.ts";

const healthSchema = z.array(z.object({ listen_port: z.number(), status: z.string() }));
const callSchema = z.object({
  time: z.string(),
  method: z.string(),
  path: z.string(),
  status: z.number(),
  milliseconds: z.number(),
  problem: z.string().nullable(),
  agent: z.string(),
});
const statusSchema = z.object({
  instance: z.string(),
  machines: z.string(),
  pid: z.number(),
  /** The cloud's time, and by how much it was moved forward. */
  clock: z.object({ time: z.string(), aheadMilliseconds: z.number() }),
  hetzner: z.string(),
  cloudflare: z.string(),
  page: z.string(),
  edge: z.string().nullable(),
  registry: z.string().nullable(),
  servers: z.array(
    z.object({
      id: z.number(),
      name: z.string(),
      type: z.string(),
      status: z.string(),
      location: z.string(),
      address: z.string().nullable(),
      private: z.array(z.string()),
      /** Names of the networks that it is in. */
      networks: z.array(z.string()),
      volumes: z.array(z.string()),
    }),
  ),
  networks: z.array(z.object({ id: z.number(), name: z.string(), range: z.string() })),
  volumes: z.array(
    z.object({
      id: z.number(),
      name: z.string(),
      sizeGb: z.number(),
      location: z.string(),
      /** Name of the server that it is attached to. */
      server: z.string().nullable(),
    }),
  ),
  balancers: z.array(
    z.object({
      id: z.number(),
      name: z.string(),
      location: z.string(),
      address: z.string().nullable(),
      networks: z.array(z.string()),
      targets: z.array(z.object({ name: z.string(), health: healthSchema })),
    }),
  ),
  records: z.array(z.object({ name: z.string(), type: z.string(), content: z.string(), proxied: z.boolean() })),
  buckets: z.array(z.string()),
  /** `text`: the arguments that add it, with names instead of ids; `on`: the servers, Volumes and so on that it concerns. */
  faults: z.array(
    z.looseObject({
      id: z.number(),
      kind: z.string(),
      text: z.string(),
      on: z.array(z.object({ type: z.string(), name: z.string() })),
    }),
  ),
  /** What has changed since the cloud's process started, newest first. */
  changes: z.array(
    z.object({
      key: z.string(),
      time: z.string(),
      subject: z.string(),
      name: z.string(),
      verb: z.string(),
      tone: z.enum(["plain", "good", "bad", "busy"]),
      detail: z.string().nullable(),
    }),
  ),
  /** Calls by client, those with errors first. */
  clients: z.array(
    z.object({
      client: z.string(),
      agents: z.array(z.string()),
      total: z.number(),
      errors: z.number(),
      lastError: callSchema.nullable(),
      last: z.array(callSchema),
    }),
  ),
  calls: z.array(callSchema),
  totalCalls: z.number(),
});
export type Status = z.infer<typeof statusSchema>;

/** Parses the status that a cloud returned; undefined when another version of this program wrote it. */
export const readStatus = (value: unknown): Status | undefined => statusSchema.safeParse(value).data;

export interface StatusSources {
  readonly settings: CloudSettings;
  readonly cloud: Cloud;
  readonly cloudflare: CloudflareStore;
  readonly faults: readonly StoredFault[];
  readonly changes: Pick<ChangeLog, "last">;
  readonly calls: Pick<CallLog, "last" | "total" | "clients">;
  readonly clock: Clock;
  readonly hasEdge: boolean;
}

export async function statusOf(sources: StatusSources): Promise<Status> {
  const { settings, cloud, cloudflare } = sources;
  const base = `http://127.0.0.1:${settings.port}`;
  await Promise.all(cloud.store.list("hetzner.server").map((server) => observeServer(cloud, server)));
  const { edge, registry } = cloudAddresses(settings.block);
  const nameOf = namesIn(cloud.store);
  const named = (type: string, id: number): string => nameOf(type, id) ?? String(id);
  return {
    instance: settings.instance,
    machines: settings.machines,
    pid: process.pid,
    clock: { time: sources.clock.now().toISOString(), aheadMilliseconds: sources.clock.ahead },
    hetzner: `${base}/hetzner/v1`,
    cloudflare: `${base}/client/v4`,
    page: `${base}/?token=${settings.token}`,
    edge: sources.hasEdge ? edge : null,
    registry: sources.hasEdge ? registry : null,
    servers: cloud.store.list("hetzner.server").map((server) => ({
      id: server.id,
      name: server.name,
      type: server.type,
      status: server.status,
      location: server.location,
      address: publicAddress(cloud, server.id) ?? null,
      private: server.networks.flatMap(({ ip, aliasIps }) => [ip, ...aliasIps]),
      networks: server.networks.map(({ network }) => named("network", network)),
      volumes: cloud.store.list("hetzner.volume").flatMap((one) => (one.server === server.id ? [one.name] : [])),
    })),
    networks: cloud.store.list("hetzner.network").map(({ id, name, range }) => ({ id, name, range })),
    volumes: cloud.store.list("hetzner.volume").map(({ id, name, sizeGb, location, server }) => ({
      ...{ id, name, sizeGb, location },
      server: server === undefined ? null : named("server", server),
    })),
    balancers: await Promise.all(
      cloud.store.list("hetzner.load_balancer").map(async (balancer) => {
        const { targets } = z
          .looseObject({ targets: z.array(targetSchema) })
          .parse(await balancerView(cloud, balancer));
        return {
          id: balancer.id,
          name: balancer.name,
          location: balancer.location,
          address: balancer.publicInterface ? balancer.ip : null,
          networks: balancer.network ? [named("network", balancer.network.id)] : [],
          targets: targets
            .flatMap((target) => target.targets ?? [target])
            .map(({ server, ip, health_status: health = [] }) => ({
              name: server ? named("server", server.id) : (ip?.ip ?? ""),
              health,
            })),
        };
      }),
    ),
    records: cloudflare.list("cloudflare.record").map(({ value }) => ({
      name: String(value["name"]),
      type: String(value["type"]),
      content: String(value["content"]),
      proxied: value["proxied"] === true,
    })),
    buckets: cloudflare.list("cloudflare.bucket").map(({ name }) => name),
    faults: sources.faults.map((fault) => ({
      ...fault,
      text: faultText(fault, nameOf),
      on: concernedBy(fault).map(({ type, id }) => ({ type, name: named(type, id) })),
    })),
    changes: [...sources.changes.last],
    clients: sources.calls.clients.map(({ agents, last, ...client }) => ({
      ...client,
      agents: [...agents],
      last: [...last],
    })),
    calls: [...sources.calls.last],
    totalCalls: sources.calls.total,
  };
}

/** Servers and Volumes that a fault is on. */
function concernedBy(fault: StoredFault): { readonly type: string; readonly id: number }[] {
  switch (fault.kind) {
    case "never_boots":
    case "killed":
      return [{ type: "server", id: fault.server }];
    case "partition":
      return fault.servers.map((id) => ({ type: "server", id }));
    case "volume_full":
      return [{ type: "volume", id: fault.volume }];
    case "action":
      return fault.resource ? [fault.resource] : [];
    default:
      return [];
  }
}

const oneTarget = z.object({
  server: z.object({ id: z.number() }).optional(),
  ip: z.object({ ip: z.string() }).optional(),
  health_status: healthSchema.optional(),
});
const targetSchema = oneTarget.extend({ targets: z.array(oneTarget).optional() });
