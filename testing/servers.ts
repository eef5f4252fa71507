/** Access to the servers of stack prod on a rehearsal cloud: lists them, runs commands and SQL on them, turns them on and off. */
import { isRecord } from "../common/record.ts";
import type { Service, ServiceKind } from "../topology/service.ts";
import { servicesOf } from "../topology/topology.ts";
import type { RehearsalCloud } from "./cloud.ts";
import { docker } from "./sandbox.ts";

export interface ListedServer {
  /** Its name in the plan: `app-nbg1-1`. */
  readonly name: string;
  readonly type: string;
  /** Hetzner's status: `running`, `off`. */
  readonly status: string;
}

export interface Servers {
  /** All of them, by name. */
  readonly all: () => Promise<readonly ListedServer[]>;
  /** Runs a command in the container that is the server, so its firewall does not apply. @returns the lines that it printed */
  readonly on: (server: string, ...words: string[]) => Promise<string[]>;
  /** The first service of a kind in the current plan. */
  readonly service: (kind: ServiceKind) => Service;
  /** Rows of a query in the container of a PostgreSQL server. */
  readonly query: (server: string, service: string, sql: string) => Promise<string[]>;
  /** Rows of a query at the first PostgreSQL server of that kind. */
  readonly rows: (kind: "database" | "replica", sql: string) => Promise<string[]>;
  /** What a move must not change: containers with data and their start times, and PostgreSQL's own. */
  readonly identity: () => Promise<readonly string[]>;
  /** The health status of each target of the load balancer, for each of the load balancer's services. */
  readonly health: () => Promise<readonly string[]>;
  readonly power: (server: string, action: "poweroff" | "poweron") => Promise<void>;
}

export function serversOf(cloud: RehearsalCloud): Servers {
  const idOf = async (server: string): Promise<string> => {
    const [found] = await cloud.list(`/servers?name=orion-prod-${server}`, "servers");
    return String(found?.["id"]);
  };
  const on: Servers["on"] = async (server, ...words) =>
    docker("exec", `orion-cloud-${cloud.settings.instance}-server-${await idOf(server)}`, ...words);
  const query: Servers["query"] = (server, service, sql) =>
    on(server, "docker", "exec", `orion-prod-${service}`, "psql", "-XtA", "-c", sql);
  const service: Servers["service"] = (kind) => {
    const [first] = servicesOf(cloud.plan, kind);
    if (!first) throw new Error(`the plan has no service of kind ${kind}`);
    return first;
  };
  const rows: Servers["rows"] = (kind, sql) => {
    const { server, name } = service(kind);
    return query(server, name, sql);
  };
  return {
    service,
    rows,
    all: async () => {
      const found = await cloud.list("/servers?per_page=50&sort=name", "servers");
      return found.map(({ name, server_type: type, status }) => ({
        name: String(name).replace("orion-prod-", ""),
        type: isRecord(type) ? String(type["name"]) : "",
        status: String(status),
      }));
    },
    on,
    query,
    identity: async () => {
      const stateful = (["database", "cache", "broker"] as const).map((kind) => service(kind));
      const ids = stateful.map(async ({ server, container }) => {
        const [found] = await on(server, "docker", "inspect", "--format", "{{.Id}} {{.State.StartedAt}}", container);
        return `${container} ${found ?? "is not there"}`;
      });
      return [...(await Promise.all(ids)), ...(await rows("database", "SELECT pg_postmaster_start_time()"))];
    },
    health: async () => {
      const [balancer] = await cloud.list("/load_balancers", "load_balancers");
      const targets = (balancer?.["targets"] ?? []) as { health_status: { status: string }[] }[];
      return targets.flatMap((target) => target.health_status.map(({ status }) => status));
    },
    power: async (server, action) => {
      await cloud.hetzner("POST", `/servers/${await idOf(server)}/actions/${action}`);
    },
  };
}
