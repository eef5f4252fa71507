/**
 * Outlines the graph of a plan with traits that the program cannot compose yet: the resources that can be lost, cost money or
 * move, with the inputs that a move can change. A test compares outlines with the program. Pure.
 */
import { runsOwnDatabase } from "../config/own-database.ts";
import { definitionOf } from "../topology/catalogue.ts";
import { unbuiltTraits } from "../config/presets.ts";
import type { Settings } from "../config/schema.ts";
import { labels, lastingLabels, physicalName } from "../topology/naming.ts";
import { type Server, keepsAddress, privateNetwork } from "../topology/server.ts";
import type { Service } from "../topology/service.ts";
import { type Topology, hasServers, labelledKind } from "../topology/topology.ts";
import { type Graph, keyOf, type Recorded, type RecordedOptions } from "./graph.ts";
import { factsOf } from "./stack-facts.ts";
import { archiveBucket, archiveKey, sessionKey, types } from "./stateful.ts";
import { archivesWal } from "../topology/services/archive.ts";

/** Whether the program composes all traits of a stack. */
export const composes = ({ settings }: { readonly settings: Settings }): boolean =>
  unbuiltTraits(settings).length === 0;

/** The outline of a plan as a graph. */
export function outlineOf(topology: Topology, settings: Settings): Graph {
  const made = [
    ...(hasServers(topology) ? [networkOf(topology, settings), ...authorityOf(settings)] : []),
    ...topology.servers.flatMap((server) => ofServer(topology, settings, server)),
    ...topology.loadBalancers.map(({ name, location }) =>
      resource(types.loadBalancer, `${name}-balancer`, {
        location,
        loadBalancerType: settings.hetzner.loadBalancerType,
      }),
    ),
    ...topology.services.flatMap((service) => ofService(topology, settings, service)),
    ...ofStorage(topology, settings),
    ...topology.services.flatMap(({ kind }) =>
      Object.entries(keys).flatMap(([of, name]) =>
        kind === of ? [resource(types.bytes, name, { length: 32 }, kept(settings))] : [],
      ),
    ),
    ...(hasServers(topology) ? [resource(types.password, sessionKey, { length: 48 }, kept(settings))] : []),
    ...(runsOwnDatabase(settings.database)
      ? [resource(types.password, "database-password", { length: 32 }, { ...kept(settings), parent: database })]
      : []),
  ];
  return { resources: made, uses: new Map(made.map((one) => [keyOf(one), {}])), ...factsOf({ settings, topology }) };
}

const database = "orion:database:Database database";

/** The keys of backups, by the kind of the service that takes them. */
const keys: Readonly<Record<string, string>> = { backup: "backup-key-bytes", archive: archiveKey };

const resource = (type: string, name: string, inputs: Recorded["inputs"], options: RecordedOptions = {}): Recorded => ({
  type,
  name,
  inputs,
  options,
});

const kept = ({ protection }: Settings): RecordedOptions => (protection ? { protect: true } : {});
const retained = (settings: Settings): RecordedOptions =>
  settings.protection ? { protect: true, retainOnDelete: true } : {};

const networkOf = (naming: Topology, settings: Settings): Recorded =>
  resource(
    types.network,
    "private-network",
    {
      name: physicalName(naming, "network"),
      ipRange: privateNetwork.range,
      deleteProtection: settings.protection,
      labels: labels(naming, "network"),
    },
    kept(settings),
  );

/** The key and the certificate of the stack's own authority. */
const authorityOf = (settings: Settings): Recorded[] => [
  resource(types.privateKey, "authority-key", { algorithm: "ECDSA", ecdsaCurve: "P256" }, kept(settings)),
  resource(types.selfSigned, "authority-certificate", { isCaCertificate: true }, kept(settings)),
];

