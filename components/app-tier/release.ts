/** The release: database migrations, then the initialisation script; both must succeed before a new version starts. */
import type { ReleaseService } from "../../topology/services/release.ts";
import { imageConfinement } from "../../topology/services/image.ts";
import * as pulumi from "@pulumi/pulumi";
import type { DockerRuntime } from "../runtime/docker/runtime.ts";
import type { AppEnvironment } from "./environment.ts";
import { Task, type TaskArgs } from "../runtime/docker/task.ts";

export interface ReleaseArgs {
  readonly runtime: DockerRuntime;
  readonly service: ReleaseService;
  readonly environment: AppEnvironment;
  /** Folders that the image writes to, beside those of every image. */
  readonly writable: readonly string[];
  /** User that the image runs as. @default - the image's own */
  readonly user?: string;
  /** Volumes as `source:/path`. @default - none */
  readonly volumes?: readonly string[];
  /** Whether the database is migrated; an image older than the data has no migration to it. @default true */
  readonly migrate?: boolean;
}

const migrationTimeoutSeconds = 900;
const initTimeoutSeconds = 300;

export class Release extends pulumi.ComponentResource {
  constructor(name: string, args: ReleaseArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:app:Release", name, {}, opts);
    const { container, migrate, initialise, memoryMb } = args.service;
    const common = {
      ...{ runtime: args.runtime, image: "app" as const, environment: args.environment, memoryMb },
      ...{ volumes: args.volumes ?? [], writable: [...imageConfinement.writable, ...args.writable] },
      ...(args.user !== undefined && { user: args.user }),
    };
    const isMigrated = (args.migrate ?? true) && migrate.length > 0;
    const migrations = isMigrated ? [this.#createMigration(name, args.service, common)] : [];
    if (initialise.length > 0) {
      new Task(
        `${name}-init`,
        {
          ...{ ...common, container: `${container}-init` },
          ...{ command: [...initialise], timeoutSeconds: initTimeoutSeconds },
        },
        { parent: this, dependsOn: migrations },
      );
    }
    this.registerOutputs({});
  }

  #createMigration(
    name: string,
    { container, migrate }: ReleaseService,
    common: Pick<TaskArgs, "runtime" | "image" | "environment" | "volumes" | "memoryMb" | "writable" | "user">,
  ): Task {
    return new Task(
      `${name}-migrate`,
      {
        ...common,
        container: `${container}-migrate`,
        command: [...migrate],
        timeoutSeconds: migrationTimeoutSeconds,
      },
      { parent: this },
    );
  }
}
