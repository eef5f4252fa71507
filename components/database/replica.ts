/** A streaming replica of PostgreSQL, to read from. */
import * as pulumi from "@pulumi/pulumi";
import type { Service } from "../../topology/service.ts";
import type { Topology } from "../../topology/topology.ts";
import type { Authority } from "../authority/authority.ts";
import { withAliases } from "../aliases.ts";
import { createContainer } from "../runtime/docker/container.ts";
import type { DockerRuntime } from "../runtime/docker/runtime.ts";
import { SqlScript } from "../runtime/docker/sql-script.ts";
import { containerDataFolder } from "./data-folders.ts";
import { postgresContainer, withArchive } from "./postgres-container.ts";
import { PostgresFiles } from "./postgres-files.ts";
import { movableSettings, postgresSettings } from "./postgres-settings.ts";
import { tlsSettings } from "./postgres-tls.ts";
import {
  createSlotScript,
  dropSlotScript,
  passwordsText,
  replicaCommand,
  replicaSettings,
  slotOf,
} from "./replication.ts";

export interface ReplicaArgs {
  readonly runtime: DockerRuntime;
  readonly service: Service;
  /** Says which services connect from where. */
  readonly topology: Topology;
  /** Signs its certificate, and has signed its primary's. */
  readonly authority: Authority;
  /** Folder of the host with its data, on a mounted Volume. */
  readonly path: string;
  /** At least the primary's value: a standby with less does not start. */
  readonly maxConnections: number;
  /** Whether logical replication can read its changes once it is promoted. @default false */
  readonly movable?: boolean;
  /** Host and port of the server that it replicates; on a promoted replica, of its former primary. */
  readonly source: string;
  /** pgBackRest's configuration, which it uses once it is the primary; a secret. @default - the database does not archive */
  readonly archive?: pulumi.Input<string> | undefined;
  /** Password of the replication role. @default - none: a promoted replica */
  readonly replicationPassword?: pulumi.Output<string>;
  /** The primary, which keeps a slot for it. @default - none: a promoted replica */
  readonly primary?: { readonly runtime: DockerRuntime; readonly service: Service };
}

const scriptTimeoutSeconds = 120;

/**
 * The primary only gets a replication slot, by SQL: its container and settings do not change. Roles and their passwords come
 * with the data. Replication is asynchronous: a write that was just acknowledged may be missing on the replica.
 *
 * A promoted replica keeps its container and the settings of a replica: they apply only during recovery, and its start
 * command deletes no data.
 */
export class Replica extends pulumi.ComponentResource {
  constructor(name: string, args: ReplicaArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:database:Replica", name, {}, opts);
    const { primary } = args;
    const slot = primary && this.#createSlot(name, args, primary);
    const files = this.#createFiles(name, args);
    this.#createServer(name, args, files, slot);
    this.registerOutputs({});
  }

  /** Creates the slot at the primary. It is deleted with the replica, or it would retain WAL for ever. */
  #createSlot(
    name: string,
    { service: { name: replica } }: ReplicaArgs,
    { runtime, service }: NonNullable<ReplicaArgs["primary"]>,
  ): SqlScript {
    return new SqlScript(
      `${name}-admission`,
      {
        ...{ runtime, container: service.container, timeoutSeconds: scriptTimeoutSeconds },
        script: createSlotScript,
        variables: { slot: slotOf(replica) },
        removal: dropSlotScript,
      },
      // In the version before it logged in over the network, from a container of its own.
      withAliases({ parent: this }, { type: "orion:index:Task" }),
    );
  }

  #createFiles(name: string, args: ReplicaArgs): PostgresFiles {
    const { replicationPassword } = args;
    const passwords = replicationPassword?.apply((secret) => passwordsText(sourceOf(args), secret));
    return new PostgresFiles(
      `${name}-files`,
      { ...args, ...(passwords && { passwords: pulumi.secret(passwords) }) },
      { parent: this },
    );
  }

  #createServer(name: string, args: ReplicaArgs, files: PostgresFiles, slot: SqlScript | undefined): void {
    const { runtime, service, maxConnections, movable = false, path, archive } = args;
    const { memoryMb } = service;
    const server = { memoryMb, archive };
    const source = sourceOf(args);
    const own = { ...postgresSettings(memoryMb, maxConnections), ...(movable && movableSettings), ...tlsSettings };
    const settings = withArchive({ ...own, ...replicaSettings(source) }, server);
    createContainer(
      `${name}-server`,
      service,
      {
        ...postgresContainer(server),
        command: replicaCommand(source, settings),
        volumes: [files.volume],
        mounts: [{ source: path, target: containerDataFolder }],
      },
      runtime,
      { parent: this, dependsOn: [files, ...(slot ? [slot] : [])] },
    );
  }
}

function sourceOf({ source, service }: Pick<ReplicaArgs, "source" | "service">) {
  const [host = "", port = ""] = source.split(":");
  return { host, port, slot: slotOf(service.name) };
}
