/** From which age on `make doctor` warns, and that a warning is no failure. */
import { isWarning } from "../../../../tools/doctor/advice.ts";
import { ageOfImages, ageOfServer } from "../../../../tools/doctor/ages.ts";
import { readStatus } from "../../../../tools/patch/server-status.ts";

const now = new Date("2026-11-29T12:00:00Z");
const pin = (date: string) => ({ digest: `sha256:${"ab".repeat(32)}`, date });

test.each([
  ["fresh digests", { redis: pin("2026-11-20"), nginx: pin("2026-10-20") }, undefined, "digests of 40 days ago"],
  ["an old one", { redis: pin("2026-11-20"), nginx: pin("2026-10-10") }, "images-old", "digests of 50 days ago"],
  ["one without a digest", { redis: pin("2026-11-20") }, "images-unpinned", "without a digest: nginx"],
])("images with %s", (_, pins, problem, detail) => {
  expect(ageOfImages(["redis", "nginx"], pins, now)).toEqual({ ...(problem && { problem }), detail });
});

const server = (...lines: string[]) =>
  readStatus(["boot 1", "up 864000", "kernel 6", "docker 20", ...lines].join("\n"));

test.each([
  ["made lately", ["first-boot 2026-11-01T00:00:00Z"], undefined, "made 28 days ago, up 10 days"],
  [
    "patched lately",
    ["first-boot 2025-01-01T00:00:00Z", "patched 2026-11-19T00:00:00Z"],
    undefined,
    "patched 10 days ago, up 10 days",
  ],
  ["patched long ago", ["patched 2026-10-01T00:00:00Z"], "patch-late", "patched 59 days ago, up 10 days"],
  ["of unknown age", [], "patch-late", "never patched, up 10 days"],
  [
    "that needs a reboot",
    ["patched 2026-11-19T00:00:00Z", "newest-kernel 7"],
    "reboot-pending",
    "patched 10 days ago, up 10 days, needs a reboot: kernel 7 is installed, 6 runs",
  ],
  [
    "with a security update that waits",
    ["patched 2026-11-19T00:00:00Z", "package runc [1] (2 Debian-Security:12/stable-security [amd64])"],
    "security-updates",
    "patched 10 days ago, up 10 days, security updates wait: runc",
  ],
  [
    "with another update",
    ["patched 2026-11-19T00:00:00Z", "package tzdata [1] (2 Debian:12.8/stable [amd64])"],
    undefined,
    "patched 10 days ago, up 10 days",
  ],
])("a server %s", (_, lines, problem, detail) => {
  expect(ageOfServer(server(...lines), now)).toEqual({ ...(problem && { problem }), detail });
});

test("age is a warning, a fault is not", () => {
  expect((["images-old", "patch-late", "reboot-pending", "disk-full"] as const).map(isWarning)).toEqual([
    true,
    true,
    true,
    false,
  ]);
});
