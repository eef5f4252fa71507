/** A Docker runtime and services for component tests, and helpers that find what a component created. */
import { imageRoles } from "../../../common/app-contract.ts";
import { healthScript, type Probe } from "../../../components/runtime/docker/health.ts";
import { DockerRuntime } from "../../../components/runtime/docker/runtime.ts";
import type { Naming } from "../../../topology/naming.ts";
import type { ImageKey } from "../../../config/images.ts";
import { definitionOf } from "../../../topology/catalogue.ts";
import type { BaseService, ServiceKind } from "../../../topology/service.ts";
import type { Recorded } from "./compose.ts";

export const naming: Naming = { stack: "test", phase: "development" };

export const runtimeOf = (...images: ImageKey[]): DockerRuntime =>
  new DockerRuntime("local", {
    naming,
    dockerHost: "unix:///var/run/docker.sock",
    images: new Map(images.map((image) => [image, `${image}:test`])),
  });

/** A service of a kind that has nothing but what all kinds have. */
export const serviceOf = <Kind extends PlainKind>(
  kind: Kind,
  more: Partial<Omit<BaseService<Kind>, "kind">> = {},
): BaseService<Kind> => ({
  name: kind,
  kind,
  server: "local",
  container: `orion-test-${more.name ?? kind}`,
  published: [],
  memoryMb: 512,
  ...more,
});

type PlainKind = Exclude<ServiceKind, "worker" | "replica">;

/** The resource of that logical name. */
export function named(resources: readonly Recorded[], name: string): Recorded {
  const found = resources.find((resource) => resource.name === name);
  if (!found) throw new Error(`no resource '${name}'; there are: ${resources.map((one) => one.name).join(", ")}`);
  return found;
}

/** What a test says of a service's container. */
export interface ContainerOf {
  readonly mode: "preview" | "up";
  readonly kind: ServiceKind;
  /** @default - the kind */
  readonly name?: string;
  readonly image: ImageKey;
  readonly stopSeconds: number;
  readonly probe: Probe;
}

/** What every container has in common, whatever runs in it (components/runtime/docker/container.ts); a test adds what is its own. */
export function containerOf({
  mode,
  kind,
  name = kind,
  image,
  stopSeconds,
  probe,
}: ContainerOf): Record<string, unknown> {
  const { cpuShares, keeps, confinement } = definitionOf(kind);
  const { capabilities, writable, memoryFolders } = confinement;
  const memory = 512;
  return {
    name: `orion-test-${name}`,
    image: known(mode, `sha256:local-image-${image}`),
    envs: [],
    networksAdvanced: [{ name: "orion-test-network", aliases: [name] }],
    ports: [],
    healthcheck: healthOf(probe),
    shmSize: 64,
    cpuShares,
    capabilities: { drops: ["ALL"], adds: capabilities.map((capability) => `CAP_${capability}`) },
    readOnly: true,
    volumes: foldersOf(...writable),
    ...(Object.keys(memoryFolders).length > 0 && { tmpfs: memoryFolders }),
    ...(keeps === "data" && { memoryReservation: memory }),
    destroyGraceSeconds: stopSeconds,
    init: true,
    labels: [
      { label: "app", value: "orion" },
      { label: "stack", value: "test" },
      { label: "role", value: kind },
      { label: "service", value: name },
    ],
    logDriver: "json-file",
    logOpts: { "max-file": "3", "max-size": "10m" },
    memory,
    memorySwap: memory,
    mustRun: true,
    networkMode: "bridge",
    restart: "unless-stopped",
    securityOpts: ["no-new-privileges"],
    stopTimeout: stopSeconds,
    // The provider does not wait for containers of the platform's image: ContainerReady does.
    wait: !imageRoles.some((role) => role === kind),
    waitTimeout: 180,
  };
}

/** Volumes without a name, as Docker's provider gets them. */
export const foldersOf = (...paths: readonly string[]): { readonly containerPath: string }[] =>
  paths.map((containerPath) => ({ containerPath }));

/** The volume with a container's files, as Docker's provider gets it. */
export const filesAt = (containerPath: string): unknown => ({
  ...{ containerPath, readOnly: true },
  volumeName: expect.any(String) as unknown,
});

/** The files that a container has when it starts, by name. */
export const filesOf = (resources: readonly Recorded[], container: string): unknown =>
  named(resources, `${container}-written`).inputs["files"];

/** The health check with this probe, as the Docker provider gets it. */
export const healthOf = (probe: Probe): unknown => ({
  tests: ["CMD", "sh", "-c", healthScript(probe)],
  interval: "2s",
  timeout: "4m10s",
  retries: 4,
  startPeriod: "2m0s",
});

/** How a value that only a provider knows looks: unknown in a preview, the mock's answer in an update. */
export const known = (mode: "preview" | "up", value: string): string => (mode === "preview" ? "[unknown]" : value);

/** What has the kernel kill a process before PostgreSQL. */
export const expendable = ["sh", "-c", 'echo 500 2>/dev/null > /proc/self/oom_score_adj; exec "$@"', "sh"];

/** The two ways in which the engine runs the program. */
export const modes = ["preview", "up"] as const;

/** A service's port on this machine. */
export const onPort = (port: number, containerPort: number) => ({
  published: [{ address: "127.0.0.1", port, containerPort }],
});
