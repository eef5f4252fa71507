/** Where a container of PostgreSQL has its data. */
export const dataDirectory = "/var/lib/postgresql/data";
