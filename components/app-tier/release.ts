import * as pulumi from "@pulumi/pulumi";
import { type Service } from "../../topology/types.ts";
import { type DockerPlace } from "../host/docker-place.ts";
import { type AppEnvironment } from "./environment.ts";
import { Task } from "./task.ts";

export interface ReleaseArgs {
  readonly place: DockerPlace;
  readonly service: Service;
  readonly environment: AppEnvironment;
}

const migrationTimeoutSeconds = 900;
const initTimeoutSeconds = 300;

/** What must be done before a new version may run: database migrations, then the script that initialises production. */
export class Release extends pulumi.ComponentResource {
  constructor(name: string, args: ReleaseArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:app:Release", name, {}, opts);
    const common = { place: args.place, image: "app", environment: args.environment };
    const migration = new Task(
      `${name}-migrate`,
      {
        ...common,
        container: `${args.service.container}-migrate`,
        command: ["alembic", "upgrade", "head"],
        timeoutSeconds: migrationTimeoutSeconds,
      },
      { parent: this },
    );
    new Task(
      `${name}-init`,
      {
        ...common,
        container: `${args.service.container}-init`,
        command: ["python", "scripts/seed/init_production.py"],
        timeoutSeconds: initTimeoutSeconds,
      },
      { parent: this, dependsOn: migration },
    );
    this.registerOutputs({});
  }
}
