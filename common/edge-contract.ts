/** Paths of the edge (nginx) that the program, the plugin and the tools share. Pure. */

/** The path of the edge's health check, for load balancers. */
export const edgeHealthPath = "/edge-health";

/** The folder of the edge's files in its container. */
export const edgeDirectory = "/etc/orion/edge";

/** nginx' configuration in the container; `current` links to the version in use. */
export const edgeConfigFile = `${edgeDirectory}/current/nginx.conf`;

/** While this file exists the edge reports itself as unhealthy to load balancers. In memory: a restart removes it. */
export const drainingFile = "/dev/shm/orion-leaving";

/** The folder of the ACME client's files that the edge reads: on the server and in the edge's container. */
export const acmeFolder = { host: "/var/lib/orion/acme/edge", container: "/etc/orion/acme" } as const;

/** The certificate with its key, and the folder with the authority's challenges, in the edge's container. */
export const acmeCertificate = {
  certificate: `${acmeFolder.container}/current/edge.crt`,
  key: `${acmeFolder.container}/current/edge.key`,
  challenges: `${acmeFolder.container}/challenges`,
} as const;
