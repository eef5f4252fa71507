/** Which resources hold data, or are needed to reach it, so that no move may lose them. Pure. */
import { isRecord } from "../common/record.ts";
import { filesLabel } from "../components/runtime/docker/labels.ts";
import { keptBy } from "../topology/catalogue.ts";
import { type Graph, keyOf, type Recorded } from "./graph.ts";

export const types = {
  /** Random bytes that a key is made of. */
  bytes: "random:index/randomBytes:RandomBytes",
  attachment: "hcloud:index/volumeAttachment:VolumeAttachment",
  bucket: "cloudflare:index/r2Bucket:R2Bucket",
  container: "docker:index/container:Container",
  customDomain: "cloudflare:index/r2CustomDomain:R2CustomDomain",
  dockerVolume: "docker:index/volume:Volume",
  image: "docker:index/remoteImage:RemoteImage",
  imageBuild: "orion:index:ImageBuild",
  loadBalancer: "hcloud:index/loadBalancer:LoadBalancer",
  network: "hcloud:index/network:Network",
  password: "random:index/randomPassword:RandomPassword",
  primaryIp: "hcloud:index/primaryIp:PrimaryIp",
  privateKey: "tls:index/privateKey:PrivateKey",
  record: "cloudflare:index/dnsRecord:DnsRecord",
  selfSigned: "tls:index/selfSignedCert:SelfSignedCert",
  server: "hcloud:index/server:Server",
  /** Of the server of the same name (components/fleet/server-type.ts). */
  serverType: "orion:index:ServerType",
  serverNetwork: "hcloud:index/serverNetwork:ServerNetwork",
  sshKey: "hcloud:index/sshKey:SshKey",
  task: "orion:index:Task",
  volume: "hcloud:index/volume:Volume",
} as const;

/** Logical name of the key that signs sessions (components/tiers.ts). */
export const sessionKey = "secret-key";

/** Logical name of the password that the app logs in to the database with (components/database/database-roles.ts). */
export const appPassword = "database-roles-app-password";

/** Logical names of what the archive of point-in-time recovery consists of (components/storage, components/database/archive.ts). */
export const archiveBucket = "storage-archive-bucket";
export const archiveKey = "archive-key";

/** Describes what would be lost with a resource; undefined when nothing would. */
export type Holds = (resource: Recorded) => string | undefined;

/** The function that describes what each resource of a graph holds. */
export function holdingIn(graph: Graph): Holds {
  const attached = new Set(
    graph.resources.flatMap(({ type, options }) => (type === types.attachment ? (options.deletedWith ?? []) : [])),
  );
  const onServers = hasServersIn(graph);
  const hasData = (server: string | undefined): boolean => server !== undefined && attached.has(server);
  return (resource) => {
    const { type, name, options } = resource;
    switch (type) {
      case types.volume:
        return "the data of its server";
      case types.server:
        return hasData(keyOf(resource)) ? "the server of a Volume with data" : undefined;
      case types.primaryIp:
        return options.protect || hasData(`${types.server} ${name.replace(/-ip$/, "-server")}`)
          ? "a public address that clients know"
          : undefined;
      case types.serverNetwork:
      case types.attachment:
        return hasData(options.deletedWith)
          ? type === types.attachment
            ? "the connection of a server to its data"
            : "a private address that clients of the data know"
          : undefined;
      case types.network:
        return "the private addresses of all servers";
      case types.bucket:
        return "files or backups";
      case types.bytes:
        return "the key without which no backup can be read";
      case types.dockerVolume:
        // The program writes files again at each change.
        return roleOf(resource) === filesLabel || keptBy(roleOf(resource)) === "files"
          ? undefined
          : "the data of a container";
      case types.password:
        if (name === sessionKey) return onServers ? "the key that signs all sessions" : undefined;
        return opensData(graph, resource) ? "the password that opens the data" : undefined;
      default:
        return options.protect ? "a protected resource" : undefined;
    }
  };
}

/** Whether a graph has servers; otherwise it is for a local Docker Engine. */
export const hasServersIn = ({ resources }: Pick<Graph, "resources">): boolean =>
  resources.some(({ type }) => type === types.server);

/** Whether a stack is protected: at least one of its resources is. */
export const isGuarded = ({ resources }: Graph): boolean => resources.some(({ options }) => options.protect);

/** The value of a resource's label, empty without one; labels are a map at Hetzner and a list in Docker. */
export function labelOf({ inputs: { labels } }: Recorded, label: string): string {
  if (isRecord(labels)) return typeof labels[label] === "string" ? labels[label] : "";
  const rows: unknown[] = Array.isArray(labels) ? labels : [];
  const row = rows.find((one) => isRecord(one) && one["label"] === label);
  return isRecord(row) ? String(row["value"]) : "";
}

export const roleOf = (resource: Recorded): string => labelOf(resource, "role");

/** The server with the primary, by its role label; undefined without one. */
export const coreOf = ({ resources }: Graph): string | undefined =>
  resources.find((one) => one.type === types.server && roleOf(one) === "core")?.name.replace(/-server$/, "");

/** Whether it is the password of a database that keeps its data; one in memory does not. */
const opensData = ({ resources }: Graph, { options }: Recorded): boolean =>
  options.parent?.startsWith("orion:database:Database ") === true &&
  !resources.some(
    (one) => one.type === types.container && one.options.parent === options.parent && keptBy(roleOf(one)) === "nothing",
  );
