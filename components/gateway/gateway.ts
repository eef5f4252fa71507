/** One gateway: HAProxy between a server's processes and their data. */
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { gatewayHost } from "../../topology/services/gateway.ts";
import type { Service } from "../../topology/service.ts";
import { createContainer } from "../runtime/docker/container.ts";
import { httpProbe } from "../runtime/docker/health.ts";
import { filesLabel } from "../runtime/docker/labels.ts";
import { LiveFiles } from "../runtime/docker/live-files.ts";
import type { DockerRuntime } from "../runtime/docker/runtime.ts";
import { serviceVolume } from "../runtime/docker/service-volume.ts";
import { authorityName, type GatewayListener, haproxyConfig, healthPort, masterPort } from "./haproxy-config.ts";
import type { GatewayPasswords } from "./sentinel-lines.ts";
import { reloadScript } from "./reload-script.ts";

export interface GatewayArgs {
  readonly runtime: DockerRuntime;
  readonly service: Service;
  readonly listeners: readonly GatewayListener[];
  /** The certificate, in PEM, of the authority that has signed the servers' certificates. */
  readonly authority: pulumi.Input<string>;
  /** The gateway's logins at Sentinels and Redis; a secret. @default - no listener follows Sentinels */
  readonly passwords?: pulumi.Output<GatewayPasswords> | undefined;
}

/** Where the volume with its files is mounted. */
export const gatewayDirectory = "/etc/orion-gateway";
const configurationFile = "haproxy.cfg";
const reloadFile = "reload";

/**
 * Its configuration is a live file. A change of the servers closes only the connections to servers that are no longer behind the
 * same port.
 */
export class Gateway extends pulumi.ComponentResource {
  constructor(name: string, args: GatewayArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:gateway:Gateway", name, {}, opts);
    const volume = serviceVolume(`${name}-files`, { ...args, part: "files", role: filesLabel }, { parent: this });
    const files = this.#createFiles(name, args, volume);
    this.#createServer(name, args, volume, files);
    this.registerOutputs({});
  }

  #createFiles(
    name: string,
    { runtime, service, listeners, authority, passwords }: GatewayArgs,
    volume: docker.Volume,
  ): LiveFiles {
    const configuration = passwords
      ? pulumi.secret(passwords.apply((known) => haproxyConfig(listeners, known)))
      : haproxyConfig(listeners);
    return new LiveFiles(
      `${name}-config`,
      {
        ...{ runtime, image: "haproxy", volume: volume.name, directory: gatewayDirectory },
        files: { [configurationFile]: configuration, [reloadFile]: reloadScript, [authorityName]: authority },
        ...gatewayFileAccess,
        container: service.container,
      },
      { parent: this },
    );
  }

  #createServer(name: string, { runtime, service }: GatewayArgs, volume: docker.Volume, files: LiveFiles): void {
    createContainer(
      `${name}-server`,
      service,
      {
        image: "haproxy",
        command: gatewayCommand,
        aliases: [gatewayHost],
        volumes: [{ volumeName: volume.name, containerPath: gatewayDirectory, readOnly: true }],
        health: httpProbe(healthPort, "/health"),
        stopSeconds: 10,
      },
      runtime,
      { parent: this, dependsOn: files },
    );
  }
}

/** Its files, but for the authority's certificate: text by name. */
export const gatewayFiles = (
  listeners: readonly GatewayListener[],
  passwords?: GatewayPasswords,
): Readonly<Record<string, string>> => ({
  [configurationFile]: haproxyConfig(listeners, passwords),
  [reloadFile]: reloadScript,
});

/** How its files are read, checked and put into use. */
export const gatewayFileAccess = {
  // The image's user, whose home this is.
  readableByGroupOf: "/var/lib/haproxy",
  check: ["haproxy", "-c", "-f", `{}/${configurationFile}`],
  reload: ["bash", `${gatewayDirectory}/current/${reloadFile}`],
};

/** Starts HAProxy's master process, which starts, replaces and ends the worker processes. */
export const gatewayCommand = [
  ...["haproxy", "-W", "-db", "-S", `127.0.0.1:${masterPort}`],
  ...["-f", `${gatewayDirectory}/current/${configurationFile}`],
];
