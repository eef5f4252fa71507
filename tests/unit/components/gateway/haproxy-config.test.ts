/** The configuration of a gateway, and what a plan puts behind it. */
import type { Settings } from "../../../../config/schema.ts";
import { haproxyConfig } from "../../../../components/gateway/haproxy-config.ts";
import { gatewayListeners } from "../../../../components/gateway/listeners.ts";
import { gatewayPorts } from "../../../../topology/services/gateway.ts";
import { plan } from "../../../../topology/plan.ts";
import { settingsOf } from "../../support/settings.ts";

const listenersIn = (settings: Settings, server: string) => gatewayListeners(plan("prod", settings), settings, server);
const listenersOf = (values: Readonly<Record<string, unknown>> = {}, server = "app-nbg1-1") =>
  listenersIn(settingsOf("scale", values), server);

/** The lines below `listen <port>`. */
function section(config: string, title: string): string[] {
  const [, text = ""] = config.split(new RegExp(`^(?:listen )?${title}\n`, "m"));
  return text.split("\n\n")[0]?.trim().split(/\n\s+/) ?? [];
}

test("each port has the servers of its purpose", () => {
  const config = haproxyConfig(listenersOf());
  const tls = (name: string) => `ssl verify required ca-file ca.crt verifyhost ${name}`;
  const ping = ["option tcp-check", "tcp-check send PING\\r\\n", "tcp-check expect rstring ^(-NOAUTH|[+]PONG)"];
  expect(section(config, "cache")).toEqual([
    "bind :6379",
    ...ping,
    `server cache 10.20.1.11:6381 tcp-ut 15s ${tls("cache")}`,
  ]);
  expect(section(config, "broker")).toEqual([
    "bind :6380",
    ...ping,
    `server broker 10.20.1.11:6382 tcp-ut 15s ${tls("broker")}`,
  ]);
  expect(section(config, "database")).toEqual(["bind :5432", "server database 10.20.1.11:5432 tcp-ut 15s"]);
  expect(section(config, "direct")).toEqual(["bind :5434", "server database 10.20.1.11:5432 tcp-ut 15s"]);
});

test("reads go to replicas whose health service says that they follow, and to the primary only without one", () => {
  const config = haproxyConfig(listenersOf({ gateway: { maxReplicaLagSeconds: 12 } }));
  expect(section(config, "frontend reads")).toEqual([
    ...["bind :5433", "use_backend reads if { nbsrv(reads) gt 0 }", "default_backend reads-fallback"],
  ]);
  expect(section(config, "backend reads")).toEqual([
    ...[
      "option httpchk GET /replica?lag=12",
      "default-server port 8008",
      "server replica-1 10.20.1.22:5432 tcp-ut 15s",
    ],
  ]);
  expect(section(config, "backend reads-fallback")).toEqual(["server database 10.20.1.11:5432 tcp-ut 15s"]);
  const single = { database: { availability: "single" } };
  expect(section(haproxyConfig(listenersOf(single)), "reads")).toEqual([
    "bind :5433",
    "server database 10.20.1.11:5432 tcp-ut 15s",
  ]);
});

test("after a promotion the promoted server is the primary behind the same ports", () => {
  const config = haproxyConfig(listenersOf({ database: { primary: "db-2" } }));
  expect(section(config, "direct")).toEqual(["bind :5434", "server replica-1 10.20.1.22:5432 tcp-ut 15s"]);
  expect(section(config, "cache")).toContainEqual(expect.stringMatching(/^server cache 10\.20\.1\.22:6381 /));
});

test("an external database or Redis has no port", () => {
  const external = settingsOf("scale", { cache: { mode: "external" } }, ["redisUrl", "brokerUrl"]);
  const ports = listenersIn(external, "core-1").map(({ port }) => port);
  expect(ports).toEqual(["database", "reads", "direct"]);
});

test("with a pooler, apps and reads go through those beside the gateway, which reach PostgreSQL by two ports more", () => {
  const pooled = { database: { pooler: true } };
  const config = haproxyConfig(listenersOf(pooled));
  const beside = (name: string) => `server ${name} ${name}:6432 tcp-ut 15s resolvers docker init-addr none`;
  expect(section(config, "database")).toEqual(["bind :5432", beside("pgbouncer-app-nbg1-1")]);
  expect(section(config, "reads")).toEqual(["bind :5433", beside("reads-app-nbg1-1")]);
  expect(section(config, "direct")).toEqual(["bind :5434", "server database 10.20.1.11:5432 tcp-ut 15s"]);
  expect(section(config, "backend replicas")).toContain("server replica-1 10.20.1.22:5432 tcp-ut 15s");
  expect(section(config, "backend replicas-fallback")).toEqual(["server database 10.20.1.11:5432 tcp-ut 15s"]);
  // The server of the release has no pooler.
  expect(section(haproxyConfig(listenersOf(pooled, "core-1")), "database")).toEqual([
    ...["bind :5432", "server database 10.20.1.11:5432 tcp-ut 15s"],
  ]);
});

test("no two ports are the same", () => {
  const ports = Object.values(gatewayPorts);
  expect(new Set(ports).size).toBe(ports.length);
});
