/** Who may do what in Redis, and that no clear password is in its ACL file. */
import { createHash } from "node:crypto";
import { aclText, redisUsers, rightsOf, withFormerClients } from "../../../../components/cache/users.ts";

const passwords = { app: "pw-app", worker: "pw-worker", flower: "pw-flower", monitor: "pw-monitor", admin: "pw-admin" };
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const lineOf = (text: string, user: string) => text.split("\n").find((line) => line.startsWith(`user ${user} `)) ?? "";

describe.each(["cache", "broker", "all"] as const)("the users of a Redis that is %s", (use) => {
  const text = aclText(redisUsers({ use, passwords }));

  test("each has the hash of its own password, and the file no clear one", () => {
    for (const [user, password] of Object.entries(passwords)) {
      expect(lineOf(text, user)).toContain(` on #${sha256(password)} `);
    }
    expect(text).not.toContain("pw-");
  });

  test("nobody is let in as default, replica or sentinel", () => {
    // With its rights, or Redis would lose the transactions in its append-only file at a restart.
    expect(lineOf(text, "default")).toBe("user default off ~* &* +@all");
    for (const user of ["replica", "sentinel"]) expect(lineOf(text, user)).toMatch(/^user \w+ off /);
  });

  test("dangerous commands are the admin's alone", () => {
    expect(lineOf(text, "admin")).toMatch(/ \+@all$/);
    for (const user of ["app", "worker", "flower"]) expect(lineOf(text, user)).toMatch(/ -@admin -@dangerous( |$)/);
    expect(lineOf(text, "monitor")).not.toContain("+@");
  });
});

test("where Sentinel watches, replicas and Sentinels log in, and have no command for data", () => {
  const text = aclText(redisUsers({ use: "broker", passwords, roles: { replica: "pw-r", sentinel: "pw-s" } }));
  expect(lineOf(text, "replica")).toBe(`user replica on #${sha256("pw-r")} +psync +replconf +ping`);
  expect(lineOf(text, "sentinel")).toContain(` on #${sha256("pw-s")} `);
  expect(lineOf(text, "sentinel")).not.toMatch(/~|@/);
});

test("the app has all keys of the cache, and of the broker those of Celery and the stack's own", () => {
  expect(rightsOf("app", "cache")).toContain("~*");
  expect(rightsOf("app", "all")).toContain("~*");
  const inBroker = rightsOf("app", "broker", ["redbeat*"]);
  expect(inBroker).not.toContain("~*");
  expect(inBroker).toEqual(
    expect.arrayContaining(["~celery-task-meta-*", "~redbeat*", "(~* +lpush +llen +exists +type)"]),
  );
});

test("Flower has no key of the cache, and writes none of the broker's queues", () => {
  expect(rightsOf("flower", "cache").filter((rule) => /[~&]/.test(rule))).toEqual([]);
  expect(rightsOf("flower", "broker").filter((rule) => rule.includes("~*") && !rule.includes("%R~*"))).toEqual([
    "~*.reply.celery.pidbox*",
  ]);
});

test("while clients of the version before are replaced, default has its former password, and reads the data of before", () => {
  const line = lineOf(aclText(withFormerClients(redisUsers({ use: "broker", passwords }), "former")), "default");
  expect(line).toContain(` on #${sha256("former")} ~* &* +@all -@admin -@dangerous `);
  expect(line).toMatch(/ \+flushall \+flushdb \+restore \+swapdb$/);
});
