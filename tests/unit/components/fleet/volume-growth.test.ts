/** The script that grows a file system, run by a real shell with programs that say what is asked of them. */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dataMount } from "../../../../common/server-contract.ts";
import { growthScript } from "../../../../components/fleet/volume-growth.ts";
import { temporaryFolder } from "../../../../testing/folder.ts";

const folder = temporaryFolder("volume-growth");
const gigabyte = 2 ** 30;

/** Runs the script on a Volume whose device and file system have these sizes; `grows` says whether the file system does. */
function grow(type: string, deviceGb: number, systemGb: number, wanted: string[], grows = true) {
  const bin = join(folder, "bin");
  mkdirSync(bin, { recursive: true });
  const program = (name: string, text: string) => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  };
  const file = (name: string) => join(folder, name);
  writeFileSync(file("blocks"), `${(systemGb * gigabyte) / 4096}`);
  writeFileSync(file("device"), "/dev/null");
  program("mountpoint", "exit 0");
  program("findmnt", `echo ${type}`);
  program("blockdev", `echo ${deviceGb * gigabyte}`);
  program("sleep", "exit 0");
  const done = grows ? `echo ${(deviceGb * gigabyte) / 4096} > ${file("blocks")}` : "true";
  program("resize2fs", `echo "resize2fs $*"; ${done}`);
  program("xfs_growfs", `echo "xfs_growfs $*"; ${done}`);
  program("dumpe2fs", `echo "Block count:  $(cat ${file("blocks")})"; echo "Block size:  4096"`);
  program("xfs_info", `echo "data     =    bsize=4096   blocks=$(cat ${file("blocks")}), imaxpct=25"`);
  const script = growthScript.replace("/etc/orion/volume", file("device"));
  const { status, stdout, stderr } = spawnSync("sh", ["-s", ...wanted], {
    ...{ input: script, encoding: "utf8", env: { PATH: `${bin}:${process.env["PATH"] ?? ""}` } },
  });
  return { status, stdout: stdout.trim(), stderr: stderr.trim() };
}

test.each([
  ["ext4", "resize2fs /dev/null"],
  ["xfs", `xfs_growfs ${dataMount}`],
])("%s grows to its device while it is mounted", (type, command) => {
  expect(grow(type, 30, 20, ["30"])).toEqual({ status: 0, stdout: command, stderr: "" });
});

test("the sizes are those of device and file system", () => {
  expect(grow("ext4", 30, 20, []).stdout).toBe(`${30 * gigabyte} ${20 * gigabyte}`);
  expect(grow("xfs", 30, 20, []).stdout).toBe(`${30 * gigabyte} ${20 * gigabyte}`);
});

test.each([
  ["a device that does not grow is an error", ["ext4", 20, 20, ["30"]], "which is less than 30 GB"],
  [
    "a file system that does not grow is an error",
    ["ext4", 30, 20, ["30"], false],
    "of the device's 32212254720 bytes",
  ],
  ["an unknown file system is an error", ["btrfs", 30, 20, ["30"]], "btrfs, which this script does not know"],
] as const)("%s", (_, [type, device, system, wanted, grows], message) => {
  const { status, stderr } = grow(type, device, system, [...wanted], grows ?? true);
  expect([status, stderr]).toEqual([1, expect.stringContaining(message)]);
});