function ofServer(topology: Topology, settings: Settings, server: Server): Recorded[] {
  const { name, location, volumeGb } = server;
  const common = { name: physicalName(topology, name), location, labels: labels(topology, server.role) };
  const hasData = volumeGb > 0;
  const deletedWith = `${types.server} ${name}-server`;
  const addressKept = keepsAddress(server) && settings.protection;
  const [serverType] = server.types;
  return [
    resource(
      types.primaryIp,
      `${name}-ip`,
      { ...common, type: "ipv4", deleteProtection: addressKept },
      addressKept ? kept(settings) : {},
    ),
    resource(types.serverType, `${name}-type`, { server: common.name, location, types: server.types }),
    resource(
      types.server,
      `${name}-server`,
      { ...common, serverType, deleteProtection: hasData && settings.protection },
      {
        ...(hasData ? kept(settings) : {}),
        ignoreChanges: ["image", "userData", "sshKeys", "location", "firewallIds", "serverType"],
      },
    ),
    resource(types.serverNetwork, `${name}-network`, { ip: server.privateAddress }, { deletedWith }),
    ...(hasData
      ? [
          resource(
            types.volume,
            `${name}-volume`,
            { ...common, size: volumeGb, deleteProtection: settings.protection },
            retained(settings),
          ),
          resource(types.attachment, `${name}-attachment`, { automount: false }, { deletedWith }),
        ]
      : []),
  ];
}

/** Kinds of services with a Redis server, whose data is in a volume of Docker. */
const redisKinds: ReadonlySet<Service["kind"]> = new Set(["cache", "cache-replica", "broker", "broker-replica"]);

/** Its container, under the service's own name, and the volume of one that keeps data in Docker. */
function ofService(topology: Topology, settings: Settings, service: Service): Recorded[] {
  const { name, kind, server, container, published } = service;
  if (definitionOf(kind).runs !== "always") return [];
  const onServer = hasServers(topology);
  const options: RecordedOptions = {
    provider: `pulumi:providers:docker ${server}-docker`,
    ...(onServer && { deletedWith: `${types.server} ${server}-server` }),
  };
  const labelled = { ...lastingLabels(topology, labelledKind(service)), service: name };
  const rows = Object.entries(lastingLabels(topology, kind)).map(([label, value]) => ({ label, value }));
  const ports = published.map(({ address, port, containerPort }) => ({
    ...{ ip: address, external: port, internal: containerPort, protocol: "tcp" },
  }));
  const volume = (more: RecordedOptions) =>
    resource(
      types.dockerVolume,
      `${name}-data`,
      { name: physicalName(topology, `${name}-data`), labels: rows },
      { ...options, ...more },
    );
  return [
    resource(
      types.container,
      name,
      {
        ...{ name: container, ports },
        labels: Object.entries(labelled).map(([label, value]) => ({ label, value })),
      },
      options,
    ),
    ...(redisKinds.has(kind) ? [volume({ retainOnDelete: true })] : []),
    ...(kind === "database" && !onServer ? [volume(kept(settings))] : []),
  ];
}

function ofStorage(topology: Topology, settings: Settings): Recorded[] {
  const { backend, bucket } = settings.storage;
  if (backend === "r2") {
    const named = (name: string, suffix: string) =>
      resource(
        types.bucket,
        name,
        { accountId: settings.cloudflare.accountId, name: `${bucket ?? ""}${suffix}` },
        { ...retained(settings), ignoreChanges: ["location"] },
      );
    return [
      ...[named("storage-files-bucket", ""), named("storage-backups-bucket", "-backups")],
      ...(archivesWal(settings) ? [named(archiveBucket, "-archive")] : []),
    ];
  }
  const { services } = topology;
  const [home] = [
    ...services.filter(({ kind }) => kind === "app"),
    ...services.filter(({ kind }) => kind === "worker"),
    ...services,
  ];
  if (!home) return [];
  const rows = Object.entries(lastingLabels(topology, "storage")).map(([label, value]) => ({ label, value }));
  return [
    resource(
      types.dockerVolume,
      "storage-uploads",
      { name: physicalName(topology, "uploads"), labels: rows },
      { ...kept(settings), provider: `pulumi:providers:docker ${home.server}-docker` },
    ),
  ];
}
