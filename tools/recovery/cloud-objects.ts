/**
 * Looks up at Hetzner or Cloudflare the object that an interrupted update may have created for a resource without recording it in
 * the state. The next update cannot create it again where names are unique, and an object with data must not exist twice.
 */
import { z } from "zod";

type Inputs = Readonly<Record<string, unknown>>;

/** A GET of one of the APIs: its body, or undefined for status 404. */
export type Get = (path: string) => Promise<unknown>;

export interface Apis {
  readonly hetzner: Get;
  readonly cloudflare: Get;
}

/** Finds the object with a resource's inputs. @returns the id that the provider gives it in the state */
type Find = (inputs: Inputs, apis: Apis) => Promise<string | undefined>;

const labelsSchema = z.record(z.string(), z.string()).default({});
const idSchema = z.union([z.string(), z.number()]).transform(String);

/** Finds an object by name, if it has this stack's labels. */
const named =
  (plural: string): Find =>
  async ({ name, labels }, { hetzner }) => {
    const schema = z.object({ [plural]: z.array(z.object({ id: idSchema, labels: labelsSchema })) });
    const { [plural]: found = [] } = schema.parse(await hetzner(`/${plural}?name=${encodeURIComponent(String(name))}`));
    const wanted = labelsSchema.parse(labels);
    return found.find((one) => one.labels["app"] === wanted["app"] && one.labels["stack"] === wanted["stack"])?.id;
  };

const subnet: Find = async ({ networkId, ipRange }, { hetzner }) => {
  const schema = z.object({ network: z.object({ subnets: z.array(z.object({ ip_range: z.string() })) }) });
  const { data } = schema.safeParse(await hetzner(`/networks/${String(networkId)}`));
  const isThere = data?.network.subnets.some(({ ip_range: range }) => range === ipRange) ?? false;
  return isThere ? `${String(networkId)}-${String(ipRange)}` : undefined;
};

const inNetwork: Find = async ({ serverId, subnetId }, { hetzner }) => {
  const schema = z.object({ server: z.object({ private_net: z.array(z.object({ network: idSchema })) }) });
  const { data } = schema.safeParse(await hetzner(`/servers/${String(serverId)}`));
  const [wanted] = String(subnetId).split("-");
  const isThere = data?.server.private_net.some(({ network }) => network === wanted) ?? false;
  return isThere ? `${String(serverId)}-${String(wanted)}` : undefined;
};

const attachment: Find = async ({ volumeId, serverId }, { hetzner }) => {
  const schema = z.object({ volume: z.object({ server: idSchema.nullable() }) });
  const { data } = schema.safeParse(await hetzner(`/volumes/${String(volumeId)}`));
  return data?.volume.server === String(serverId) ? String(volumeId) : undefined;
};

/** A load balancer has one service for a port. */
const balancerService: Find = async ({ loadBalancerId, listenPort }, { hetzner }) => {
  const services = z.array(z.object({ listen_port: z.number() }));
  const schema = z.object({ load_balancer: z.object({ services }) });
  const { data } = schema.safeParse(await hetzner(`/load_balancers/${String(loadBalancerId)}`));
  const isThere = data?.load_balancer.services.some(({ listen_port: port }) => port === Number(listenPort)) ?? false;
  return isThere ? `${String(loadBalancerId)}__${String(listenPort)}` : undefined;
};

/** The id of the first object in a list from Cloudflare that has the wanted properties. */
function listed(body: unknown, wanted: Inputs): string | undefined {
  const { data } = z.object({ result: z.array(z.looseObject({ id: z.string() })) }).safeParse(body);
  return data?.result.find((one) => Object.entries(wanted).every(([key, value]) => one[key] === value))?.id;
}

const record: Find = async ({ zoneId, name, type, content }, { cloudflare }) => {
  const query = new URLSearchParams({ name: String(name), type: String(type) });
  return listed(await cloudflare(`/zones/${String(zoneId)}/dns_records?${query.toString()}`), { name, type, content });
};

const ruleset: Find = async ({ zoneId, phase, kind, name }, { cloudflare }) =>
  listed(await cloudflare(`/zones/${String(zoneId)}/rulesets`), { phase, kind, name });

const bucket: Find = async ({ accountId, name }, { cloudflare }) =>
  (await cloudflare(`/accounts/${String(accountId)}/r2/buckets/${String(name)}`)) === undefined
    ? undefined
    : String(name);

const finders: Readonly<Record<string, Find>> = {
  "hcloud:index/server:Server": named("servers"),
  "hcloud:index/volume:Volume": named("volumes"),
  "hcloud:index/network:Network": named("networks"),
  "hcloud:index/firewall:Firewall": named("firewalls"),
  "hcloud:index/primaryIp:PrimaryIp": named("primary_ips"),
  "hcloud:index/placementGroup:PlacementGroup": named("placement_groups"),
  "hcloud:index/sshKey:SshKey": named("ssh_keys"),
  "hcloud:index/loadBalancer:LoadBalancer": named("load_balancers"),
  "hcloud:index/loadBalancerService:LoadBalancerService": balancerService,
  "hcloud:index/networkSubnet:NetworkSubnet": subnet,
  "hcloud:index/serverNetwork:ServerNetwork": inNetwork,
  "hcloud:index/volumeAttachment:VolumeAttachment": attachment,
  "cloudflare:index/dnsRecord:DnsRecord": record,
  "cloudflare:index/ruleset:Ruleset": ruleset,
  "cloudflare:index/r2Bucket:R2Bucket": bucket,
};

/** Types whose object is created again, because the first one's secret is lost or cannot be compared, and where the dashboard shows that first one. */
export const spares: Readonly<Record<string, string>> = {
  "cloudflare:index/accountToken:AccountToken": "Manage Account > API Tokens",
  "cloudflare:index/originCaCertificate:OriginCaCertificate": "SSL/TLS > Origin Server",
  // Of two, Cloudflare presents the newer one; the edges accept both.
  "cloudflare:index/authenticatedOriginPullsCertificate:AuthenticatedOriginPullsCertificate": "SSL/TLS > Origin Server",
};

/** Whether objects of a type can be found and taken over. */
export const isInCloud = (type: string): boolean => type in finders;

/**
 * The id of an object whose creation was interrupted; undefined when it was not created, or cannot be looked for.
 *
 * @param type the resource's type in the engine
 * @param inputs the resource's inputs
 */
export const findObject = async (type: string, inputs: Inputs, apis: Apis): Promise<string | undefined> =>
  finders[type]?.(inputs, apis);
