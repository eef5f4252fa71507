import { formerly } from "../former.ts";
import { appPorts } from "../../topology/services/app.ts";
import { createHash } from "node:crypto";
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Service } from "../../topology/service.ts";
import { createContainer } from "../runtime/docker/container.ts";
import { httpProbe } from "../runtime/docker/health.ts";
import type { DockerRuntime } from "../runtime/docker/runtime.ts";
import { uploadDirectory } from "../storage/storage.ts";
import type { AppEnvironment } from "./environment.ts";

export interface AppTierArgs {
  readonly place: DockerRuntime;
  /** One container for each. */
  readonly services: readonly Service[];
  readonly environment: AppEnvironment;
  /** Uvicorn processes in each container. */
  readonly uvicornWorkers: number;
  /** Whether a new version's instances are there and healthy before the old ones go; then none may publish a port. */
  readonly sideBySide: boolean;
  /** The uploads volume of local storage. @default - files are not kept locally */
  readonly uploads?: pulumi.Input<string>;
}

/** Requests that run get this long to end; the container gets a little longer. */
const drainSeconds = 30;

/** The FastAPI application: one Uvicorn container per instance, all under one name. */
export class AppTier extends pulumi.ComponentResource {
  /**
   * The name in the container network under which every instance of this version is found, and none of another. Whoever
   * sends requests there depends on the instances, so that a version that does not get healthy never gets any.
   */
  readonly alias: pulumi.Output<string>;
  readonly instances: readonly docker.Container[];

  constructor(name: string, args: AppTierArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:app:AppTier", name, {}, opts);
    this.alias = versionAlias(args);
    this.instances = args.services.map((service) => this.#createInstance(service, args));
    this.registerOutputs({});
  }

  #createInstance(service: Service, args: AppTierArgs): docker.Container {
    return createContainer(
      service.name,
      service,
      {
        image: "app",
        command: uvicornCommand(args.uvicornWorkers),
        environment: { ...args.environment, INSTANCE_NAME: service.name },
        aliases: [this.alias],
        sideBySide: args.sideBySide,
        ...(args.uploads !== undefined && {
          volumes: [{ volumeName: args.uploads, containerPath: uploadDirectory }],
        }),
        health: httpProbe(appPorts.http, "/health"),
        stopSeconds: drainSeconds + 5,
      },
      args.place,
      // Its name in the first local stacks.
      formerly({ parent: this }, { name: `app-${service.name}` }),
    );
  }
}

/** Differs with everything that makes a new version of the instances. */
function versionAlias({ place, environment, uvicornWorkers, services }: AppTierArgs): pulumi.Output<string> {
  const parts = pulumi.all([place.image("app"), pulumi.output(environment)]);
  // What is left of the secrets among them tells nobody anything.
  return pulumi.unsecret(parts.apply((known) => `app-${digest([...known, uvicornWorkers, services[0]?.memoryMb])}`));
}

const digest = (value: unknown): string =>
  createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 12);

function uvicornCommand(workers: number): string[] {
  return [
    ...["uvicorn", "main:app", "--host", "0.0.0.0", "--port", String(appPorts.http), "--workers", String(workers)],
    // The port is open to the container network and to loopback alone, so whoever connects is the edge or its operator.
    ...["--proxy-headers", "--forwarded-allow-ips", "*"],
    ...["--timeout-graceful-shutdown", String(drainSeconds)],
    // Longer than the edge keeps a connection, so that it is never the app that closes one under a request.
    ...["--timeout-keep-alive", "75", "--ws-ping-interval", "20"],
  ];
}
