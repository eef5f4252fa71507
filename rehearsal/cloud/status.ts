/** Collects the current status of a cloud into one object, for `make cloud-status` and the status page. */
import { z } from "zod";
import type { CloudflareStore } from "../cloudflare/state.ts";
import type { StoredFault } from "../faults.ts";
import { balancerView } from "../hetzner/balancer-view.ts";
import type { Cloud } from "../hetzner/cloud.ts";
import { publicAddress } from "../hetzner/server-links.ts";
import { observeServer } from "../hetzner/server-view.ts";
import type { Call } from "./call-log.ts";
import { type CloudSettings, cloudAddresses } from "./settings.ts";

const healthSchema = z.array(z.object({ listen_port: z.number(), status: z.string() }));
const statusSchema = z.object({
  instance: z.string(),
  machines: z.string(),
  pid: z.number(),
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
      address: z.string().nullable(),
      private: z.array(z.string()),
      volumes: z.array(z.string()),
    }),
  ),
  balancers: z.array(
    z.object({
      id: z.number(),
      name: z.string(),
      address: z.string().nullable(),
      targets: z.array(z.object({ name: z.string(), health: healthSchema })),
    }),
  ),
  records: z.array(z.object({ name: z.string(), type: z.string(), content: z.string(), proxied: z.boolean() })),
  buckets: z.array(z.string()),
  faults: z.array(z.looseObject({ id: z.number(), kind: z.string() })),
  calls: z.array(
    z.object({
      time: z.string(),
      method: z.string(),
      path: z.string(),
      status: z.number(),
      milliseconds: z.number(),
      problem: z.string().nullable(),
    }),
  ),
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
  readonly calls: readonly Call[];
  readonly totalCalls: number;
  readonly hasEdge: boolean;
}

export async function statusOf(sources: StatusSources): Promise<Status> {
  const { settings, cloud, cloudflare } = sources;
  const base = `http://127.0.0.1:${settings.port}`;
  await Promise.all(cloud.store.list("hetzner.server").map((server) => observeServer(cloud, server)));
  const { edge, registry } = cloudAddresses(settings.block);
  const names = new Map(cloud.store.list("hetzner.server").map(({ id, name }) => [id, name]));
  return {
    instance: settings.instance,
    machines: settings.machines,
    pid: process.pid,
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
      address: publicAddress(cloud, server.id) ?? null,
      private: server.networks.flatMap(({ ip, aliasIps }) => [ip, ...aliasIps]),
      volumes: cloud.store.list("hetzner.volume").flatMap((one) => (one.server === server.id ? [one.name] : [])),
    })),
    balancers: await Promise.all(
      cloud.store.list("hetzner.load_balancer").map(async (balancer) => {
        const { targets } = z
          .looseObject({ targets: z.array(targetSchema) })
          .parse(await balancerView(cloud, balancer));
        return {
          id: balancer.id,
          name: balancer.name,
          address: balancer.publicInterface ? balancer.ip : null,
          targets: targets
            .flatMap((target) => target.targets ?? [target])
            .map(({ server, ip, health_status: health = [] }) => ({
              name: server ? (names.get(server.id) ?? String(server.id)) : (ip?.ip ?? ""),
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
    faults: [...sources.faults],
    calls: [...sources.calls],
    totalCalls: sources.totalCalls,
  };
}

const oneTarget = z.object({
  server: z.object({ id: z.number() }).optional(),
  ip: z.object({ ip: z.string() }).optional(),
  health_status: healthSchema.optional(),
});
const targetSchema = oneTarget.extend({ targets: z.array(oneTarget).optional() });
