import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { containerPorts } from "../../topology/plan.ts";
import { physicalName } from "../../topology/naming.ts";
import { type Service } from "../../topology/types.ts";
import { createContainer, dockerLabels } from "../container.ts";
import { type DockerPlace } from "../host/docker-place.ts";
import { createPassword } from "../password.ts";
import { postgresSettings, settingArguments, throwawaySettings } from "./postgres-settings.ts";

/** Names that the platform's own guide and its tools use. */
export const databaseName = "orion_db";
export const databaseUser = "orion_user";

export interface DatabaseArgs {
  readonly place: DockerPlace;
  readonly service: Service;
  /** Memory that PostgreSQL is tuned for, in MiB. */
  readonly memoryMb: number;
  /** `volume`: data that must survive anything. `memory`: gone with the container, for tests. */
  readonly data: "volume" | "memory";
}

const dataDirectory = "/var/lib/postgresql/data";
const passwordFile = "/etc/orion/postgres-password";

/** One PostgreSQL server with a password of its own and, unless it is for tests, a protected volume. */
export class Database extends pulumi.ComponentResource {
  /** `postgresql://` URL from inside the container network; a secret. */
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: DatabaseArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:database:Database", name, {}, opts);
    // As lasting as the data that it opens.
    const password = createPassword(`${name}-password`, 32, { parent: this, protect: args.data === "volume" });
    const volume = args.data === "volume" ? this.#createVolume(name, args) : undefined;
    this.#createServer(name, args, password, volume);

    // Of what it says alone, not of the container: a server that is made anew leaves everything that connects to it as it is.
    this.url = pulumi.secret(
      pulumi.interpolate`postgresql://${databaseUser}:${password}@${args.service.name}:${containerPorts.database}/${databaseName}`,
    );
    this.registerOutputs({ url: this.url });
  }

  #createVolume(name: string, { place, service }: DatabaseArgs): docker.Volume {
    return new docker.Volume(
      `${name}-data`,
      {
        name: physicalName(place.naming, `${service.name}-data`),
        labels: dockerLabels(place.naming, service.kind),
      },
      { ...place.options(this), protect: true },
    );
  }

  #createServer(
    name: string,
    { place, service, memoryMb, data }: DatabaseArgs,
    password: pulumi.Output<string>,
    volume: docker.Volume | undefined,
  ): docker.Container {
    const settings = data === "memory" ? throwawaySettings(memoryMb) : postgresSettings(memoryMb);
    return createContainer(
      `${name}-server`,
      service,
      {
        image: "postgres",
        command: ["postgres", ...settingArguments(settings)],
        environment: {
          POSTGRES_USER: databaseUser,
          POSTGRES_DB: databaseName,
          POSTGRES_PASSWORD_FILE: passwordFile,
          // For whoever looks in: a plain `psql` in the container is at the right database.
          PGUSER: databaseUser,
          PGDATABASE: databaseName,
          PGDATA: data === "memory" ? `${dataDirectory}/pgdata` : dataDirectory,
        },
        files: [{ file: passwordFile, content: password, permissions: "0444" }],
        ...(volume && { volumes: [{ volumeName: volume.name, containerPath: dataDirectory }] }),
        ...(data === "memory" && { tmpfs: { [dataDirectory]: "rw,size=1g" } }),
        health: {
          // Over TCP: the server of the first initialisation listens on its socket only, and is not to be trusted yet.
          command: ["pg_isready", "-h", "127.0.0.1", "-U", databaseUser, "-d", databaseName],
          intervalSeconds: 2,
          timeoutSeconds: 5,
          retries: 15,
        },
        // What it is tuned for, and as much again for connections and maintenance.
        memoryMb: memoryMb * 2,
        shmMb: Math.max(64, Math.floor(memoryMb / 4)),
        stopSeconds: 60,
      },
      place,
      { parent: this },
    );
  }
}
