/** pgBackRest's server beside a replica, from which base backups read. */
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Service } from "../../topology/service.ts";
import type { Authority } from "../authority/authority.ts";
import { createContainer } from "../runtime/docker/container.ts";
import { backrestProbe } from "../runtime/docker/health.ts";
import { filesLabel } from "../runtime/docker/labels.ts";
import { LiveFiles } from "../runtime/docker/live-files.ts";
import type { DockerRuntime } from "../runtime/docker/runtime.ts";
import { serviceVolume } from "../runtime/docker/service-volume.ts";
import { containerDataFolder } from "./data-folders.ts";
import {
  loginText,
  replicaFilesAccess,
  replicaFilesCommand,
  replicaFilesConfiguration,
  replicaFilesDirectory,
  replicaFilesEnvironment,
  replicaFilesNames,
  replicaFilesUser,
} from "./replica-files-config.ts";

export interface ReplicaFilesArgs {
  readonly runtime: DockerRuntime;
  readonly service: Service;
  /** Signs its certificate, and has signed the replica's. */
  readonly authority: Authority;
  /** Name of the replica in the container network. */
  readonly replica: string;
  /** Folder of the host with the replica's data. */
  readonly path: string;
  /** Password of the role that takes backups; a secret. */
  readonly password: pulumi.Output<string>;
}

/**
 * The primary's server takes the base backups. pgBackRest reads the folder with the data and writes nothing there. It lets in who
 * has the archive's client certificate (postgres-files.ts), and has no credentials of the object storage.
 */
export class ReplicaFiles extends pulumi.ComponentResource {
  constructor(name: string, args: ReplicaFilesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:database:ReplicaFiles", name, {}, opts);
    const volume = serviceVolume(`${name}-files`, { ...args, part: "files", role: filesLabel }, { parent: this });
    const files = this.#createFiles(name, args, volume);
    this.#createServer(name, args, volume, files);
    this.registerOutputs({});
  }

  #createFiles(name: string, args: ReplicaFilesArgs, volume: docker.Volume): LiveFiles {
    const { runtime, service, authority, replica, password } = args;
    const ipAddresses = service.published.map(({ address }) => address);
    // pgBackRest before 2.53 compares an address with names alone.
    const { certificate, privateKey } = authority.sign(
      `${name}-tls`,
      { dnsNames: [service.name, ...ipAddresses], ipAddresses },
      { parent: this },
    );
    return new LiveFiles(
      `${name}-config`,
      {
        ...{ runtime, image: "database", volume: volume.name, directory: replicaFilesDirectory },
        files: {
          [replicaFilesNames.configuration]: replicaFilesConfiguration,
          [replicaFilesNames.login]: pulumi.secret(password.apply((known) => loginText(replica, known))),
          [replicaFilesNames.certificate]: certificate,
          [replicaFilesNames.key]: privateKey,
          [replicaFilesNames.authority]: authority.certificate,
        },
        ...replicaFilesAccess,
        container: service.container,
      },
      { parent: this },
    );
  }

  #createServer(name: string, args: ReplicaFilesArgs, volume: docker.Volume, files: LiveFiles): void {
    const { runtime, service, path } = args;
    createContainer(
      `${name}-server`,
      service,
      {
        ...{ image: "database", command: replicaFilesCommand, user: replicaFilesUser },
        environment: replicaFilesEnvironment,
        volumes: [{ volumeName: volume.name, containerPath: replicaFilesDirectory, readOnly: true }],
        mounts: [{ source: path, target: containerDataFolder, readOnly: true }],
        health: backrestProbe,
        stopSeconds: 5,
      },
      runtime,
      { parent: this, dependsOn: files },
    );
  }
}
