/** Redis with failover: cache and broker have replicas on servers of their own, and three Sentinels choose the masters. */
import * as pulumi from "@pulumi/pulumi";
import { servicesOf } from "../../topology/topology.ts";
import { requiredAuthority } from "../authority/required-authority.ts";
import type { Service } from "../../topology/service.ts";
import type { Context } from "../context.ts";
import { createPassword } from "../password.ts";
import { HostFiles } from "../runtime/docker/host-files.ts";
import { redisFile } from "../../common/redis-contract.ts";
import { Cache } from "./cache.ts";
import { addressOf } from "../published-address.ts";
import type { RedisGroup } from "./redis-group.ts";
import type { Redis } from "./redis.ts";
import type { RedisUse } from "./redis-config.ts";
import { Sentinel } from "./sentinel.ts";
import type { SentinelLogin } from "./sentinel-config.ts";
import { createCertificate, endpointOf, type NamedCache, redisOf, signedBy } from "./single.ts";

interface Member {
  readonly service: Service;
  readonly cache: Cache;
}

/** The servers of a group, its first master at the beginning. */
interface Servers {
  readonly group: RedisGroup;
  readonly members: readonly Member[];
  /** The first server: all of them are reached under its name, with its users. */
  readonly reached: NamedCache;
}

export function replicatedRedis(context: Context): Redis | undefined {
  const { topology, settings } = context;
  const [cache] = servicesOf(topology, "cache");
  if (!cache) return undefined;
  const passwords = createPasswords(context);
  const { maxMemoryMb, brokerMaxMemoryMb } = settings.cache;
  const groups: readonly [Servers, ...Servers[]] = [
    createServers(
      context,
      passwords,
      { use: "cache", first: cache, maxMemoryMb },
      servicesOf(topology, "cache-replica"),
    ),
    ...servicesOf(topology, "broker").map((first) =>
      createServers(
        context,
        passwords,
        { use: "broker", first, maxMemoryMb: brokerMaxMemoryMb },
        servicesOf(topology, "broker-replica"),
      ),
    ),
  ];
  const sentinels = createSentinels(context, passwords, groups);
  const watched = groups.flatMap(({ members }) => members.map((member) => watch(context, member, sentinels)));
  const [main, broker = main] = groups;
  return {
    ...redisOf(context, main.reached, broker.reached),
    gatewayPasswords: gatewayPasswords(passwords, groups),
    ready: [...groups.flatMap(({ members }) => members.map(({ cache }) => cache)), ...watched],
  };
}

function createPasswords({ parent }: Context): pulumi.Output<Record<SentinelLogin, string>> {
  const password = (login: SentinelLogin) => createPassword(`sentinel-${login}-password`, 32, { parent });
  return pulumi
    .all([password("peer"), password("server"), password("gateway"), password("monitor"), password("admin")] as const)
    .apply(([peer, server, gateway, monitor, admin]) => ({ peer, server, gateway, monitor, admin }));
}

interface First {
  readonly use: RedisUse;
  readonly first: Service;
  readonly maxMemoryMb: number;
}

/** A group's servers. The replicas have the first one's passwords, since each of them may become the master. */
function createServers(
  context: Context,
  passwords: pulumi.Output<Record<SentinelLogin, string>>,
  { use, first, maxMemoryMb }: First,
  replicas: readonly Service[],
): Servers {
  const { settings, topology, runtimes, parent } = context;
  const sentinels = servicesOf(topology, "sentinel").map(addressOf);
  const group: RedisGroup = { name: first.kind, first: addressOf(first), sentinels };
  const serverPassword = pulumi.secret(passwords.apply(({ server }) => server));
  const create = (service: Service, master?: Cache) =>
    new Cache(
      service.name,
      {
        ...{ runtime: runtimes.of(service), service, use, maxMemoryMb, appKeys: settings.cache.appKeys },
        ...{ endpoint: endpointOf(context, first), tls: createCertificate(context, service.name, service) },
        member: { group, own: addressOf(service), serverPassword },
        ...(master && { credentials: master.credentials }),
      },
      // A replica copies the data when it starts.
      { parent, ...(master && { dependsOn: [master, ...runtimes.peerRules] }) },
    );
  const master = create(first);
  return {
    ...{ group, reached: { name: group.name, cache: master } },
    members: [
      { service: first, cache: master },
      ...replicas.map((service) => ({ service, cache: create(service, master) })),
    ],
  };
}

/** The credentials of each group's servers, by the group's name. */
const credentialsOf = (servers: readonly Servers[]) =>
  pulumi.all(Object.fromEntries(servers.map(({ reached: { name, cache } }) => [name, cache.credentials])));

/** A value of each entry, under the same key. */
const mapped = <Value, Result>(record: Readonly<Record<string, Value>>, of: (value: Value) => Result) =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, of(value)]));

/** The passwords with which gateways log in at the Sentinels, and at the servers of each group. */
const gatewayPasswords = (
  passwords: pulumi.Output<Record<SentinelLogin, string>>,
  servers: readonly Servers[],
): NonNullable<Redis["gatewayPasswords"]> =>
  pulumi.secret(
    pulumi.all([passwords, credentialsOf(servers)]).apply(([{ gateway }, credentials]) => ({
      sentinel: gateway,
      monitor: mapped(credentials, ({ users }) => users.monitor),
    })),
  );

/** Creates the Sentinels one after another, so that a change that restarts them leaves a majority running. */
function createSentinels(
  context: Context,
  passwords: pulumi.Output<Record<SentinelLogin, string>>,
  servers: readonly Servers[],
): readonly Sentinel[] {
  const { topology, runtimes, parent } = context;
  const groups = servers.map(({ group }) => group);
  const roles = pulumi.secret(
    credentialsOf(servers).apply((credentials) => mapped(credentials, ({ roles }) => roles?.sentinel ?? "")),
  );
  const replicas = servers.flatMap(({ members }) => members.map(({ cache }) => cache));
  return servicesOf(topology, "sentinel").reduce<readonly Sentinel[]>((before, service) => {
    const tls = signedBy(requiredAuthority(context), service.name, service, parent);
    const args = { runtime: runtimes.of(service), service, groups, passwords, roles, tls };
    return [
      ...before,
      new Sentinel(service.name, args, { parent, dependsOn: [...replicas, ...before, ...runtimes.peerRules] }),
    ];
  }, []);
}

/** Waits until the Sentinels watch a server and a second one has its data; from then on they choose the master (member-scripts.ts). */
function watch({ runtimes, parent }: Context, { service }: Member, sentinels: readonly Sentinel[]): HostFiles {
  return new HostFiles(
    `${service.name}-watched`,
    {
      ...{ runtime: runtimes.of(service), files: {}, removal: ["true"] },
      command: ["docker", "exec", service.container, "sh", redisFile("watch")],
    },
    // Not a part of the server, which the Sentinels wait for.
    { parent, dependsOn: [...sentinels] },
  );
}
