/** A gateway that follows Redis Sentinel: whom it asks, and when it uses a server. */
import { haproxyConfig } from "../../../../components/gateway/haproxy-config.ts";
import { gatewayListeners } from "../../../../components/gateway/listeners.ts";
import { plan } from "../../../../topology/plan.ts";
import { settingsOf } from "../../support/settings.ts";

const listenersOf = (values: Readonly<Record<string, unknown>> = {}) => {
  const settings = settingsOf("scale", values);
  return gatewayListeners(plan("prod", settings), settings, "app-nbg1-1");
};
const listeners = listenersOf({ cache: { availability: "sentinel" } });
const passwords = { sentinel: "pw-gateway", monitor: { cache: "pw-cache", broker: "pw-broker" } };
const config = haproxyConfig(listeners, passwords);
const section = (head: string): string[] =>
  (config.split(`${head}\n`)[1] ?? "").split("\n\n")[0]?.trim().split(/\n\s+/) ?? [];

test("the cache and its replicas are behind one port, under the names and addresses of before", () => {
  const servers = section("listen cache").filter((line) => line.startsWith("server "));
  expect(servers.map((line) => line.split(" ").slice(1, 3).join(" "))).toEqual([
    ...["cache 10.20.1.11:6381", "cache-replica-cache-2 10.20.1.32:6381", "cache-replica-cache-3 10.20.1.33:6381"],
  ]);
  expect(section("listen broker").join()).toContain("10.20.1.33:6382");
});

test("a server is up that says it is the master, and that two of three Sentinels name", () => {
  expect(section("listen cache")).toEqual(
    expect.arrayContaining([
      "tcp-check expect string role:master",
      "tcp-check connect addr 127.0.0.1 port 8405",
      'tcp-check send-lf "GET /%[srv_name] HTTP/1.0\\r\\n\\r\\n"',
    ]),
  );
  const rule = section("frontend masters").find((line) => line.includes("path /cache-replica-cache-2 ")) ?? "";
  expect(rule.split(" || ")).toHaveLength(3);
  for (const pair of rule.split(" || ")) expect(pair.match(/srv_is_up/g)).toHaveLength(2);
});

test("an address is not taken for another one that begins or ends like it", () => {
  const [answer] = section("frontend masters").filter((line) => line.startsWith("acl sentinel-core-1:cache "));
  expect(answer).toMatch(/-m sub "\\n10\.20\.1\.11\\r\\n\\\$4\\r\\n6381\\r\\n"$/);
});

test("connections are let in only while there is exactly one master", () => {
  expect(section("listen cache").filter((line) => line.startsWith("tcp-request"))).toEqual([
    "tcp-request inspect-delay 1s",
    "tcp-request content accept if { nbsrv(cache) eq 1 }",
    "tcp-request content reject if { nbsrv(cache) eq 0 }",
    "tcp-request content reject if WAIT_END",
  ]);
});

test("a connection to a master that is lost is not kept for the next one", () => {
  expect(section("listen broker")).toContain("retries 0");
});

test("each server and Sentinel is asked with its own login, and a gateway without logins is no gateway", () => {
  expect(section("listen broker")).toContain('tcp-check send "AUTH monitor pw-broker\\r\\n"');
  expect(section("backend sentinel-cache-2")).toContain('tcp-check send "AUTH gateway pw-gateway\\r\\n"');
  expect(() => haproxyConfig(listeners)).toThrow("needs passwords to log in");
});

test("without Sentinels nothing of it is there", () => {
  expect(haproxyConfig(listenersOf())).not.toMatch(/sentinel|masters|AUTH /);
});
