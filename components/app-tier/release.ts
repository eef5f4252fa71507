import { initialiseCommand, migrateCommand } from "../../topology/services/release.ts";
import * as pulumi from "@pulumi/pulumi";
import type { Service } from "../../topology/service.ts";
import type { DockerRuntime } from "../runtime/docker/runtime.ts";
import type { AppEnvironment } from "./environment.ts";
import { Task, type TaskArgs } from "../runtime/docker/task.ts";

export interface ReleaseArgs {
  readonly place: DockerRuntime;
  readonly service: Service;
  readonly environment: AppEnvironment;
  /** Whether the database is brought to the version of the image; an older image than that of the data cannot. @default true */
  readonly migrate?: boolean;
}

const migrationTimeoutSeconds = 900;
const initTimeoutSeconds = 300;

/** What must be done before a new version may run: database migrations, then the script that initialises production. */
export class Release extends pulumi.ComponentResource {
  constructor(name: string, args: ReleaseArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:app:Release", name, {}, opts);
    const common = { place: args.place, image: "app" as const, environment: args.environment };
    const { container } = args.service;
    const migrations = (args.migrate ?? true) ? [this.#createMigration(name, container, common)] : [];
    new Task(
      `${name}-init`,
      {
        ...common,
        container: `${container}-init`,
        command: [...initialiseCommand],
        timeoutSeconds: initTimeoutSeconds,
      },
      { parent: this, dependsOn: migrations },
    );
    this.registerOutputs({});
  }

  #createMigration(name: string, container: string, common: Pick<TaskArgs, "place" | "image" | "environment">): Task {
    return new Task(
      `${name}-migrate`,
      {
        ...common,
        container: `${container}-migrate`,
        command: [...migrateCommand],
        timeoutSeconds: migrationTimeoutSeconds,
      },
      { parent: this },
    );
  }
}
