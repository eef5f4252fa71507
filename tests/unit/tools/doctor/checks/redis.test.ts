/** What `make doctor` says of a Redis: its users, and what it has refused. */
import { checkRedis, refusals, wrongUsers } from "../../../../../tools/doctor/checks/redis.ts";
import { plan } from "../../../../../topology/plan.ts";
import { servicesOf } from "../../../../../topology/topology.ts";
import { settingsOf } from "../../../support/settings.ts";

const running = ["user admin on #aa", "user app on #bb", "user default off resetchannels"];
const files = ["file admin", "file app", "file default"];
const may = [
  "flushall admin OK",
  "flushall default OK",
  "flushall app User app has no permissions to run the 'flushall' command",
];
const users = (...more: string[]) => [...running, ...more, ...files, ...may].join("\n");
const entry = (more: object = {}) => ({
  ...{ count: 1, reason: "command", context: "toplevel", object: "flushall", username: "app", "age-seconds": 12.5 },
  ...more,
});

test("the program's users are well", () => {
  expect(wrongUsers(users())).toEqual([]);
});

test.each([
  [users("user guest on nopass"), ["the user guest is not the program's", "the user guest needs no password"]],
  [users().replace("user app on #bb\n", ""), ["the user app is missing"]],
  [users("flushall app OK"), ["the user app may delete everything"]],
  [users().replace("default off", "default on"), ["default is on"]],
  [
    "sh: 0: cannot open /etc/orion/redis/current/admin",
    ["its users cannot be read: sh: 0: cannot open /etc/orion/redis/current/admin"],
  ],
])("users that were changed by hand are told: %#", (text, expected) => {
  expect(wrongUsers(text)).toEqual(expected);
});

test("default may be on while an update replaces clients of the version before", () => {
  const text = users().replace("default off", "default on");
  expect(wrongUsers(`${text}\nstate leaving`)).toEqual([]);
  expect(wrongUsers(`${text}\nstate closed`)).toEqual(["default is on"]);
});

test("what was refused within a day is named, without what a terminal would obey", () => {
  const log = [
    entry({ count: 3 }),
    entry({ reason: "key", object: "ba\u001bd", username: "flower" }),
    entry({ reason: "auth", object: "AUTH", username: "default" }),
    entry({ "age-seconds": 90_000 }),
  ];
  expect(refusals(JSON.stringify(log))).toEqual(["app flushall (3 times)", "flower key ba?d", "default login"]);
  expect(refusals(JSON.stringify(Array(7).fill(entry())))).toHaveLength(6);
  expect(refusals("NOPERM")).toEqual([]);
});

test("a refusal is a hint, other users are a problem", async () => {
  const topology = plan("dev", settingsOf("development"));
  const [service] = servicesOf(topology, "cache");
  if (!service) throw new Error("development has a cache");
  const info =
    "used_memory:100\r\nused_memory_human:100B\r\nmaxmemory:1000\r\nmaxmemory_human:1000B\r\nconnected_clients:4\r\n";
  const check = (list: string) =>
    checkRedis({
      ...{ service, topology },
      exec: (_service, ...command) => {
        const text = command.join(" ");
        const output = text.endsWith(" info") ? info : text.includes("acl log") ? JSON.stringify([entry()]) : list;
        return Promise.resolve({ ok: true, output });
      },
      workers: () => Promise.reject(new Error("no worker is to be asked")),
    });
  expect(await check(users())).toEqual({ detail: "100B of 1000B, 4 clients; refused within a day: app flushall" });
  expect((await check(users("user guest on nopass"))).problem).toBe("redis-users");
});
