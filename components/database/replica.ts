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
  readonly place: DockerRuntime;
  readonly service: Service;
  /** Host and port where clients find it. */
  readonly address: string;
  /** Folder of the host with its data: that of a mounted Volume. */
  readonly path: string;
  /** At least that of the primary: a standby with fewer does not start. */
  readonly maxConnections: number;
  /** Of the platform's user; the same on all servers. */
  readonly databasePassword: pulumi.Output<string>;
  /** Host and port of the server that it has its data from. */
  readonly source: string;
  /** Where it asks to be let in, on the server with that. @default - nowhere: it follows nobody any more */
  readonly primary?: { readonly place: DockerRuntime; readonly service: Service };
}

const taskTimeoutSeconds = 120;

/**
 * A PostgreSQL server that follows another one, to read from.
 *
 * The other one only gets a role and a replication slot, by SQL: neither its container nor its settings are touched. It is
 * asynchronous: what was acknowledged a moment ago may not be there yet.
 *
 * One that has been promoted stays the container that it is, with the settings by which it followed: they are for a server
 * in recovery alone, and its start takes no data away.
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

  /** The role and the slot at the primary; with the replica they go, or the primary would keep everything for it. */
  #createAdmission(
    name: string,
    args: ReplicaArgs,
    { place, service }: NonNullable<ReplicaArgs["primary"]>,
    password: pulumi.Output<string>,
  ): Task {
    return new Task(
      `${name}-admission`,
      {
        place,
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
    const { place, service, maxConnections, path } = args;
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
      place,
      { parent: this, ...(admission && { dependsOn: admission }) },
    );
  }
}
