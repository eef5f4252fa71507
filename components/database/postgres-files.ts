/** The live files of a PostgreSQL server: access rules, certificate, key, and the credentials that it connects with. */
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { servicesOf } from "../../topology/topology.ts";
import { clientsOf } from "../../topology/clients.ts";
import { gatewayHost } from "../../topology/services/gateway.ts";
import type { Service } from "../../topology/service.ts";
import type { Topology } from "../../topology/topology.ts";
import type { Authority } from "../authority/authority.ts";
import { filesLabel } from "../runtime/docker/labels.ts";
import { LiveFiles } from "../runtime/docker/live-files.ts";
import type { DockerRuntime } from "../runtime/docker/runtime.ts";
import { serviceVolume } from "../runtime/docker/service-volume.ts";
import { archiveFiles, pushScript } from "./archive-config.ts";
import { databaseName } from "./database-url.ts";
import { hbaText } from "./hba.ts";
import { imageOf } from "./postgres-container.ts";
import { archiveClient, archiveClientFiles } from "./replica-files-config.ts";
import { fileNames, filesDirectory, reloadFiles } from "./postgres-tls.ts";

export interface PostgresFilesArgs {
  readonly runtime: DockerRuntime;
  readonly service: Service;
  /** Says which services connect from where. */
  readonly topology: Topology;
  readonly authority: Authority;
  /** The password file of the replication role; a secret. @default - the server is no replica */
  readonly passwords?: pulumi.Input<string>;
  /** pgBackRest's configuration; a secret. @default - the server does not archive */
  readonly archive?: pulumi.Input<string> | undefined;
}

/** A change of the files is a reload, which ends no connection. */
export class PostgresFiles extends pulumi.ComponentResource {
  /** The volume with the files, for the container that reads them. */
  readonly volume: docker.types.input.ContainerVolume;

  constructor(name: string, args: PostgresFilesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:database:PostgresFiles", name, {}, opts);
    const { runtime, service, authority } = args;
    const purpose = { runtime, service, part: "files", role: filesLabel };
    const volume = serviceVolume(`${name}-volume`, purpose, { parent: this });
    const certificate = authority.sign(
      `${name}-tls`,
      // The gateway passes TLS on: its clients verify the server under the gateway's name.
      { dnsNames: [service.name, gatewayHost], ipAddresses: service.published.map(({ address }) => address) },
      { parent: this },
    );
    new LiveFiles(
      `${name}-live`,
      {
        ...{ runtime, image: imageOf(args), volume: volume.name, directory: filesDirectory },
        files: {
          [fileNames.hba]: hbaText(databaseName, (kinds) => clientsOf(args.topology, service, kinds)),
          [fileNames.certificate]: certificate.certificate,
          [fileNames.key]: certificate.privateKey,
          [fileNames.authority]: authority.certificate,
          ...(args.passwords !== undefined && { [fileNames.passwords]: args.passwords }),
          ...(args.archive !== undefined && {
            [archiveFiles.configuration]: args.archive,
            [archiveFiles.push]: pushScript,
          }),
          ...this.#clientFiles(name, args, opts?.parent ?? this),
        },
        check: ["test", "-s", `{}/${fileNames.hba}`],
        container: service.container,
        reload: ["sh", "-c", reloadFiles],
      },
      { parent: this },
    );
    this.volume = { volumeName: volume.name, containerPath: filesDirectory, readOnly: true };
    this.registerOutputs({});
  }

  /**
   * With these, base backups that run in the primary's container read the files of a replica, if the plan has one.
   *
   * @param parent not this component: the database's container, which waits for all that is part of it, stays as it is
   */
  #clientFiles(
    name: string,
    { service, topology, authority, archive }: PostgresFilesArgs,
    parent: pulumi.Resource,
  ): Record<string, pulumi.Output<string>> {
    const [reader] = servicesOf(topology, "replica-files");
    if (archive === undefined || service.kind !== "database" || !reader) return {};
    const client = { dnsNames: [archiveClient], ipAddresses: [], uses: ["client_auth"] } as const;
    const { certificate, privateKey } = authority.sign(`${name}-archive-tls`, client, { parent });
    return { [archiveClientFiles.certificate]: certificate, [archiveClientFiles.key]: privateKey };
  }
}
