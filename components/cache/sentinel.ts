/** One Redis Sentinel. */
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { sentinelDirectory, sentinelFile } from "../../common/redis-contract.ts";
import type { Service } from "../../topology/service.ts";
import { createContainer } from "../runtime/docker/container.ts";
import { sentinelProbe } from "../runtime/docker/health.ts";
import { filesLabel } from "../runtime/docker/labels.ts";
import { LiveFiles } from "../runtime/docker/live-files.ts";
import type { DockerRuntime } from "../runtime/docker/runtime.ts";
import { serviceVolume } from "../runtime/docker/service-volume.ts";
import type { TlsInput } from "./cache.ts";
import { addressOf } from "../published-address.ts";
import type { RedisGroup } from "./redis-group.ts";
import { sentinelData, type SentinelLogin } from "./sentinel-config.ts";
import { sentinelSecretFiles, sentinelSettingFiles } from "./sentinel-files.ts";

export interface SentinelArgs {
  readonly runtime: DockerRuntime;
  readonly service: Service;
  readonly groups: readonly RedisGroup[];
  readonly passwords: pulumi.Output<Readonly<Record<SentinelLogin, string>>>;
  /** Password of the user `sentinel` of each group's servers, by the group's name. */
  readonly roles: pulumi.Output<Readonly<Record<string, string>>>;
  readonly tls: TlsInput;
}

/**
 * What it has learnt is on a volume, also which server is the master. The program names a master only to a Sentinel that knows
 * none ({@link RedisGroup.first}).
 */
export class Sentinel extends pulumi.ComponentResource {
  constructor(name: string, args: SentinelArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:cache:Sentinel", name, {}, opts);
    const volumeOf = (part: string) =>
      serviceVolume(`${name}-${part}`, { ...args, part, role: filesLabel }, { parent: this });
    const [data, volume] = [volumeOf("data"), volumeOf("files")];
    const files = this.#createFiles(name, volume, args);
    this.#createServer(name, { data, volume, files }, args);
    this.registerOutputs({});
  }

  #createFiles(name: string, volume: docker.Volume, args: SentinelArgs): LiveFiles {
    const { runtime, service, groups, passwords, roles, tls } = args;
    const known = pulumi
      .all([passwords, roles, pulumi.output(tls)] as const)
      .apply(([passwords, roles, text]) => ({ groups, passwords, roles, tls: text }));
    const secrets = Object.entries(sentinelSecretFiles).map(
      ([file, textOf]) => [file, pulumi.secret(known.apply(textOf))] as const,
    );
    return new LiveFiles(
      `${name}-config`,
      {
        ...{ runtime, image: "redis", volume: volume.name, directory: sentinelDirectory },
        files: { ...sentinelSettingFiles(groups, addressOf(service)), ...Object.fromEntries(secrets) },
        // It runs as the owner of its data.
        readableByGroupOf: sentinelData,
        check: ["sh", "{}/check", "{}"],
        container: service.container,
        reload: ["sh", sentinelFile("reload")],
      },
      { parent: this },
    );
  }

  #createServer(
    name: string,
    { data, volume, files }: Readonly<{ data: docker.Volume; volume: docker.Volume; files: LiveFiles }>,
    { runtime, service }: SentinelArgs,
  ): docker.Container {
    return createContainer(
      `${name}-server`,
      service,
      {
        image: "redis",
        command: ["sh", sentinelFile("start")],
        volumes: [
          { volumeName: data.name, containerPath: sentinelData },
          { volumeName: volume.name, containerPath: sentinelDirectory, readOnly: true },
        ],
        health: sentinelProbe,
        stopSeconds: 10,
      },
      runtime,
      { parent: this, dependsOn: files },
    );
  }
}
