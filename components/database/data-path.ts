import { dataMount } from "../../common/server-contract.ts";

/** The folder on a server's Volume for PostgreSQL's data. */
export const dataPath = `${dataMount}/postgres`;
