import { flowerPorts } from "../../topology/services/flower.ts";
import { celery as celeryCommand, type WorkerService } from "../../topology/services/worker.ts";
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { flowerUser } from "../../common/app-contract.ts";
import type { Service } from "../../topology/service.ts";
import type { AppEnvironment } from "../app-tier/environment.ts";
import { createContainer } from "../runtime/docker/container.ts";
import type { DockerRuntime } from "../runtime/docker/runtime.ts";
import { beatMaxInterval, beatProbe, celeryPidFile, httpProbe, workerProbe } from "../runtime/docker/health.ts";
import { uploadDirectory } from "../storage/storage.ts";

export interface WorkerTierArgs {
  readonly place: DockerRuntime;
  /** Workers, and Beat and Flower where they run. */
  readonly services: readonly Service[];
  readonly environment: AppEnvironment;
  /** Whether a new worker takes tasks before the old one ends its last; Beat is never there twice. */
  readonly sideBySide: boolean;
  /** The uploads volume of local storage. @default - files are not kept locally */
  readonly uploads?: pulumi.Input<string>;
  /** What Flower asks its visitors for. @default - nothing: in development it is on this machine's loopback */
  readonly flowerPassword?: pulumi.Input<string>;
}

const celery = celeryCommand.split(" ");

/**
 * A task that runs gets this long to end before its worker is killed: longer than any may take (CELERY_TASK_TIME_LIMIT,
 * 300 s). One that is cut off is not lost, but stays in the broker for hours before it runs again.
 */
const warmShutdownSeconds = 310;

/** Celery on one machine: workers of the queues; Beat and Flower, which the platform has once. */
export class WorkerTier extends pulumi.ComponentResource {
  constructor(name: string, args: WorkerTierArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:worker:WorkerTier", name, {}, opts);
    for (const service of args.services) {
      if (service.kind === "worker") this.#createWorker(service, args);
      if (service.kind === "beat") this.#createBeat(service, args);
      if (service.kind === "flower") this.#createFlower(service, args);
    }
    this.registerOutputs({});
  }

  #createWorker(service: WorkerService, args: WorkerTierArgs): docker.Container {
    return createContainer(
      service.name,
      service,
      {
        image: "app",
        command: [
          ...[...celery, "worker", "--loglevel=info", `--hostname=${service.name}@%h`],
          ...[`--queues=${service.queues.join(",")}`, `--concurrency=${service.concurrency}`],
          // Workers would tell each other of every event for elections that no task of the platform holds.
          ...["--without-gossip", `--pidfile=${celeryPidFile}`],
        ],
        environment: args.environment,
        ...(args.uploads !== undefined && {
          volumes: [{ volumeName: args.uploads, containerPath: uploadDirectory }],
        }),
        health: workerProbe(),
        sideBySide: args.sideBySide,
        stopSeconds: warmShutdownSeconds,
      },
      args.place,
      { parent: this },
    );
  }

  /** Under one logical name wherever it runs: where it was before, it goes before it comes. */
  #createBeat(service: Service, args: WorkerTierArgs): docker.Container {
    return createContainer(
      "workers-beat",
      service,
      {
        image: "app",
        command: [
          ...[...celery, "beat", "--loglevel=info", "--schedule=/app/run/celerybeat-schedule"],
          ...[`--pidfile=${celeryPidFile}`, `--max-interval=${beatMaxInterval}`],
        ],
        environment: args.environment,
        health: beatProbe(),
        stopSeconds: 10,
      },
      args.place,
      // Two at once would schedule everything twice.
      { parent: this, deleteBeforeReplace: true },
    );
  }

  #createFlower(service: Service, args: WorkerTierArgs): docker.Container {
    return createContainer(
      "workers-flower",
      service,
      {
        image: "app",
        command: [...celery, "flower", "--address=0.0.0.0", `--port=${flowerPorts.http}`],
        environment: {
          ...args.environment,
          // In the environment, since a command line is read by everybody on the server.
          ...(args.flowerPassword !== undefined && {
            FLOWER_BASIC_AUTH: pulumi.interpolate`${flowerUser}:${args.flowerPassword}`,
          }),
        },
        health: httpProbe(flowerPorts.http, "/healthcheck"),
        stopSeconds: 10,
      },
      args.place,
      { parent: this },
    );
  }
}
