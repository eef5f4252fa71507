/** The whole program; its outputs by name, because a project of a test re-exports them. */
import outputs from "../../../../index.ts";

export const { endpoints, databaseUrl, ssh, access } = outputs;
