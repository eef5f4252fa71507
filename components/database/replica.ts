import * as pulumi from "@pulumi/pulumi";
import type { Service } from "../../topology/service.ts";
import type { DockerRuntime } from "../runtime/docker/runtime.ts";
import { Task } from "../runtime/docker/task.ts";
import { createContainer } from "../runtime/docker/container.ts";
import { createPassword } from "../password.ts";
import { dataDirectory, databaseName, databaseUrl, databaseUser, postgresContainer } from "./database.ts";
import { postgresSettings } from "./postgres-settings.ts";
import { hbaFile, hbaRules, tlsSettings } from "./postgres-tls.ts";
import {
  admissionScript,
  dismissalScript,
  passwordsFile,
  passwordsText,
  replicaCommand,
  replicaSettings,
  slotOf,
} from "./replication.ts";
import { ServerCertificate } from "./server-certificate.ts";

export interface ReplicaArgs {
  readonly runtime: DockerRuntime;
  readonly service: Service;
  /** Host and port for clients. */
  readonly address: string;
  /** Folder of the host with its data, on a mounted Volume. */
  readonly path: string;
  /** At least the primary's value: a standby with less does not start. */
  readonly maxConnections: number;
  /** Password of the platform's user; the same on all servers. */
  readonly databasePassword: pulumi.Output<string>;
  /** Host and port of the server that it replicates; on a promoted replica, of its former primary. */
  readonly source: string;
  /** The primary to register with (role and slot). @default - none: a promoted replica */
  readonly primary?: { readonly runtime: DockerRuntime; readonly service: Service };
}

const taskTimeoutSeconds = 120;

/**
 * A PostgreSQL server that replicates another one by streaming, to read from.
 *
 * The primary only gets a role and a replication slot, by SQL: its container and settings do not change. Replication is
 * asynchronous: a write that was just acknowledged may be missing on the replica.
 *
 * A promoted replica keeps its container and the settings of a replica: they apply only during recovery, and its start
 * command deletes no data.
 */
export class Replica extends pulumi.ComponentResource {
  /** `postgresql://` URL; a secret. */
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: ReplicaArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:database:Replica", name, {}, opts);
    const password = createPassword(`${name}-password`, 32, { parent: this });
    const { primary } = args;
    const admission = primary && this.#createAdmission(name, args, primary, password);
    this.#createServer(name, args, password, admission);
    this.url = databaseUrl(args.databasePassword, args.address, true);
    this.registerOutputs({ url: this.url });
  }

  /** Creates role and slot at the primary. They are deleted with the replica, or the slot would retain WAL for ever. */
  #createAdmission(
    name: string,
    args: ReplicaArgs,
    { runtime, service }: NonNullable<ReplicaArgs["primary"]>,
    password: pulumi.Output<string>,
  ): Task {
    return new Task(
      `${name}-admission`,
      {
        runtime,
        image: "postgres",
        container: `${service.container}-${args.service.name}`,
        command: ["sh", "-c", admissionScript(args.service.name)],
        removal: ["sh", "-c", dismissalScript(args.service.name)],
        environment: {
          PGHOST: service.name,
          PGUSER: databaseUser,
          PGDATABASE: databaseName,
          PGPASSWORD: args.databasePassword,
          PGSSLMODE: "require",
          REPLICATION_PASSWORD: password,
        },
        timeoutSeconds: taskTimeoutSeconds,
      },
      { parent: this },
    );
  }

  #createServer(name: string, args: ReplicaArgs, password: pulumi.Output<string>, admission: Task | undefined): void {
    const { runtime, service, maxConnections, path } = args;
    const { memoryMb } = service;
    const certificate = new ServerCertificate(`${name}-tls`, { parent: this });
    const [host = "", port = ""] = args.source.split(":");
    const source = { host, port, slot: slotOf(service.name) };
    const settings = { ...postgresSettings(memoryMb, maxConnections), ...tlsSettings, ...replicaSettings(source) };
    createContainer(
      `${name}-server`,
      service,
      {
        ...postgresContainer(memoryMb),
        command: replicaCommand(source, settings),
        environment: { PGUSER: databaseUser, PGDATABASE: databaseName, PGDATA: dataDirectory },
        files: [
          ...certificate.files,
          { file: hbaFile, content: hbaRules, permissions: "0444" },
          {
            file: passwordsFile,
            content: pulumi.secret(password.apply((secret) => passwordsText(source, secret))),
            permissions: "0400",
          },
        ],
        mounts: [{ source: path, target: dataDirectory }],
      },
      runtime,
      { parent: this, ...(admission && { dependsOn: admission }) },
    );
  }
}
