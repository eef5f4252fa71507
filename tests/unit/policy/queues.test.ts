/** Queues that lose their last worker. */
import { moveOfMvp } from "./support.ts";

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
      instead: expect.stringContaining("make doctor") as string,
    })),
  ]);
});

test("a queue that shares its worker from now on, or gets one, is none", async () => {
  expect(await found({}, { dedicated: false })).toEqual([]);
  expect(await found({ queues: ["default"] }, { queues: ["default", "high"] })).toEqual([]);
});
