/** PostgreSQL's roles and their passwords. */
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../../config/schema.ts";
import type { Service } from "../../topology/service.ts";
import { createPassword } from "../password.ts";
import type { DockerRuntime } from "../runtime/docker/runtime.ts";
import { SqlScript } from "../runtime/docker/sql-script.ts";
import { databaseName, type Passwords } from "./database-url.ts";
import { endFormerLoginsScript, rolesScript } from "./roles.ts";

export interface DatabaseRolesArgs {
  /** The Docker Engine and the service of the primary. */
  readonly runtime: DockerRuntime;
  readonly service: Service;
  readonly settings: Pick<Settings["database"], "extensions" | "rotation">;
  /** Whether the superuser may log in over the network for good, as in development. @default false */
  readonly keepSuperuser?: boolean;
}

const passwordLength = 32;
/** A table that is in use is tried again for this long. */
const timeoutSeconds = 300;

/**
 * SQL in the primary creates them with their rights; replicas have them with the data. A password that is lost is no loss: an
 * update gives the role a new one.
 */
export class DatabaseRoles extends pulumi.ComponentResource {
  readonly passwords: Passwords;
  readonly #name: string;
  readonly #args: DatabaseRolesArgs;

  constructor(name: string, args: DatabaseRolesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:database:DatabaseRoles", name, {}, opts);
    this.#name = name;
    this.#args = args;
    this.passwords = this.#createPasswords();
    const { runtime, service, settings } = args;
    new SqlScript(
      `${name}-script`,
      {
        ...{ runtime, container: service.container, timeoutSeconds },
        script: rolesScript({ ...settings, database: databaseName }),
        variables: this.passwords,
      },
      { parent: this },
    );
    this.registerOutputs({});
  }

  /**
   * Ends the logins that only processes of the version before needed (roles.ts).
   *
   * @param clients what has to have replaced them
   * @param parent not this component, whose clients wait for all that is part of it
   */
  endFormerLogins(clients: readonly pulumi.Resource[], parent: pulumi.Resource): void {
    const { runtime, service, settings, keepSuperuser = false } = this.#args;
    new SqlScript(
      `${this.#name}-former-clients`,
      {
        ...{ runtime, container: service.container, timeoutSeconds },
        script: endFormerLoginsScript(settings.rotation, keepSuperuser),
        variables: {},
      },
      { parent, dependsOn: [this, ...clients] },
    );
  }

  #createPasswords(): Passwords {
    const password = (client: keyof Passwords, keepers?: Readonly<Record<string, string>>) =>
      createPassword(`${this.#name}-${client}-password`, passwordLength, { parent: this }, keepers);
    return {
      // A new one for each rotation; the role that was in use before keeps its own until nobody logs in as it.
      app: password("app", { rotation: String(this.#args.settings.rotation) }),
      migrator: password("migrator"),
      reader: password("reader"),
      backup: password("backup"),
      replication: password("replication"),
      pooler: password("pooler"),
      monitor: password("monitor"),
    };
  }
}
