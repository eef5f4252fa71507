/** What the promotion asks PostgreSQL on the replica's server, and what it says when that does not go on. */
import { testClock } from "../../../../testing/clock.ts";
import { isServing, ReplicaServer } from "../../../../tools/promotion/replica-server.ts";
import { type Answer, outcomeOf } from "../../support/process.ts";

const promotion = {
  ...{ lost: "core-1", lostService: "database", lostAddress: "10.20.1.11" },
  ...{ server: "db-2", service: "replica-1", forgotten: false },
};
const recovering = { stdout: "t|2026-11-29 12:00:00|7|0/5000060|0/5000000\n" };
const primary = { stdout: "f||||\n" };

/** A server whose PostgreSQL gives these answers, the last one until the end. */
function replicaOf(...answers: Answer[]) {
  const asked: string[][] = [];
  const capture = (...words: string[]) => {
    asked.push(words);
    return outcomeOf(answers[Math.min(asked.length, answers.length) - 1] ?? {});
  };
  const clock = testClock();
  return { replica: new ReplicaServer({ stack: "prod" }, promotion, { capture }, clock), asked, clock };
}

test("what it has received is told from what it has applied", () => {
  const { replica, asked } = replicaOf(recovering);
  expect(replica.look()).toEqual({
    ...{ inRecovery: true, lastTransaction: "2026-11-29 12:00:00", age: "7" },
    ...{ received: "0/5000060", replayed: "0/5000000" },
  });
  expect(asked[0]?.slice(0, 3)).toEqual(["exec", "orion-prod-replica-1", "psql"]);
});

test("it is promoted, waited for until it has applied everything, and has to accept a write", async () => {
  const { replica, asked, clock } = replicaOf(recovering, { stdout: "t\n" }, recovering, recovering, primary);
  await replica.promote();
  const queries = asked.map((words) => words.at(-1) ?? "");
  expect(queries.filter((query) => query.includes("pg_promote"))).toHaveLength(1);
  expect(queries.at(-1)).toBe("SELECT pg_current_xact_id()");
  expect(clock.slept).toEqual([200, 200]);
});

test("one that is a primary already is not promoted again", async () => {
  const { replica, asked } = replicaOf(primary);
  await replica.promote();
  expect(asked.flat().join(" ")).not.toContain("pg_promote");
});

test("one that stays a replica is an error after ten minutes, with what to do", async () => {
  const { replica, clock } = replicaOf(recovering);
  await expect(replica.promote()).rejects.toThrow(
    "PostgreSQL on db-2 was told to promote itself, and is still a replica after 600 s. Run this again.",
  );
  expect(clock.now()).toBe(600_000);
});

test("one that does not answer is an error with what it said, and the way if it is lost too", () => {
  const { replica } = replicaOf({ code: 1, stderr: "No such container: orion-prod-replica-1\n" });
  expect(() => replica.look()).toThrow(
    /^The replica replica-1 on db-2 does not answer: No such container: orion-prod-replica-1\n.*restore a backup/,
  );
});

test("a server that was never completely made does not answer, and reaches nobody", () => {
  const unmade = new ReplicaServer({ stack: "prod" }, promotion, undefined);
  expect(() => unmade.look()).toThrow("does not answer: the state has no Docker Engine on this server");
  expect(unmade.reachesPrimary()).toBe(false);
});

test.each([
  ["10.20.1.11:5432 - accepting connections", true],
  // It starts: in a moment it would accept writes.
  ["10.20.1.11:5432 - rejecting connections", true],
  ["10.20.1.11:5432 - no response", false],
  ["pg_isready: command not found", false],
])("whether the lost primary is seen from the replica's server: %s", (said, expected) => {
  const { replica, asked } = replicaOf({ code: 1, stdout: said });
  expect([replica.reachesPrimary(), isServing(said)]).toEqual([expected, expected]);
  expect(asked[0]).toEqual(expect.arrayContaining(["pg_isready", "-h", "10.20.1.11"]));
});
