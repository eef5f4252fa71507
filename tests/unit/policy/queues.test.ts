/** Queues that lose their last worker. */
import { moveBetween } from "../../../policy/dangers.ts";
import { graphsBetween, moveOfMvp, stackOf } from "./support.ts";

const found = async (was: object, is: object) => {
  const { findings } = await moveOfMvp({ workers: was }, { workers: is });
  return findings.filter(({ name }) => name.startsWith("queue ")).map(({ severity, name }) => `${severity} ${name}`);
};

test("a queue without a worker is said, with what becomes of its tasks", async () => {
  const { findings } = await moveOfMvp({}, { workers: { queues: ["default", "emails"] } });
  expect(findings.filter(({ name }) => name.startsWith("queue "))).toEqual([
    ...["imports", "reports"].map((queue) => ({
      severity: "danger",
      name: `queue ${queue}`,
      happens: expect.stringContaining("would have no worker") as string,
      instead: expect.stringContaining("no task waits and none is held") as string,
    })),
  ]);
});

test("a queue that shares its worker from now on, or gets one, is none", async () => {
  expect(await found({}, { dedicated: false })).toEqual([]);
  expect(await found({ queues: ["default"] }, { queues: ["default", "high"] })).toEqual([]);
});

test("a stack that gives Celery up is refused until it agrees; the broker's tasks are kept in any case", async () => {
  const [was, is] = [stackOf("mvp"), stackOf("mvp", { workers: { enabled: false } })];
  const { before, after } = await graphsBetween(was, is);
  const found = (agreed: readonly string[]) =>
    moveBetween(before, after, { agreed }).findings.map(({ severity, name }) => `${severity} ${name}`);
  expect(found([])).toEqual([
    ...["refused worker containers", "danger broker-server", "danger broker-data"],
    ...["danger beat containers", "danger flower containers"],
  ]);
  expect(found(["worker"])).toEqual(expect.arrayContaining(["danger worker containers"]));
  const instead = moveBetween(before, after).findings[0]?.instead;
  expect(instead).toContain("list worker in orion:agreed");
  expect(instead).toContain("no task waits and none is held");
});
