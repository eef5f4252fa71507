import { postgresPorts } from "../../topology/services/postgres.ts";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { physicalName } from "../../topology/naming.ts";
import type { Service } from "../../topology/service.ts";
import { createPassword } from "../password.ts";
import { hbaFile, hbaRules, tlsCommand, tlsSettings } from "./postgres-tls.ts";
import { createContainer } from "../runtime/docker/container.ts";
import { postgresProbe } from "../runtime/docker/health.ts";
import { dockerLabels } from "../runtime/docker/labels.ts";
import type { DockerRuntime } from "../runtime/docker/runtime.ts";
import { postgresSettings, settingArguments, throwawaySettings } from "./postgres-settings.ts";
import { ServerCertificate } from "./server-certificate.ts";

/** Names that the platform's guide and its tools use. */
export const databaseName = "orion_db";
export const databaseUser = "orion_user";

export interface DatabaseArgs {
  readonly runtime: DockerRuntime;
  readonly service: Service;
  /** @default 100 */
  readonly maxConnections?: number;
  readonly data: DatabaseData;
  /** Host and port for clients. @default - the service's name in the container network */
  readonly address?: string;
  /** Whether clients have to speak TLS. @default false */
  readonly tls?: boolean;
  /** Whether the engine and the provider refuse to delete resources with data. @default true */
  readonly protection?: boolean;
}

/**
 * Where the data is. `volume`: in a Docker volume. `directory`: in an existing folder of the host, on a mounted Volume. Both
 * outlive the container. `memory`: lost with the container, for tests.
 */
export type DatabaseData =
  { readonly kind: "volume" | "memory" } | { readonly kind: "directory"; readonly path: string };

export const dataDirectory = "/var/lib/postgresql/data";
const passwordFile = "/etc/orion/postgres-password";

/** URL of the platform's database at a host and port; a secret. */
export const databaseUrl = (password: pulumi.Input<string>, address: string, tls: boolean): pulumi.Output<string> =>
  pulumi.secret(
    pulumi.interpolate`postgresql://${databaseUser}:${password}@${address}/${databaseName}${tls ? "?sslmode=require" : ""}`,
  );

/** The common arguments of all PostgreSQL containers. */
export const postgresContainer = (memoryMb: number) => ({
  image: "postgres" as const,
  health: postgresProbe(databaseUser, databaseName),
  shmMb: Math.max(64, Math.floor(memoryMb / 4)),
  stopSeconds: 60,
});

const isProtected = ({ protection = true }: Pick<DatabaseArgs, "protection">): boolean => protection;

/** Protected like the data that it gives access to. */
const createDatabasePassword = (name: string, protect: boolean, parent: pulumi.Resource): pulumi.Output<string> =>
  createPassword(`${name}-password`, 32, { parent, protect });

/** One PostgreSQL server with its own password and, unless it is for tests, a protected volume. */
export class Database extends pulumi.ComponentResource {
  /** `postgresql://` URL from inside the container network; a secret. */
  readonly url: pulumi.Output<string>;
  /** Password of the platform's user; a secret. */
  readonly password: pulumi.Output<string>;

  constructor(name: string, args: DatabaseArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:database:Database", name, {}, opts);
    this.password = createDatabasePassword(name, isProtected(args) && args.data.kind !== "memory", this);
    const volume = args.data.kind === "volume" ? this.#createVolume(name, args) : undefined;
    const certificate = args.tls === true ? new ServerCertificate(`${name}-tls`, { parent: this }) : undefined;
    this.#createServer(name, args, volume, certificate);

    // Built from arguments, not from the container, so that replacing the container changes no client.
    const address = args.address ?? `${args.service.name}:${postgresPorts.postgres}`;
    this.url = databaseUrl(this.password, address, certificate !== undefined);
    this.registerOutputs({ url: this.url });
  }

  #createVolume(name: string, args: DatabaseArgs): docker.Volume {
    const { runtime, service } = args;
    return new docker.Volume(
      `${name}-data`,
      {
        name: physicalName(runtime.naming, `${service.name}-data`),
        labels: dockerLabels(runtime.naming, service.kind),
      },
      { ...runtime.options(this), protect: isProtected(args) },
    );
  }

  #createServer(
    name: string,
    { runtime, service, maxConnections, data }: DatabaseArgs,
    volume: docker.Volume | undefined,
    certificate: ServerCertificate | undefined,
  ): docker.Container {
    const { memoryMb } = service;
    const settings = {
      ...(data.kind === "memory" ? throwawaySettings(memoryMb) : postgresSettings(memoryMb, maxConnections)),
      ...(certificate && tlsSettings),
    };
    return createContainer(
      `${name}-server`,
      service,
      {
        ...postgresContainer(memoryMb),
        entrypointReadsCommand: true,
        command: certificate ? tlsCommand(settings) : ["postgres", ...settingArguments(settings)],
        environment: {
          POSTGRES_USER: databaseUser,
          POSTGRES_DB: databaseName,
          POSTGRES_PASSWORD_FILE: passwordFile,
          // For operators: a plain `psql` in the container connects to the right database.
          PGUSER: databaseUser,
          PGDATABASE: databaseName,
          PGDATA: data.kind === "memory" ? `${dataDirectory}/pgdata` : dataDirectory,
        },
        files: [
          { file: passwordFile, content: this.password, permissions: "0444" },
          ...(certificate?.files ?? []),
          ...(certificate ? [{ file: hbaFile, content: hbaRules, permissions: "0444" }] : []),
        ],
        ...(volume && { volumes: [{ volumeName: volume.name, containerPath: dataDirectory }] }),
        ...(data.kind === "directory" && { mounts: [{ source: data.path, target: dataDirectory }] }),
        ...(data.kind === "memory" && { tmpfs: { [dataDirectory]: "rw,size=1g" } }),
      },
      runtime,
      { parent: this },
    );
  }
}

/**
 * What remains of a {@link Database} after its replica was promoted: the password, which the replica has with the data. It
 * has the type and name of the {@link Database}, so that the engine keeps the password's resource.
 */
export class PromotedDatabase extends pulumi.ComponentResource {
  /** Password of the platform's user; a secret. */
  readonly password: pulumi.Output<string>;

  constructor(name: string, args: Pick<DatabaseArgs, "protection">, opts?: pulumi.ComponentResourceOptions) {
    super("orion:database:Database", name, {}, opts);
    this.password = createDatabasePassword(name, isProtected(args), this);
    this.registerOutputs({});
  }
}
