/** The configuration of a gateway, and what a plan puts behind it. */
import { haproxyConfig } from "../../../../components/gateway/haproxy-config.ts";
import { gatewayListeners } from "../../../../components/gateway/listeners.ts";
import { gatewayPorts } from "../../../../topology/services/gateway.ts";
import { plan } from "../../../../topology/plan.ts";
import { settingsOf } from "../../support/settings.ts";

const listenersOf = (values: Readonly<Record<string, unknown>> = {}) =>
  gatewayListeners(plan("prod", settingsOf("scale", values)));

/** The lines below `listen <port>`. */
function section(config: string, port: string): string[] {
  const [, text = ""] = config.split(`listen ${port}\n`);
  return text.split("\n\n")[0]?.trim().split(/\n\s+/) ?? [];
}

test("each port has the servers of its purpose", () => {
  const config = haproxyConfig(listenersOf());
  const tls = (name: string) => `ssl verify required ca-file ca.crt verifyhost ${name}`;
  const ping = ["option tcp-check", "tcp-check send PING\\r\\n", "tcp-check expect rstring ^(-NOAUTH|[+]PONG)"];
  expect(section(config, "cache")).toEqual(["bind :6379", ...ping, `server cache 10.20.1.11:6381 ${tls("cache")}`]);
  expect(section(config, "broker")).toEqual(["bind :6380", ...ping, `server broker 10.20.1.11:6382 ${tls("broker")}`]);
  expect(section(config, "database")).toEqual(["bind :5432", "server database 10.20.1.11:5432"]);
  expect(section(config, "direct")).toEqual(["bind :5434", "server database 10.20.1.11:5432"]);
});

test("reads go to the replica, and to the primary only without one that is up", () => {
  expect(section(haproxyConfig(listenersOf()), "reads")).toEqual([
    ...["bind :5433", "server replica-1 10.20.1.22:5432", "server database 10.20.1.11:5432 backup"],
  ]);
  const single = { database: { availability: "single" } };
  expect(section(haproxyConfig(listenersOf(single)), "reads")).toEqual([
    "bind :5433",
    "server database 10.20.1.11:5432",
  ]);
});

test("after a promotion the promoted server is the primary behind the same ports", () => {
  const config = haproxyConfig(listenersOf({ database: { primary: "db-2" } }));
  expect(section(config, "direct")).toEqual(["bind :5434", "server replica-1 10.20.1.22:5432"]);
  expect(section(config, "cache")).toContainEqual(expect.stringMatching(/^server cache 10\.20\.1\.22:6381 /));
});

test("an external database or Redis has no port", () => {
  const external = settingsOf("scale", { cache: { mode: "external" } }, ["redisUrl", "brokerUrl"]);
  const ports = gatewayListeners(plan("prod", external)).map(({ port }) => port);
  expect(ports).toEqual(["database", "reads", "direct"]);
});

test("no two ports are the same", () => {
  const ports = Object.values(gatewayPorts);
  expect(new Set(ports).size).toBe(ports.length);
});
