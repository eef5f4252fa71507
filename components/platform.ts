/** The root component of a stack: creates all components of its plan and connects them. */
import * as pulumi from "@pulumi/pulumi";
import { endpointsOf } from "../topology/service-commands.ts";
import { hasServers } from "../topology/topology.ts";
import { accessOf } from "./access-output.ts";
import { createAlerts } from "./alerts/alerts.ts";
import { Authority } from "./authority/authority.ts";
import { createRedis } from "./cache/redis.ts";
import type { Context, Stack } from "./context.ts";
import { createArchive, createArchiveRepository } from "./database/archive.ts";
import { createBackups, createPostgres, createTestDatabase } from "./database/postgres.ts";
import { createDocs } from "./docs/docs.ts";
import { createGateways } from "./gateway/gateways.ts";
import { createIngress } from "./ingress/ingress.ts";
import { createPoolers } from "./pooler/poolers.ts";
import { createRuntimes, type Runtimes, type RuntimesArgs } from "./runtimes.ts";
import { createStorage } from "./storage/storage.ts";
import { createTiers } from "./tiers.ts";

export class Platform extends pulumi.ComponentResource {
  /** The URL of each service as its machine reaches it, by the service's name. */
  readonly endpoints: Readonly<Record<string, string>>;
  /** `postgresql://` URL of the primary for the role that migrates; a secret. */
  readonly databaseUrl: pulumi.Output<string>;
  /** The arguments with which `ssh` logs in at each server, by its name. */
  readonly ssh: Readonly<Record<string, pulumi.Output<string[]>>>;
  /** The SSH host key of each server, as `algorithm key`. */
  readonly hostKeys: Readonly<Record<string, pulumi.Output<string>>>;
  /** Command lines for each server and each service, by purpose. */
  readonly access: ReturnType<typeof accessOf>;
  /** The password of Flower's user `orion`; a secret. Undefined on a local Docker Engine. */
  readonly flowerPassword: pulumi.Output<string> | undefined;
  /** The private key that backups are encrypted for; a secret. Undefined without backups. */
  readonly backupKey: pulumi.Output<string> | undefined;
  /** The key that the archive of the database's changes is encrypted with; a secret. Undefined without an archive. */
  readonly archiveKey: pulumi.Output<string> | undefined;
  /** The token with which people start tasks over HTTP (`TASK_API_TOKEN`); a secret. Undefined without an app. */
  readonly taskApiToken: pulumi.Output<string> | undefined;

  constructor(name: string, args: RuntimesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:index:Platform", name, {}, opts);
    const runtimes = createRuntimes(args, this);
    const context: Context = { ...args, runtimes, authority: this.#createAuthority(args, runtimes), parent: this };
    createAlerts(context);
    const storage = createStorage(context);
    const archive = createArchiveRepository(context, storage);
    const postgres = createPostgres({ ...context, archive: archive?.configuration });
    this.backupKey = createBackups(context, postgres, storage);
    this.archiveKey = archive?.key;
    createArchive(context, postgres);
    createTestDatabase(context);
    const redis = createRedis(context);
    const gateways = createGateways(context, redis?.gatewayPasswords, createPoolers(context, postgres));
    // Without Redis, a local stack has neither apps nor workers (config/checks/local.ts).
    const tiers = redis && createTiers(context, { storage, postgres, redis, gateways });
    const edges = tiers ? createIngress(context, storage, tiers.apps) : [];
    postgres.endFormerLogins(tiers?.all ?? []);
    redis?.endFormerLogins([...(tiers?.all ?? []), ...edges]);
    createDocs(context);

    this.flowerPassword = tiers?.flowerPassword;
    this.taskApiToken = tiers?.taskApiToken;
    this.databaseUrl = postgres.primaryUrl("migrator");
    this.endpoints = endpointsOf(args.topology);
    this.ssh = Object.fromEntries([...runtimes.members].map(([server, { ssh }]) => [server, ssh]));
    this.hostKeys = Object.fromEntries([...runtimes.members].map(([server, { hostKey }]) => [server, hostKey]));
    this.access = accessOf(args.topology, this.ssh);
    this.registerOutputs({ endpoints: this.endpoints });
  }

  #createAuthority({ settings, topology }: Stack, { members }: Runtimes): Authority | undefined {
    if (!hasServers(topology)) return undefined;
    const servers = new Map([...members].map(([server, { runtime }]) => [server, runtime]));
    return new Authority("authority", { protect: settings.protection, servers }, { parent: this });
  }
}
