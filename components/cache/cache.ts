/** One Redis server (cache, broker or both) with its users, live files and volume. */
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { redisDirectory, redisFile } from "../../common/redis-contract.ts";
import type { Service } from "../../topology/service.ts";
import { createPassword } from "../password.ts";
import { createContainer } from "../runtime/docker/container.ts";
import { redisProbe } from "../runtime/docker/health.ts";
import { filesLabel } from "../runtime/docker/labels.ts";
import { LiveFiles } from "../runtime/docker/live-files.ts";
import type { DockerRuntime } from "../runtime/docker/runtime.ts";
import { serviceVolume } from "../runtime/docker/service-volume.ts";
import { Task } from "../runtime/docker/task.ts";
import { certificateFiles, groupFiles, secretFiles, settingFiles, type TlsText } from "./redis-files.ts";
import type { RedisUse } from "./redis-config.ts";
import type { GroupMember } from "./redis-group.ts";
import { leavingScript, reloadCommand } from "./redis-scripts.ts";
import { type RedisEndpoint, redisUrl } from "./redis-url.ts";
import type { RedisClient, RedisLogin, RedisRole } from "./users.ts";

/** The passwords of a Redis; all servers of a group have the same. */
export interface RedisCredentials {
  readonly users: Readonly<Record<RedisLogin, string>>;
  /** The one password of the version without users; needed until the last of its clients has been replaced. */
  readonly former: string;
  /** @default - it belongs to no group */
  readonly roles?: Readonly<Record<RedisRole, string>>;
}

export type TlsInput = { readonly [Key in keyof TlsText]: pulumi.Input<string> };

export interface CacheArgs {
  readonly runtime: DockerRuntime;
  readonly service: Service;
  readonly use: RedisUse;
  /** Redis' maxmemory, in MiB; a setting (`orion:cache`). */
  readonly maxMemoryMb: number;
  /** Where and how clients reach it. */
  readonly endpoint: RedisEndpoint;
  /** Its certificate. @default - clients speak no TLS */
  readonly tls?: TlsInput | undefined;
  /** Key patterns of the broker that the app may use besides Celery's own. @default - none */
  readonly appKeys?: readonly string[];
  /** The group of which Sentinels choose the master, and the password of their user `server`. @default - it stands alone */
  readonly member?: (GroupMember & { readonly serverPassword: pulumi.Output<string> }) | undefined;
  /** Those of the group's first server, for a replica. @default - its own */
  readonly credentials?: pulumi.Output<RedisCredentials>;
}

const dataDirectory = "/data";

/**
 * It has a user for each purpose. Users, configuration and certificate are live files: their change closes no connection. The
 * volume with its data stays when it is deleted.
 */
export class Cache extends pulumi.ComponentResource {
  readonly #args: CacheArgs;
  /** Its passwords; a secret. */
  readonly credentials: pulumi.Output<RedisCredentials>;
  readonly #users: pulumi.Output<RedisCredentials["users"]>;
  readonly #volume: docker.Volume;

  constructor(name: string, args: CacheArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:cache:Cache", name, {}, opts);
    this.#args = args;
    const { credentials, users } = args.credentials
      ? { credentials: args.credentials, users: args.credentials.apply(({ users }) => users) }
      : this.#createPasswords(name);
    this.credentials = credentials;
    this.#users = users;
    // Not protected, since a stack may leave the cache out; it stays for when the cache comes back.
    this.#volume = serviceVolume(
      `${name}-data`,
      { ...args, part: "data", role: args.service.kind },
      { parent: this, retainOnDelete: true },
    );
    const filesVolume = serviceVolume(`${name}-files`, { ...args, part: "files", role: filesLabel }, { parent: this });
    const files = this.#createFiles(name, filesVolume);
    this.#createServer(name, filesVolume, files);
    this.registerOutputs({});
  }

  /** URL of a logical database for a client; a secret. */
  url(client: RedisClient, database: number): pulumi.Output<string> {
    const { endpoint } = this.#args;
    return pulumi.secret(this.#users.apply((users) => redisUrl(endpoint, client, users[client], database)));
  }

  /**
   * Ends the time in which clients of the version without users are let in (redis-scripts.ts).
   *
   * @param opts with a parent that no client depends on, and with what has to have replaced those clients
   */
  endFormerLogins(name: string, opts: pulumi.CustomResourceOptions & { readonly parent: pulumi.Resource }): void {
    const { runtime, service } = this.#args;
    new Task(
      `${name}-former-clients`,
      {
        ...{ runtime, image: "redis", command: ["sh", "-c", leavingScript], environment: {}, timeoutSeconds: 60 },
        ...{ memoryMb: 64, writable: [] },
        container: `${service.container}-former-clients`,
        volumes: [pulumi.interpolate`${this.#volume.name}:${dataDirectory}`],
      },
      opts,
    );
  }

  #createPasswords(name: string) {
    const password = (...login: (RedisLogin | RedisRole)[]) =>
      createPassword([name, ...login, "password"].join("-"), 32, { parent: this });
    const users = pulumi
      .all([password("app"), password("worker"), password("flower"), password("monitor"), password("admin")] as const)
      .apply(([app, worker, flower, monitor, admin]) => ({ app, worker, flower, monitor, admin }));
    const former = password();
    const roles = this.#args.member && { replica: password("replica"), sentinel: password("sentinel") };
    const credentials: pulumi.Output<RedisCredentials> = roles
      ? pulumi.output({ users, former, roles })
      : pulumi.output({ users, former });
    return { credentials, users };
  }

  #createFiles(name: string, volume: docker.Volume): LiveFiles {
    const { runtime, service, use, maxMemoryMb, tls, member, appKeys = [] } = this.#args;
    const known = pulumi
      .all([this.credentials, pulumi.output(tls), pulumi.output(member?.serverPassword)] as const)
      .apply(([{ users: passwords, former: formerPassword, roles }, text, serverPassword]) => ({
        ...{ use, appKeys, passwords, formerPassword, roles, tls: text, serverPassword },
      }));
    const all = { ...secretFiles, ...(tls && certificateFiles), ...(member && groupFiles) };
    const secrets = Object.entries(all).map(([file, textOf]) => [file, pulumi.secret(known.apply(textOf))] as const);
    return new LiveFiles(
      `${name}-config`,
      {
        ...{ runtime, image: "redis", volume: volume.name, directory: redisDirectory },
        files: {
          ...settingFiles({ use, maxMemoryMb, tls: tls !== undefined, member }),
          ...Object.fromEntries(secrets),
        },
        // Redis runs as the owner of its data.
        readableByGroupOf: dataDirectory,
        check: ["sh", "{}/check", "{}"],
        container: service.container,
        reload: [...reloadCommand],
      },
      { parent: this },
    );
  }

  #createServer(name: string, filesVolume: docker.Volume, files: LiveFiles): docker.Container {
    const { runtime, service } = this.#args;
    return createContainer(
      `${name}-server`,
      service,
      {
        image: "redis",
        command: ["sh", redisFile("start")],
        volumes: [
          { volumeName: this.#volume.name, containerPath: dataDirectory },
          { volumeName: filesVolume.name, containerPath: redisDirectory, readOnly: true },
        ],
        health: redisProbe,
        stopSeconds: 30,
      },
      runtime,
      { parent: this, dependsOn: files },
    );
  }
}
