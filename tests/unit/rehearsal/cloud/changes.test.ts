import { ChangeLog } from "../../../../rehearsal/cloud/change-log.ts";
import { type Change, type CloudObjects, grouped } from "../../../../rehearsal/cloud/changes.ts";
import type { Action, Server } from "../../../../rehearsal/hetzner/state.ts";
import { Store } from "../../../../rehearsal/store.ts";

let store: Store<CloudObjects>;
let log: ChangeLog;
let now: number;
beforeEach(() => {
  now = Date.UTC(2026, 0, 1);
  store = new Store<CloudObjects>(":memory:");
  log = new ChangeLog(() => new Date(now));
  log.follow(store);
});
afterEach(() => {
  store.close();
});

const named = (id: number, name: string) => ({ id, name, labels: {}, created: "" });
const server = (id: number, name: string, status: Server["status"] = "running"): Server => ({
  ...{ ...named(id, name), type: "cx23", image: 1, location: "nbg1", userData: "", sshKeys: [], status, on: true },
  ...{ diskGb: 40, networks: [], placementGroup: undefined, protection: { delete: false, rebuild: false } },
  ...{ rescue: false, backups: false, iso: undefined, rootPassword: undefined, instance: 1 },
});
const action = (command: string, resources: Action["resources"], more: Partial<Action> = {}): Action => ({
  ...{ id: 1, command, status: "success", progress: 100, resources, error: null },
  ...{ started: "2026-01-01T00:00:00+00:00", finished: "2026-01-01T00:00:00+00:00", ...more },
});
const lines = (): string[] =>
  log.last.map(({ subject, name, verb, tone, detail }) =>
    [`${subject} ${name} ${verb}`, ...(detail === null ? [] : [detail]), ...(tone === "plain" ? [] : [tone])].join(
      "; ",
    ),
  );

test("what is created and deleted is said, with the name that it had", () => {
  store.put("hetzner.server", 1, server(1, "web"));
  store.delete("hetzner.server", 1);
  const value = { id: "r", type: "A", name: "www.example.com", content: "203.0.113.1" };
  store.put("cloudflare.record", "r", { owner: "z", value });
  store.put("cloudflare.record", "r", { owner: "z", value });
  store.put("cloudflare.record", "r", { owner: "z", value: { ...value, content: "203.0.113.2" } });
  expect(lines()).toEqual([
    "DNS record A www.example.com changed; 203.0.113.2",
    "DNS record A www.example.com created; 203.0.113.1",
    "server web deleted",
    "server web created",
  ]);
});

test("a zone's settings and rulesets have the names that people know them by", () => {
  const zone = "0123456789abcdef";
  store.put("cloudflare.setting", `${zone}/settings/ssl`, { owner: zone, value: { value: "full" } });
  store.put("cloudflare.setting", `${zone}/bots`, { owner: zone, value: { enable_js: true } });
  store.put("cloudflare.ruleset", "1", { owner: zone, value: { id: "1", name: "default", phase: "http_ratelimit" } });
  expect(lines()).toEqual(["ruleset http_ratelimit created", "zone setting bots created", "zone setting ssl created"]);
});

test("a server that goes off without an action is said, and one with an action once", () => {
  store.put("hetzner.server", 1, server(1, "web"));
  const resources = [{ id: 1, type: "server" }];
  store.put("hetzner.server", 1, server(1, "web", "stopping"));
  store.put("hetzner.action", 1, action("stop_server", resources, { status: "running", finished: null }));
  expect(lines()[0]).toBe("server web is being powered off; busy");
  store.put("hetzner.server", 1, server(1, "web", "off"));
  store.put("hetzner.action", 1, action("stop_server", resources));
  store.put("hetzner.server", 1, server(1, "web", "running"));
  store.put("hetzner.server", 1, server(1, "web", "off"));
  expect(lines()).toEqual([
    "server web went off without an API call; bad",
    "server web came up without an API call; good",
    "server web powered off",
    "server web created",
  ]);
});

test("an action says what it did to what, and why it failed", () => {
  store.put("hetzner.server", 1, server(1, "web"));
  const volume = { ...named(7, "data"), sizeGb: 10, location: "nbg1", server: undefined, format: undefined };
  store.put("hetzner.volume", 7, { ...volume, automount: false, protection: { delete: false } });
  const resources = [
    { id: 7, type: "volume" },
    { id: 1, type: "server" },
  ];
  store.put("hetzner.action", 2, action("attach_volume", resources, { id: 2 }));
  const error = { code: "action_failed", message: "no luck" };
  store.put("hetzner.action", 3, action("detach_volume", resources, { id: 3, status: "error", error }));
  store.put("hetzner.action", 4, action("enable_rescue", resources.slice(1), { id: 4 }));
  expect(lines().slice(0, 3)).toEqual([
    "server web enable rescue",
    "Volume data detach volume failed; action_failed: no luck; bad",
    "Volume data attached to web",
  ]);
});

