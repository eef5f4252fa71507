import { dataMount } from "../../common/server-contract.ts";

/** The folder of a server's Volume that PostgreSQL keeps its data in. */
export const dataPath = `${dataMount}/postgres`;
