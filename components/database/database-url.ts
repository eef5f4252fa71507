/** The name of the platform's database, and the URLs at which each role reaches it. */
import * as pulumi from "@pulumi/pulumi";
import { activeApp, type DatabaseClient, loginRoles } from "./role-names.ts";

export const databaseName = "orion_db";
/** Its name at a pooler for clients that keep their session: `LISTEN`, session locks. Only where data can be moved. */
export const sessionDatabase = "orion_session";

/** A password for each client; each is a secret. */
export type Passwords = Readonly<Record<DatabaseClient, pulumi.Output<string>>>;

/** The role that a client logs in as. @param rotation `orion:database.rotation` */
export const roleOf = (client: DatabaseClient, rotation: number): string =>
  loginRoles[client === "app" ? activeApp(rotation) : client];

/** `postgresql://` URL at a host and port; a secret. It has no parameters: see `verifyingEnvironment` of postgres-tls.ts. */
export const databaseUrl = (
  role: string,
  password: pulumi.Input<string>,
  address: string,
  name = databaseName,
): pulumi.Output<string> => pulumi.secret(pulumi.interpolate`postgresql://${role}:${password}@${address}/${name}`);
