/** Types of the servers and load balancers of a plan, and the private network that they share. */

/** The private network that the servers of a stack share. */
export const privateNetwork = { range: "10.20.0.0/16", subnet: "10.20.1.0/24", zone: "eu-central" } as const;

export type ServerRole = "core" | "db" | "cache" | "app" | "worker" | "monitor";

/** The setting with the types of the servers of each role. */
export const typesSetting: Readonly<Record<ServerRole, string>> = {
  core: "orion:database.servers",
  db: "orion:database.servers",
  cache: "orion:cache.servers",
  monitor: "orion:monitoring.servers",
  app: "orion:app.servers.types",
  worker: "orion:workers.servers.types",
};

export interface Server {
  /** `core-1`, `app-nbg1-2`: part of logical names, therefore it never changes. */
  readonly name: string;
  readonly role: ServerRole;
  readonly location: string;
  /** Server types in order of preference. */
  readonly types: readonly string[];
  /** Static address in {@link privateNetwork}. */
  readonly privateAddress: string;
  /** Its placement group: Hetzner runs each server of a group on a different physical host. */
  readonly placementGroup: string;
  /** GB of the attached Volume that holds data; 0: the server keeps none. */
  readonly volumeGb: number;
  /** Whether visitors reach its public address. */
  readonly publicWeb: boolean;
}

/** Whether clients outside the stack know the server's public address, so that it must survive the server. */
export const keepsAddress = ({ volumeGb, publicWeb }: Server): boolean => volumeGb > 0 || publicWeb;

/** Spreads visitors over the edges of several servers. */
export interface LoadBalancer {
  /** `balancer-nbg1`: part of logical names, therefore it never changes. */
  readonly name: string;
  readonly location: string;
  /** Static address in {@link privateNetwork}. */
  readonly privateAddress: string;
}
