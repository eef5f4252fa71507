/** The one way a container is made: every option whose default would hurt is set here. */
import type { ImageKey } from "../../../config/images.ts";
import { definitionOf } from "../../../topology/catalogue.ts";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Service } from "../../../topology/service.ts";
import { labelledKind } from "../../../topology/topology.ts";
import { dockerHealthcheck, type Probe, secondsUntilHealthy } from "./health.ts";
import { dockerLabels } from "./labels.ts";
import type { DockerRuntime } from "./runtime.ts";

export interface ContainerArgs {
  /** Key of the image at the place. */
  readonly image: ImageKey;
  /** @default - the image's own command */
  readonly command?: readonly pulumi.Input<string>[];
  readonly environment?: Readonly<Record<string, pulumi.Input<string>>>;
  /** Further names in the container network, beside the service's own. */
  readonly aliases?: readonly pulumi.Input<string>[];
  readonly volumes?: readonly docker.types.input.ContainerVolume[];
  /** Folders of the host; a container does not start while one is missing. */
  readonly mounts?: readonly { readonly source: string; readonly target: string }[];
  /** Files that are put into the container before it starts. */
  readonly files?: readonly docker.types.input.ContainerUpload[];
  /** Directories in memory, with their mount options. */
  readonly tmpfs?: Readonly<Record<string, string>>;
  /** How it shows that it is healthy. */
  readonly health: Probe;
  /** How long the service may take to end well before it is killed. */
  readonly stopSeconds: number;
  /** Size of /dev/shm in MiB. @default 64 */
  readonly shmMb?: number;
  /**
   * A new one is made and healthy before the old one goes; their names differ, and they publish no port.
   * @default false - the old one goes first
   */
  readonly sideBySide?: boolean;
}

/** Properties that the provider neither updates in place nor replaces for; and a start that failed is done again. */
const replaceOnChanges = ["healthcheck", "init", "tmpfs", "#initerror"];

/**
 * Makes the container of a service and waits until it is healthy.
 *
 * @param name logical name; the child of `parent`
 */
export function createContainer(
  name: string,
  service: Service,
  args: ContainerArgs,
  place: DockerRuntime,
  opts: pulumi.CustomResourceOptions & { readonly parent: pulumi.Resource },
): docker.Container {
  const { sideBySide = false } = args;
  const health = dockerHealthcheck(args.health);
  const definition = definitionOf(service.kind);
  if (sideBySide && service.published.length > 0) {
    throw new Error(`${service.name} publishes a port, which an old and a new container cannot have at the same time`);
  }
  return new docker.Container(
    name,
    {
      ...(!sideBySide && { name: service.container }),
      image: place.image(args.image),
      ...(args.command && { command: definition.keeps === "data" ? [...args.command] : expendable(args.command) }),
      envs: Object.entries(args.environment ?? {}).map(([key, value]) => pulumi.interpolate`${key}=${value}`),
      labels: [...dockerLabels(place.naming, labelledKind(service)), { label: "service", value: service.name }],
      networkMode: "bridge",
      networksAdvanced: [{ name: place.network, aliases: [service.name, ...(args.aliases ?? [])] }],
      ports: service.published.map(({ address, port, containerPort }) => ({
        ip: address,
        external: port,
        internal: containerPort,
        protocol: "tcp",
      })),
      ...(args.volumes && { volumes: [...args.volumes] }),
      ...(args.mounts && { mounts: args.mounts.map((mount) => ({ ...mount, type: "bind" })) }),
      ...(args.files && { uploads: [...args.files] }),
      ...(args.tmpfs && { tmpfs: { ...args.tmpfs } }),
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
      // The same as the memory: no swap. A service that swaps is slower than one that is restarted.
      memorySwap: service.memoryMb,
      // What must survive a full machine is not reclaimed first.
      ...(definition.keeps === "data" && { memoryReservation: service.memoryMb }),
      cpuShares: definition.cpuShares,
      shmSize: args.shmMb ?? 64,
      securityOpts: ["no-new-privileges"],
      logDriver: "json-file",
      logOpts: { "max-size": "10m", "max-file": "3" },
      stopTimeout: args.stopSeconds,
      // The provider ignores stopTimeout when it replaces a container; without this it would kill at once.
      destroyGraceSeconds: args.stopSeconds,
      mustRun: true,
      wait: true,
      waitTimeout: secondsUntilHealthy,
    },
    { ...place.options(opts.parent), replaceOnChanges, deleteBeforeReplace: !sideBySide, ...opts },
  );
}

/** Seconds as Docker reports them, so that a refresh finds what was set: 60 is `1m0s`. */
export function dockerDuration(seconds: number): string {
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}

/**
 * A command whose process the kernel kills before those that keep data, when the server runs out of memory: PostgreSQL's own
 * score could be lowered only with a capability, so that all others raise theirs. Redis does it by its configuration.
 */
export const expendable = (command: readonly pulumi.Input<string>[]): pulumi.Input<string>[] => [
  ...["sh", "-c", 'echo 500 2>/dev/null > /proc/self/oom_score_adj; exec "$@"', "sh"],
  ...command,
];
