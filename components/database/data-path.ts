/** The folder on a server's Volume for PostgreSQL's data. */
import { dataMount } from "../../common/server-contract.ts";

export const dataPath = `${dataMount}/postgres`;
