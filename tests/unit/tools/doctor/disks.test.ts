/** When `make doctor` says that a disk is full, or that a Volume is larger than its file system. */
import { dataMount, growthCommand } from "../../../../common/server-contract.ts";
import { explain } from "../../../../tools/doctor/advice.ts";
import { checkDisk, disksOf } from "../../../../tools/doctor/disks.ts";
import type { Engines } from "../../../../tools/engines.ts";
import { stackOf } from "../../policy/support.ts";
import { type Answer, outcomeOf } from "../../support/process.ts";

const [disk, volume] = disksOf(stackOf("mvp").topology);
const df = (used: string, free: string) => ({ stdout: `Use% Avail\n ${used}  ${free}\n` });

/** The check of a disk on a server that gives these answers to `df` and to the command that grows a Volume. */
function checked(one: typeof disk, said: Answer, growth: Answer = { code: 127 }) {
  if (!one) throw new Error("a server has a disk and a Volume");
  const askOnHost = (words: readonly string[]) => Promise.resolve(outcomeOf(words[0] === "df" ? said : growth));
  return checkDisk(one, { of: () => ({ askOnHost }) } as unknown as Pick<Engines, "of">);
}

test("the disks of a server are that of its containers, and the Volume with data", () => {
  expect(disksOf(stackOf("scale").topology).map(({ name }) => name)).toEqual(
    expect.arrayContaining(["disk of core-1", "volume of core-1", "disk of app-nbg1-1"]),
  );
  expect([disk?.path, volume?.path]).toEqual(["/var/lib/docker", dataMount]);
});

test.each([
  ["89%", undefined],
  ["90%", "disk-full"],
  ["100%", "disk-full"],
])("a disk of which %s are used", async (used, problem) => {
  const detail = `${used} used, 3.1G free`;
  expect(await checked(disk, df(used, "3.1G"))).toEqual({
    service: "disk of core-1",
    ...(problem && { problem }),
    detail,
  });
});

test("a full Volume is another problem, whatever its file system: it can grow", async () => {
  const { problem } = await checked(volume, df("95%", "1.0G"), { stdout: "21474836480 10737418240\n" });
  expect(problem).toBe("volume-full");
  expect(explain("volume-full", "volume of core-1", "STACK=prod").remedy).toContain(
    "orion:database.volumeGb and make up",
  );
});

test.each([
  ["as large as its Volume", { stdout: "10737418240 10737418240\n" }, undefined],
  ["a block group smaller", { stdout: "10737418240 10632560640\n" }, undefined],
  ["smaller", { stdout: "21474836480 10737418240\n" }, "10.0 GB of the Volume are not in its file system"],
  ["on a server that has not got the command yet", { code: 127 }, undefined],
])("a file system that is %s", async (_, growth, detail) => {
  const finding = await checked(volume, df("40%", "6.0G"), growth);
  expect(finding.problem).toBe(detail && "volume-ungrown");
  expect(finding.detail).toBe(detail ?? "40% used, 6.0G free");
  expect(explain("volume-ungrown", "", "STACK=prod").remedy).toContain(growthCommand);
});

test("only Volumes are asked how far they have grown", async () => {
  const { problem } = await checked(disk, df("42%", "3.4G"), { stdout: "21474836480 10737418240\n" });
  expect(problem).toBeUndefined();
});

test("a server that cannot be asked is a problem with what it said", async () => {
  const seen = await checked(disk, { code: 255, stderr: "ssh: connect to host 192.0.2.1: No route to host\n" });
  expect(seen).toMatchObject({ problem: "no-answer", detail: "ssh: connect to host 192.0.2.1: No route to host" });
});
