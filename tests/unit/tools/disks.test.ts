import { outcomeOf } from "../support/process.ts";
import { checkDisk, type Disk } from "../../../tools/doctor/disks.ts";
import { explain } from "../../../tools/doctor/advice.ts";
import type { Engines } from "../../../tools/engines.ts";

const volume: Disk = {
  ...{ name: "volume of core-1", server: "core-1", path: "/mnt/orion-data", full: "volume-full", isVolume: true },
};

/** A server whose disk is used so, and whose Volume has these sizes in GB. */
function check(disk: Disk, used: string, sizes?: readonly [device: number, fileSystem: number]) {
  const engine = {
    askOnHost: ([program = ""]: readonly string[]) =>
      Promise.resolve(
        program === "df"
          ? outcomeOf({ stdout: `Use% Avail\n ${used} 3.4G\n` })
          : outcomeOf(
              sizes
                ? { stdout: `${sizes.map((size) => size * 2 ** 30).join(" ")}\n` }
                : { code: 127, stderr: "not found" },
            ),
      ),
  };
  return checkDisk(disk, { of: () => engine } as unknown as Engines);
}

test.each([
  ["42%", [30, 30], undefined],
  ["42%", [30, 29.9], undefined],
  ["42%", [30, 20], "volume-ungrown"],
  ["95%", [30, 20], "volume-full"],
  // A server that no update has given the command yet.
  ["42%", undefined, undefined],
] as const)("a Volume that is used by %s, with device and file system of %j GB", async (used, sizes, problem) => {
  expect((await check(volume, used, sizes)).problem).toBe(problem);
});

test("the finding says how much is missing, and the advice what grows it", async () => {
  expect((await check(volume, "42%", [30, 20])).detail).toBe("10.0 GB of the Volume are not in its file system");
  expect(explain("volume-ungrown", volume.name, "STACK=prod").remedy).toContain("/usr/local/sbin/orion-volume-growth");
});

test("only Volumes are asked", async () => {
  const disk = { name: "disk", server: "core-1", path: "/var/lib/docker" };
  expect((await check(disk, "42%", [30, 20])).problem).toBeUndefined();
});
