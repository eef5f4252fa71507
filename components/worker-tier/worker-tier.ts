/** Celery on one machine: workers, and Beat and Flower where the plan has them. */
import { flowerPorts } from "../../topology/services/flower.ts";
import type { CeleryKind, CeleryService, WorkerService } from "../../topology/services/worker.ts";
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { flowerUser, workerStopSeconds } from "../../common/app-contract.ts";
import type { Service, ServiceOf } from "../../topology/service.ts";
import type { AppEnvironment } from "../app-tier/environment.ts";
import { type ContainerArgs, createContainer } from "../runtime/docker/container.ts";
import type { DockerRuntime } from "../runtime/docker/runtime.ts";
import {
  beatMaxInterval,
  beatProbe,
  celeryPidFile,
  httpProbe,
  whileItStarts,
  workerProbe,
} from "../runtime/docker/health.ts";
import { endsWarmly } from "./warm-shutdown.ts";
import { uploadDirectory } from "../storage/files-environment.ts";

export interface WorkerTierArgs {
  readonly runtime: DockerRuntime;
  /** The workers of the machine, and Beat and Flower if they run there. */
  readonly services: readonly ServiceOf<CeleryKind>[];
  /** The environment of each kind of process. */
  readonly environments: (process: CeleryKind) => AppEnvironment;
  /** Whether a new worker starts before the old one has completed its last task; Beat never runs twice. */
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
  /** Flower's password. @default - none: in development it listens on loopback */
  readonly flowerPassword?: pulumi.Input<string>;
}

/** Where Beat notes what it has sent: a folder that every image's user may write to. It is kept until the container is replaced. */
const beatSchedule = "/tmp/celerybeat-schedule";

export class WorkerTier extends pulumi.ComponentResource {
  constructor(name: string, args: WorkerTierArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:worker:WorkerTier", name, {}, opts);
    for (const service of args.services) this.#create(service, args);
    this.registerOutputs({});
  }

  #create(service: ServiceOf<CeleryKind>, args: WorkerTierArgs): docker.Container {
    switch (service.kind) {
      case "worker":
        return this.#createWorker(service, args);
      case "beat":
        return this.#createBeat(service, args);
      case "flower":
        return this.#createFlower(service, args);
    }
  }

  #createWorker(service: WorkerService, args: WorkerTierArgs): docker.Container {
    return createContainer(
      service.name,
      service,
      {
        image: "app",
        command: endsWarmly([
          ...[...service.command, "--loglevel=info", `--hostname=${service.name}@%h`],
          ...[`--queues=${service.queues.join(",")}`, `--concurrency=${service.concurrency}`],
          // Gossip sends every event to every worker, for consensus tasks that the platform does not have.
          ...["--without-gossip", `--pidfile=${celeryPidFile}`],
        ]),
        environment: args.environments("worker"),
        ...(args.uploads !== undefined && {
          volumes: [{ volumeName: args.uploads, containerPath: uploadDirectory }],
        }),
        writable: args.writable,
        ...(args.user !== undefined && { user: args.user }),
        ...(args.startSeconds !== undefined && { startSeconds: args.startSeconds }),
        ...(args.mounts && { mounts: args.mounts }),
        health: whileItStarts(workerProbe()),
        sideBySide: args.sideBySide,
        stopSeconds: workerStopSeconds,
      },
      args.runtime,
      { parent: this },
    );
  }

  /** One logical name on every machine, so that a move deletes the old Beat before it creates the new one. */
  #createBeat(service: CeleryService<"beat"> & Service, args: WorkerTierArgs): docker.Container {
    return createContainer(
      "workers-beat",
      service,
      {
        image: "app",
        command: [
          ...[...service.command, "--loglevel=info", `--schedule=${beatSchedule}`],
          ...[`--pidfile=${celeryPidFile}`, `--max-interval=${beatMaxInterval}`],
        ],
        environment: args.environments("beat"),
        writable: args.writable,
        ...(args.user !== undefined && { user: args.user }),
        ...(args.startSeconds !== undefined && { startSeconds: args.startSeconds }),
        ...(args.mounts && { mounts: args.mounts }),
        health: whileItStarts(beatProbe()),
        movesBetweenServers: true,
        stopSeconds: 10,
      },
      args.runtime,
      // Two Beats would schedule every task twice.
      { parent: this, deleteBeforeReplace: true },
    );
  }

  #createFlower(service: CeleryService<"flower"> & Service, args: WorkerTierArgs): docker.Container {
    return createContainer(
      "workers-flower",
      service,
      {
        image: "app",
        command: [...service.command, "--address=0.0.0.0", `--port=${flowerPorts.http}`],
        environment: {
          ...args.environments("flower"),
          // In the environment, because every user of the server can read command lines.
          ...(args.flowerPassword !== undefined && {
            FLOWER_BASIC_AUTH: pulumi.interpolate`${flowerUser}:${args.flowerPassword}`,
          }),
        },
        writable: args.writable,
        ...(args.user !== undefined && { user: args.user }),
        ...(args.startSeconds !== undefined && { startSeconds: args.startSeconds }),
        ...(args.mounts && { mounts: args.mounts }),
        health: whileItStarts(httpProbe(flowerPorts.http, "/healthcheck")),
        movesBetweenServers: true,
        stopSeconds: 10,
      },
      args.runtime,
      { parent: this },
    );
  }
}
