/** Where PostgreSQL's data is: on a server's Volume, and in the containers that mount it. */
import { dataMount } from "../../common/server-contract.ts";

/** The folder on a server's Volume. */
export const hostDataFolder = `${dataMount}/postgres`;

/** The data directory in PostgreSQL's containers. */
export const containerDataFolder = "/var/lib/postgresql/data";
