import { redisPorts } from "../../topology/services/redis.ts";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { physicalName } from "../../topology/naming.ts";
import type { Service } from "../../topology/service.ts";
import { createContainer } from "../runtime/docker/container.ts";
import { redisProbe } from "../runtime/docker/health.ts";
import { createPassword } from "../password.ts";
import { dockerLabels } from "../runtime/docker/labels.ts";
import type { DockerRuntime } from "../runtime/docker/runtime.ts";
import { redisConfig, type RedisUse } from "./redis-config.ts";

export interface CacheArgs {
  readonly runtime: DockerRuntime;
  readonly service: Service;
  readonly use: RedisUse;
  /** Redis' maxmemory, in MiB; a setting (`orion:cache`). */
  readonly maxMemoryMb: number;
  /** Host and port for clients. @default - the service's name in the container network */
  readonly address?: string;
}

const configFile = "/etc/orion/redis.conf";

/** One Redis server, for the cache, the broker or both, with its own password; the volume with its data stays when it is deleted. */
export class Cache extends pulumi.ComponentResource {
  readonly #baseUrl: pulumi.Output<string>;

  constructor(name: string, args: CacheArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:cache:Cache", name, {}, opts);
    const password = createPassword(`${name}-password`, 32, { parent: this });
    const volume = this.#createVolume(name, args);
    this.#createServer(name, args, password, volume);

    this.#baseUrl = pulumi.secret(
      pulumi.interpolate`redis://:${password}@${args.address ?? `${args.service.name}:${redisPorts.redis}`}`,
    );
    this.registerOutputs({});
  }

  /** `redis://` URL of a logical database from inside the container network; a secret. */
  url(database: number): pulumi.Output<string> {
    return pulumi.interpolate`${this.#baseUrl}/${database}`;
  }

  #createVolume(name: string, { runtime, service }: CacheArgs): docker.Volume {
    return new docker.Volume(
      `${name}-data`,
      {
        name: physicalName(runtime.naming, `${service.name}-data`),
        labels: dockerLabels(runtime.naming, service.kind),
      },
      // Not protected, since a stack may leave the cache out; its volume stays for when the cache comes back.
      { ...runtime.options(this), retainOnDelete: true },
    );
  }

  #createServer(
    name: string,
    { runtime, service, use, maxMemoryMb }: CacheArgs,
    password: pulumi.Output<string>,
    volume: docker.Volume,
  ): docker.Container {
    return createContainer(
      `${name}-server`,
      service,
      {
        image: "redis",
        command: ["redis-server", configFile],
        // For the health check, and for operators with redis-cli.
        environment: { REDISCLI_AUTH: password },
        files: [
          {
            file: configFile,
            content: password.apply((secret) => redisConfig(use, maxMemoryMb, secret)),
            permissions: "0444",
          },
        ],
        volumes: [{ volumeName: volume.name, containerPath: "/data" }],
        health: redisProbe,
        stopSeconds: 30,
      },
      runtime,
      { parent: this },
    );
  }
}
