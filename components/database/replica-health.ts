/** HTTP health service beside a replica, for the gateways. */
import * as pulumi from "@pulumi/pulumi";
import { authorityFile } from "../../common/server-contract.ts";
import { replicaHealthPorts } from "../../topology/services/replica-health.ts";
import type { Service } from "../../topology/service.ts";
import { authorityMount } from "../authority/authority.ts";
import { createContainer } from "../runtime/docker/container.ts";
import { httpProbe } from "../runtime/docker/health.ts";
import type { DockerRuntime } from "../runtime/docker/runtime.ts";
import { loginRoles } from "./role-names.ts";
import { replicaHealthScript } from "./replica-health-script.ts";

export interface ReplicaHealthArgs {
  readonly runtime: DockerRuntime;
  readonly service: Service;
  /** Key of the image that the replica runs. */
  readonly image: "database" | "postgres";
  /** Name of the replica in the container network. */
  readonly replica: string;
  /** Password of the role that reads statistics; a secret. */
  readonly password: pulumi.Output<string>;
}

const folder = "/etc/orion-health";

/** It answers whether the replica may be read (replica-health-script.ts). */
export class ReplicaHealth extends pulumi.ComponentResource {
  constructor(name: string, args: ReplicaHealthArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:database:ReplicaHealth", name, {}, opts);
    const { runtime, service, image, replica, password } = args;
    createContainer(
      `${name}-server`,
      service,
      {
        image,
        command: ["perl", `${folder}/health.pl`],
        environment: replicaHealthEnvironment(replica),
        files: [
          { file: `${folder}/health.pl`, content: replicaHealthScript, permissions: "0444" },
          {
            file: `${folder}/passwords`,
            content: pulumi.secret(password.apply((known) => `*:*:*:${loginRoles.monitor}:${known}\n`)),
            permissions: "0400",
          },
        ],
        mounts: [authorityMount],
        health: httpProbe(replicaHealthPorts.http, "/health"),
        stopSeconds: 5,
      },
      runtime,
      { parent: this },
    );
    this.registerOutputs({});
  }
}

/** How it connects. @param host the replica's name in its certificate */
export const replicaHealthEnvironment = (host: string): Readonly<Record<string, string>> => ({
  ...{ PGHOST: host, PGUSER: loginRoles.monitor, PGDATABASE: "postgres", PGPASSFILE: `${folder}/passwords` },
  ...{ PGSSLMODE: "verify-full", PGSSLROOTCERT: authorityFile, PGCHANNELBINDING: "require" },
  ...{ PGCONNECT_TIMEOUT: "3", PGOPTIONS: "-c statement_timeout=3s", PGAPPNAME: "replica-health" },
});