test("a creation says when the server is ready, if it took its time, or that it failed", () => {
  const resources = [{ id: 1, type: "server" }];
  store.put("hetzner.server", 1, server(1, "web"));
  const create = (more: Partial<Action>) => {
    store.put("hetzner.action", 1, action("create_server", resources, more));
  };
  create({ status: "running", finished: null });
  expect(lines()[0]).toBe("server web is being created; busy");
  create({});
  expect(lines()).toEqual(["server web created"]);
  create({ finished: "2026-01-01T00:00:12+00:00" });
  expect(lines()[0]).toBe("server web ready; after 12 s; good");
  create({ status: "error", error: { code: "action_failed", message: "no luck" } });
  expect(lines()[0]).toBe("server web could not be created; action_failed: no luck; bad");
});

test("the targets of a load balancer are named", () => {
  store.put("hetzner.server", 1, server(1, "web"));
  const balancer = (...servers: number[]) => {
    const targets = servers.map((id) => ({ type: "server" as const, server: id, usePrivateIp: false }));
    store.put("hetzner.load_balancer", 5, {
      ...{ ...named(5, "edge"), type: 1, location: "nbg1", zone: "eu-central", algorithm: "round_robin", services: [] },
      ...{ targets, ip: "", ipv6: "", publicInterface: true, network: undefined, dnsPtr: {} },
      protection: { delete: false },
    });
  };
  balancer();
  balancer(1);
  balancer(1);
  balancer();
  expect(lines().slice(0, 3)).toEqual([
    "load balancer edge lost the target web",
    "load balancer edge got the target web",
    "load balancer edge created",
  ]);
});

test("faults are said when they begin and end, with names", () => {
  store.put("hetzner.server", 1, server(1, "web"));
  const fault = { id: 1, kind: "never_boots", server: 1 } as const;
  store.put("rehearsal.fault", 1, fault);
  store.delete("rehearsal.fault", 1);
  const limit = {
    id: 2,
    kind: "reply",
    api: "hetzner",
    path: "/",
    status: 429,
    message: "m",
    rate: 1,
    times: 2,
  } as const;
  store.put("rehearsal.fault", 2, { ...limit, left: 2 });
  store.put("rehearsal.fault", 2, { ...limit, left: 1 });
  expect(lines().slice(0, 3)).toEqual([
    "fault reply api=hetzner status=429 message=m times=2 left=2 is on; bad",
    "fault never_boots server=web is over; good",
    "fault never_boots server=web is on; bad",
  ]);
});

test("what was rolled back did not happen, and the log keeps the last ones", () => {
  expect(() =>
    store.transaction(() => {
      store.put("hetzner.server", 1, server(1, "web"));
      throw new Error("no");
    }),
  ).toThrow("no");
  expect(lines()).toEqual([]);
  for (let number = 1; number <= 600; number++) store.put("hetzner.server", number, server(number, `web-${number}`));
  expect(log.last).toHaveLength(500);
  expect(log.last[0]?.name).toBe("web-600");
});

describe("what happens together", () => {
  const change = (second: number, name: string, verb: string, tone: Change["tone"] = "plain"): Change => ({
    ...{ key: `k${second}-${name}`, time: new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString() },
    ...{ subject: "server", name, verb, tone, detail: null },
  });
  const shown = (changes: readonly Change[]) =>
    grouped(changes).map(({ verb, members }) => `${members.map(({ name }) => name).join(" ")} ${verb}`);

  test("takes one line, also when something else happens in between", () => {
    expect(
      shown([
        change(9, "c", "created"),
        change(8, "net", "ready"),
        change(7, "b", "created"),
        change(6, "a", "created"),
      ]),
    ).toEqual(["c b a created", "net ready"]);
  });

  test("does not hide that the same happened again, nor what happened long before, nor what broke", () => {
    expect(shown([change(9, "a", "powered off"), change(8, "a", "powered on"), change(7, "a", "powered off")])).toEqual(
      ["a powered off", "a powered on", "a powered off"],
    );
    expect(shown([change(60, "b", "created"), change(10, "a", "created")])).toHaveLength(2);
    expect(shown([change(9, "b", "went off", "bad"), change(8, "a", "went off", "bad")])).toHaveLength(2);
  });
});
