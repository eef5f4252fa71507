/** The app: one Uvicorn container for each instance of a machine. */
import { withAliases } from "../aliases.ts";
import { app, type AppService } from "../../topology/services/app.ts";
import { createHash } from "node:crypto";
import { appKeepsIdleSeconds } from "../../common/app-contract.ts";
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { type ContainerArgs, createContainer } from "../runtime/docker/container.ts";
import { appProbe, whileItStarts } from "../runtime/docker/health.ts";
import type { DockerRuntime } from "../runtime/docker/runtime.ts";
import { uploadDirectory } from "../storage/files-environment.ts";
import type { AppEnvironment } from "./environment.ts";

export interface AppTierArgs {
  readonly runtime: DockerRuntime;
  /** The instances; each of them is one container. */
  readonly services: readonly AppService[];
  readonly environment: AppEnvironment;
  /** Uvicorn processes in each container. */
  readonly uvicornWorkers: number;
  /** Whether a new version's instances are healthy before the old ones are deleted; then none may publish a port. */
  readonly sideBySide: boolean;
  /** Folders that the image writes to, beside those of every image. */
  readonly writable: readonly string[];
  /** User that the image runs as. @default - the image's own */
  readonly user?: string;
  /** Seconds that a start may take. @default - as long as it looks alive */
  readonly startSeconds?: number;
  /** The uploads volume of local storage. @default - files are not kept locally */
  readonly uploads?: pulumi.Input<string>;
  /** Files of the host that its processes read. @default - none */
  readonly mounts?: ContainerArgs["mounts"];
}

/** The name in the container network of the instances of every version, those that are not healthy yet included. */
export const anyVersion = "app";

/** How long running requests may take to complete after a stop; Docker waits a little longer before it kills the container. */
const drainSeconds = 30;

/** The instances of a version share a network alias. */
export class AppTier extends pulumi.ComponentResource {
  /**
   * The name in the container network that resolves to all instances of this version and to no others. The edge that sends
   * requests to it depends on the instances, so a version that does not become healthy never gets a request.
   */
  readonly alias: pulumi.Output<string>;
  /** The name of each instance of this version alone. */
  readonly instanceHosts: pulumi.Output<string>[];
  readonly instances: readonly docker.Container[];

  constructor(name: string, args: AppTierArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:app:AppTier", name, {}, opts);
    this.alias = versionAlias(args);
    this.instanceHosts = args.services.map((_, index) => pulumi.interpolate`${this.alias}-${index + 1}`);
    this.instances = args.services.map((service, index) => this.#createInstance(service, index, args));
    this.registerOutputs({});
  }

  #createInstance(service: AppService, index: number, args: AppTierArgs): docker.Container {
    return createContainer(
      service.name,
      service,
      {
        image: "app",
        command: uvicornCommand(service, args.uvicornWorkers),
        environment: { ...args.environment, INSTANCE_NAME: service.name },
        aliases: [this.alias, ...this.instanceHosts.slice(index, index + 1), anyVersion],
        sideBySide: args.sideBySide,
        writable: args.writable,
        ...(args.user !== undefined && { user: args.user }),
        ...(args.startSeconds !== undefined && { startSeconds: args.startSeconds }),
        ...(args.uploads !== undefined && {
          volumes: [{ volumeName: args.uploads, containerPath: uploadDirectory }],
        }),
        ...(args.mounts && { mounts: args.mounts }),
        health: whileItStarts(appProbe(service.port, service.healthPath)),
        stopSeconds: drainSeconds + 5,
      },
      args.runtime,
      // Its name in the first local stacks.
      withAliases({ parent: this }, { name: `app-${service.name}` }),
    );
  }
}

/** Differs between versions: a hash of everything whose change replaces the instances. */
function versionAlias(args: AppTierArgs): pulumi.Output<string> {
  const { runtime, environment, uvicornWorkers, services, writable, user } = args;
  const [first] = services;
  const plain = [uvicornWorkers, first?.module, first?.healthPath, first?.memoryMb, writable, app.confinement];
  // Instances of former versions of this program share a name and have none of their own.
  plain.push("own names");
  // Only where a stack sets them: with the defaults, an instance of the version before stays.
  if (first && first.port !== app.ports["http"]) plain.push(`port ${first.port}`);
  if (user !== undefined) plain.push(`user ${user}`);
  const parts = pulumi.all([runtime.image("app"), pulumi.output(environment)]);
  // A short hash reveals nothing of the secrets in it.
  return pulumi.unsecret(parts.apply((known) => `app-${digest([...known, ...plain])}`));
}

const digest = (value: unknown): string =>
  createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 12);

function uvicornCommand({ module, port }: AppService, workers: number): string[] {
  return [
    ...["uvicorn", module, "--host", "0.0.0.0", "--port", String(port), "--workers", String(workers)],
    // The port is open to the container network and loopback only, so every client is the edge or an operator.
    ...["--proxy-headers", "--forwarded-allow-ips", "*"],
    ...["--timeout-graceful-shutdown", String(drainSeconds)],
    ...["--timeout-keep-alive", String(appKeepsIdleSeconds), "--ws-ping-interval", "20"],
  ];
}
