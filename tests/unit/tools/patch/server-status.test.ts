/** What a server says of its packages and its kernel, and how it is read. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { writeFileSync } from "node:fs";
import { temporaryFolder } from "../../../../testing/folder.ts";
import { readStatus, rebootReason, statusScript } from "../../../../tools/patch/server-status.ts";

const text = `boot 47e6dc76-1309168
up 864000
kernel 6.1.0-25-cloud-amd64
newest-kernel 6.1.0-28-cloud-amd64
reboot-asked-by libc6 linux-image-6.1.0-28-cloud-amd64
docker 20.10.24+dfsg1
docker-replaced yes
patched 2026-11-01T03:04:05Z
first-boot 2026-01-01T03:04:05Z
step rebooting 47e6dc76-1309000
listed 2026-11-29T06:00:00Z
package libssl3 [3.0.14-1~deb12u2] (3.0.15-1~deb12u1 Debian-Security:12/stable-security [amd64])
package docker.io [20.10.24+dfsg1-1] (20.10.24+dfsg1-2 Debian:12.8/stable [amd64])
package linux-image-6.1.0-28-cloud-amd64 (6.1.119-1 Debian:12.8/stable [amd64])
`;

test("all of it is read", () => {
  expect(readStatus(text)).toEqual({
    boot: "47e6dc76-1309168",
    upSeconds: 864_000,
    kernel: "6.1.0-25-cloud-amd64",
    newestKernel: "6.1.0-28-cloud-amd64",
    rebootAskedBy: ["libc6", "linux-image-6.1.0-28-cloud-amd64"],
    docker: "20.10.24+dfsg1",
    isDockerReplaced: true,
    patched: "2026-11-01T03:04:05Z",
    firstBootAt: "2026-01-01T03:04:05Z",
    step: { name: "rebooting", detail: "47e6dc76-1309000" },
    isPatching: false,
    listed: "2026-11-29T06:00:00Z",
    packages: [
      { name: "libssl3", from: "3.0.14-1~deb12u2", to: "3.0.15-1~deb12u1", isSecurity: true },
      { name: "docker.io", from: "20.10.24+dfsg1-1", to: "20.10.24+dfsg1-2", isSecurity: false },
      { name: "linux-image-6.1.0-28-cloud-amd64", from: "", to: "6.1.119-1", isSecurity: false },
    ],
  });
});

test("the script runs on a Linux machine, whatever that lacks, and what it prints can be read", () => {
  // To read this machine's package lists would take seconds.
  const folder = temporaryFolder("server-status");
  writeFileSync(join(folder, "apt.conf"), `Dir::State::lists "${folder}";\n`);
  const env = { ...process.env, APT_CONFIG: join(folder, "apt.conf") };
  const { status, stdout, stderr } = spawnSync("sh", ["-s"], { input: statusScript, encoding: "utf8", env });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const { boot, kernel, upSeconds, isPatching } = readStatus(stdout);
  expect(boot).toMatch(/^[0-9a-f-]{36}-\d+$/);
  expect(kernel).not.toBe("");
  expect(upSeconds).toBeGreaterThan(0);
  expect(isPatching).toBe(false);
});

test("a server that says nothing useful is an error", () => {
  expect(() => readStatus("bash: systemctl: not found")).toThrow("this was printed: bash");
});

test.each([
  ["another kernel than the newest", text, "kernel 6.1.0-28-cloud-amd64 is installed, 6.1.0-25-cloud-amd64 runs"],
  [
    "packages that ask for it",
    text.replace(/^newest.*\n/m, ""),
    "asked for by libc6, linux-image-6.1.0-28-cloud-amd64",
  ],
  ["a bare file that asks for it", "boot 1\nkernel 6\nreboot-asked-by \n", "it asks for one"],
  ["the newest kernel", "boot 1\nkernel 6\nnewest-kernel 6\n", undefined],
  ["a kernel that is not the machine's own", "boot 1\nkernel 6\n", undefined],
])("whether a reboot is needed: %s", (_, said, reason) => {
  expect(rebootReason(readStatus(said))).toBe(reason);
});
