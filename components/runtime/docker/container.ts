/** Creates the container of a service, with every Docker option whose default would be harmful set. */
import type { ImageKey } from "../../../config/images.ts";
import { definitionOf } from "../../../topology/catalogue.ts";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Service } from "../../../topology/service.ts";
import { labelledKind } from "../../../topology/topology.ts";
import { ContainerReady } from "./container-ready.ts";
import { ContainerLimits } from "./container-limits.ts";
import { dockerHealthcheck, type Probe, secondsUntilHealthy } from "./health.ts";
import { dockerLabels } from "./labels.ts";
import type { DockerRuntime } from "./runtime.ts";
import { type ContainerFile, mountFiles } from "./volume-files.ts";

export interface ContainerArgs {
  /** Key of the image. */
  readonly image: ImageKey;
  /** @default - the image's own command */
  readonly command?: readonly pulumi.Input<string>[];
  /**
   * Whether the image's entrypoint acts on the command's first word, as PostgreSQL's does: it gives up root for its own server
   * alone. Such a command is passed as it is, and so is one of a service that keeps data.
   */
  readonly entrypointReadsCommand?: boolean;
  readonly environment?: Readonly<Record<string, pulumi.Input<string>>>;
  /** User, or user and group, by name or number. @default - the image's own */
  readonly user?: string;
  /** Names in the container network, in addition to the service's own. */
  readonly aliases?: readonly pulumi.Input<string>[];
  readonly volumes?: readonly docker.types.input.ContainerVolume[];
  /** Folders and files of the host; a container does not start while one is missing. */
  readonly mounts?: readonly { readonly source: string; readonly target: string; readonly readOnly?: boolean }[];
  /** Files in the container, all in one folder; other files replace the container. */
  readonly files?: readonly ContainerFile[];
  /** Directories in memory, with their mount options, beside those of its kind. */
  readonly tmpfs?: Readonly<Record<string, string>>;
  /** Folders that it writes to, beside those of its kind. */
  readonly writable?: readonly string[];
  /** The health check. */
  readonly health: Probe;
  /** How long the service may take to end after SIGTERM, before it is killed. */
  readonly stopSeconds: number;
  /** Size of /dev/shm in MiB. @default 64 */
  readonly shmMb?: number;
  /**
   * Whether the new container is healthy before the old one is deleted; their names differ, and they publish no port.
   * @default false - the old one is deleted first
   */
  readonly sideBySide?: boolean;
  /**
   * Whether a move takes it to another server under the same logical name: a label with the server's name then replaces it. The engine
   * keeps a resource whose provider alone changes.
   * @default false
   */
  readonly movesBetweenServers?: boolean;
  /** Seconds that a container of the platform's image may take to start, whatever it does meanwhile. @default - as it looks */
  readonly startSeconds?: number;
}

/** Properties whose change the provider would ignore, and the mark of a failed start, which must be repeated. */
const replaceOnChanges = ["healthcheck", "init", "tmpfs", "#initerror"];

/**
 * Creates the container of a service and waits until it is healthy. What depends on it depends on its parent, a component.
 *
 * @param name logical name
 */
