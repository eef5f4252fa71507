/** One PgBouncer beside a gateway. */
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { gatewayHost } from "../../topology/services/gateway.ts";
import { poolerConsole } from "../../topology/services/pgbouncer.ts";
import type { Service } from "../../topology/service.ts";
import type { Authority } from "../authority/authority.ts";
import { createContainer } from "../runtime/docker/container.ts";
import { poolerProbe } from "../runtime/docker/health.ts";
import { filesLabel } from "../runtime/docker/labels.ts";
import { LiveFiles } from "../runtime/docker/live-files.ts";
import type { DockerRuntime } from "../runtime/docker/runtime.ts";
import { serviceVolume } from "../runtime/docker/service-volume.ts";
import { poolerDirectory, poolerFiles, usersText } from "./pgbouncer-config.ts";

export interface PoolerArgs {
  readonly runtime: DockerRuntime;
  readonly service: Service;
  /** The text of pgbouncer.ini. */
  readonly config: pulumi.Input<string>;
  readonly authority: Authority;
  /** CA certificates, in PEM, with which it verifies an external server beside the stack's own. @default - none */
  readonly externalAuthority?: string | undefined;
  /** Password of the role that looks up logins; a secret. */
  readonly password: pulumi.Output<string>;
  /** Passwords by role that it knows without asking; a secret. @default - none */
  readonly logins?: pulumi.Output<Readonly<Record<string, string>>> | undefined;
}

/** Many clients share its few connections to PostgreSQL. Its configuration is a live file. */
export class Pooler extends pulumi.ComponentResource {
  constructor(name: string, args: PoolerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:pooler:Pooler", name, {}, opts);
    const volume = serviceVolume(`${name}-files`, { ...args, part: "files", role: filesLabel }, { parent: this });
    const files = this.#createFiles(name, args, volume);
    this.#createServer(name, args, volume, files);
    this.registerOutputs({});
  }

  #createFiles(name: string, args: PoolerArgs, volume: docker.Volume): LiveFiles {
    const { runtime, service, config, authority, externalAuthority, password, logins } = args;
    // The gateway passes TLS on, so that clients verify the pooler under the gateway's name.
    const names = { dnsNames: [service.name, gatewayHost], ipAddresses: [] };
    const { certificate, privateKey } = authority.sign(`${name}-tls`, names, { parent: this });
    return new LiveFiles(
      `${name}-config`,
      {
        ...{ runtime, image: "pooler", volume: volume.name, directory: poolerDirectory },
        files: {
          [poolerFiles.configuration]: config,
          [poolerFiles.users]: pulumi.secret(
            pulumi.all([password, logins ?? {}]).apply(([own, others]) => usersText(own, others)),
          ),
          [poolerFiles.certificate]: certificate,
          [poolerFiles.key]: privateKey,
          [poolerFiles.authority]:
            externalAuthority === undefined
              ? authority.certificate
              : pulumi.interpolate`${authority.certificate}${externalAuthority}`,
        },
        ...poolerFileAccess,
        container: service.container,
      },
      { parent: this },
    );
  }

  #createServer(name: string, { runtime, service }: PoolerArgs, volume: docker.Volume, files: LiveFiles): void {
    createContainer(
      `${name}-server`,
      service,
      {
        image: "pooler",
        command: poolerCommand,
        volumes: [{ volumeName: volume.name, containerPath: poolerDirectory, readOnly: true }],
        health: poolerProbe(poolerConsole),
        stopSeconds: 15,
      },
      runtime,
      { parent: this, dependsOn: files },
    );
  }
}

/** How its files are read, checked and put into use. */
export const poolerFileAccess = {
  readableByGroupOf: "/var/lib/pgbouncer",
  check: ["test", "-s", `{}/${poolerFiles.configuration}`],
  reload: ["sh", "-c", `${poolerConsole} -qc RELOAD`],
};

export const poolerCommand = ["pgbouncer", `${poolerDirectory}/current/${poolerFiles.configuration}`];
