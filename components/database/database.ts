/** One PostgreSQL primary, or the tests' database. */
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Service } from "../../topology/service.ts";
import type { Topology } from "../../topology/topology.ts";
import type { Authority } from "../authority/authority.ts";
import { createPassword } from "../password.ts";
import { createContainer } from "../runtime/docker/container.ts";
import type { DockerRuntime } from "../runtime/docker/runtime.ts";
import { serviceVolume } from "../runtime/docker/service-volume.ts";
import { containerDataFolder } from "./data-folders.ts";
import { databaseName } from "./database-url.ts";
import { postgresContainer, withArchive } from "./postgres-container.ts";
import { PostgresFiles } from "./postgres-files.ts";
import {
  movableSettings,
  postgresSettings,
  settingArguments,
  throwawayDataMb,
  throwawaySettings,
} from "./postgres-settings.ts";
import { tlsCommand, tlsSettings } from "./postgres-tls.ts";
import { superuser } from "./role-names.ts";

export interface DatabaseArgs {
  readonly runtime: DockerRuntime;
  readonly service: Service;
  /** @default 100 */
  readonly maxConnections?: number;
  /** Whether logical replication can read its changes. @default false */
  readonly movable?: boolean;
  readonly data: DatabaseData;
  /** Who may log in from where, and the authority of its certificate. @default - the image's own rules, without TLS */
  readonly access?: {
    readonly topology: Topology;
    readonly authority: Authority;
    /** pgBackRest's configuration; a secret. @default - the server does not archive */
    readonly archive?: pulumi.Input<string> | undefined;
  };
  /** Whether the engine and the provider refuse to delete resources with data. @default true */
  readonly protection?: boolean;
}

/**
 * Where the data is. `volume`: in a Docker volume. `directory`: in an existing folder of the host, on a mounted Volume. Both
 * outlive the container. `memory`: lost with the container, for tests.
 */
export type DatabaseData =
  { readonly kind: "volume" | "memory" } | { readonly kind: "directory"; readonly path: string };

const passwordFile = "/etc/orion/postgres-password";

const isProtected = ({ protection = true }: Pick<DatabaseArgs, "protection">): boolean => protection;

/** Protected like the data that it gives access to. */
const createDatabasePassword = (name: string, protect: boolean, parent: pulumi.Resource): pulumi.Output<string> =>
  createPassword(`${name}-password`, 32, { parent, protect });

/** On a local Docker Engine its data is in a protected volume; that of the tests' database is in memory. */
export class Database extends pulumi.ComponentResource {
  constructor(name: string, args: DatabaseArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:database:Database", name, {}, opts);
    const password = createDatabasePassword(name, isProtected(args) && args.data.kind !== "memory", this);
    const volume =
      args.data.kind === "volume"
        ? serviceVolume(
            `${name}-data`,
            { ...args, part: "data", role: args.service.kind },
            { parent: this, protect: isProtected(args) },
          )
        : undefined;
    const files = args.access && new PostgresFiles(`${name}-files`, { ...args, ...args.access }, { parent: this });
    this.#createServer(name, args, password, volume, files);
    this.registerOutputs({});
  }

  #createServer(
    name: string,
    { runtime, service, maxConnections, movable = false, data, access }: DatabaseArgs,
    password: pulumi.Output<string>,
    volume: docker.Volume | undefined,
    files: PostgresFiles | undefined,
  ): docker.Container {
    const { memoryMb } = service;
    const server = { memoryMb, archive: access?.archive };
    const { environment, ...common } = postgresContainer(server);
    const settings = withArchive(
      {
        ...(data.kind === "memory" ? throwawaySettings(memoryMb) : postgresSettings(memoryMb, maxConnections)),
        ...(movable && movableSettings),
        ...(files && tlsSettings),
      },
      server,
    );
    const volumes = [
      ...(volume ? [{ volumeName: volume.name, containerPath: containerDataFolder }] : []),
      ...(files ? [files.volume] : []),
    ];
    return createContainer(
      `${name}-server`,
      service,
      {
        ...common,
        entrypointReadsCommand: true,
        command: files ? tlsCommand(settings) : ["postgres", ...settingArguments(settings)],
        environment: {
          POSTGRES_USER: superuser,
          POSTGRES_DB: databaseName,
          POSTGRES_PASSWORD_FILE: passwordFile,
          // Read by the first start only: a damaged page is then noticed when it is read.
          POSTGRES_INITDB_ARGS: "--data-checksums",
          ...environment,
          ...(data.kind === "memory" && { PGDATA: `${containerDataFolder}/pgdata` }),
        },
        files: [{ file: passwordFile, content: password, permissions: "0444" }],
        ...(volumes.length > 0 && { volumes }),
        ...(data.kind === "directory" && { mounts: [{ source: data.path, target: containerDataFolder }] }),
        ...(data.kind === "memory" && { tmpfs: { [containerDataFolder]: `rw,size=${throwawayDataMb(memoryMb)}m` } }),
      },
      runtime,
      { parent: this, ...(files && { dependsOn: files }) },
    );
  }
}

/**
 * What remains of a {@link Database} after its replica was promoted: the resource of the superuser's password, under the type and
 * name of the {@link Database}.
 */
export class PromotedDatabase extends pulumi.ComponentResource {
  constructor(name: string, args: Pick<DatabaseArgs, "protection">, opts?: pulumi.ComponentResourceOptions) {
    super("orion:database:Database", name, {}, opts);
    createDatabasePassword(name, isProtected(args), this);
    this.registerOutputs({});
  }
}