export function createContainer(
  name: string,
  service: Service,
  args: ContainerArgs,
  runtime: DockerRuntime,
  opts: pulumi.CustomResourceOptions & { readonly parent: pulumi.Resource },
): docker.Container {
  const { sideBySide = false } = args;
  const health = dockerHealthcheck(args.health);
  const isWatched = args.image === "app";
  const definition = definitionOf(service.kind);
  const { networks, capabilities, writable, memoryFolders, processes } = definition.confinement;
  const isExpendable = definition.keeps !== "data" && args.entrypointReadsCommand !== true;
  const tmpfs = { ...memoryFolders, ...args.tmpfs };
  if (sideBySide && service.published.length > 0) {
    throw new Error(`${service.name} publishes a port, which an old and a new container cannot have at the same time`);
  }
  const folders = (args.files ?? []).map(({ file }) => file.slice(0, file.lastIndexOf("/") + 1));
  const nested = (args.mounts ?? []).find(({ target }) => folders.some((folder) => target.startsWith(folder)));
  if (nested) {
    throw new Error(`${service.name} mounts ${nested.target} into the folder of its files, which is read-only`);
  }
  const container = new docker.Container(
    name,
    {
      ...(!sideBySide && { name: service.container }),
      image: runtime.image(args.image),
      ...(args.command && { command: isExpendable ? expendable(args.command) : [...args.command] }),
      envs: Object.entries(args.environment ?? {}).map(([key, value]) => pulumi.interpolate`${key}=${value}`),
      ...(args.user !== undefined && { user: args.user }),
      labels: [
        ...dockerLabels(runtime.naming, labelledKind(service)),
        { label: "service", value: service.name },
        ...(args.movesBetweenServers === true ? [{ label: "server", value: service.server }] : []),
      ],
      networkMode: "bridge",
      networksAdvanced: networks.map((network) => ({
        name: runtime.networks[network],
        aliases: [service.name, ...(args.aliases ?? [])],
      })),
      ports: service.published.map(({ address, port, containerPort }) => ({
        ip: address,
        external: port,
        internal: containerPort,
        protocol: "tcp",
      })),
      volumes: [
        ...(args.volumes ?? []),
        ...mountFiles(name, service.name, args.files ?? [], args.image, runtime, opts.parent),
        // Volumes without a name, which Docker deletes with the container.
        ...[...new Set([...writable, ...(args.writable ?? [])])].map((containerPath) => ({ containerPath })),
      ],
      ...(args.mounts && { mounts: args.mounts.map((mount) => ({ ...mount, type: "bind" })) }),
      ...(Object.keys(tmpfs).length > 0 && { tmpfs }),
      healthcheck: {
        tests: [...health.test],
        interval: dockerDuration(health.interval),
        timeout: dockerDuration(health.timeout),
        retries: health.retries,
        startPeriod: dockerDuration(health.startPeriod),
      },
      init: true,
      restart: "unless-stopped",
      memory: service.memoryMb,
      // Equal to the memory: no swap. A service that swaps is worse than one that is restarted.
      memorySwap: service.memoryMb,
      // When the machine's memory is full, the memory of services with data is reclaimed last.
      ...(definition.keeps === "data" && { memoryReservation: service.memoryMb }),
      cpuShares: definition.cpuShares,
      shmSize: args.shmMb ?? 64,
      securityOpts: ["no-new-privileges"],
      capabilities: { drops: ["ALL"], adds: capabilities.map((capability) => `CAP_${capability}`) },
      readOnly: true,
      logDriver: "json-file",
      logOpts: { "max-size": "10m", "max-file": "3" },
      stopTimeout: args.stopSeconds,
      // The provider ignores stopTimeout when it replaces a container; without this it would kill at once.
      destroyGraceSeconds: args.stopSeconds,
      mustRun: true,
      // The provider knows no more than the time: of the platform's image, ContainerReady knows when to wait no longer, and why.
      wait: !isWatched,
      waitTimeout: secondsUntilHealthy,
    },
    { ...runtime.options(opts.parent), replaceOnChanges, deleteBeforeReplace: !sideBySide, ...opts },
  );
  if (isWatched) {
    new ContainerReady(
      `${name}-ready`,
      {
        ...{ runtime, container: container.id, service: service.name, cpuShares: definition.cpuShares },
        ...(args.startSeconds !== undefined && { seconds: args.startSeconds }),
      },
      { parent: opts.parent },
    );
  }
  new ContainerLimits(`${name}-limits`, { runtime, container: container.id, processes }, { parent: opts.parent });
  return container;
}

/** Seconds as Docker reports them, so that a refresh finds what was set: 60 is `1m0s`. */
export function dockerDuration(seconds: number): string {
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}

/**
 * Raises the command's OOM score: when the server runs out of memory, the kernel kills it before services with data.
 * Lowering PostgreSQL's score would need a capability, so all others raise theirs. Redis does it by its configuration.
 */
export const expendable = (command: readonly pulumi.Input<string>[]): pulumi.Input<string>[] => [
  ...["sh", "-c", 'echo 500 2>/dev/null > /proc/self/oom_score_adj; exec "$@"', "sh"],
  ...command,
];
