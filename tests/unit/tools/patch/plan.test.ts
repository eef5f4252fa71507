/** The order in which servers are patched, and what is said of each beforehand. */
import { plan } from "../../../../topology/plan.ts";
import { describe as describeServer, drainsFirst, isBehind, serversInOrder } from "../../../../tools/patch/plan.ts";
import { readStatus } from "../../../../tools/patch/server-status.ts";
import { settingsOf } from "../../support/settings.ts";

const order = (phase: "mvp" | "scale" | "enterprise", more: Readonly<Record<string, unknown>> = {}) =>
  serversInOrder(plan("prod", settingsOf(phase, more))).map(({ server, kind }) => `${server.name} ${kind}`);

test("the only server of the MVP holds the data", () => {
  expect(order("mvp")).toEqual(["core-1 data"]);
});

test("servers that others stand in for go first, the standby before the primary, the primary last", () => {
  expect(order("scale")).toEqual([
    "app-nbg1-1 stateless",
    "app-hel1-1 stateless",
    "worker-nbg1-1 alone",
    "db-2 standby",
    "core-1 data",
  ]);
});

test("servers with a Redis that others have a copy of do not hold the only one", () => {
  expect(order("enterprise").slice(-4)).toEqual(["cache-2 redis", "cache-3 redis", "db-2 standby", "core-1 data"]);
  expect(describeServer("redis", readStatus(`${fine}reboot-asked-by libc6\n`))).toContain(
    "Sentinels promote another Redis within seconds if this server has the master",
  );
});

test("after a promotion the new primary goes last", () => {
  expect(order("scale", { database: { primary: "db-2" } }).slice(-2)).toEqual(["db-3 standby", "db-2 data"]);
});

test("containers that nobody needs meanwhile are stopped first; those with data only for a reboot", () => {
  expect((["stateless", "alone", "redis", "standby", "data"] as const).map(drainsFirst)).toEqual([
    ...[true, true, false, false, false],
  ]);
});

const fine = "boot 1\nup 5\nkernel 6\ndocker 20.10.24\n";
const docker = "package docker.io [1] (2 Debian:12.8/stable [amd64])\n";
const kernel = "package linux-image-6.1.0-28-cloud-amd64 (6.1.119-1 Debian-Security:12/stable-security [amd64])\n";

test.each([
  [fine, false],
  [`${fine}${docker}`, true],
  [`${fine}reboot-asked-by libc6\n`, true],
  [`${fine}docker-replaced yes\n`, true],
  ["boot 1\nup 5\nkernel 6\n", true],
])("a server is behind when something on it is not what is installed, or not the newest", (said, expected) => {
  expect(isBehind(readStatus(said))).toBe(expected);
});

test("what is said names Docker and the kernel, the reason of a reboot, and who waits", () => {
  expect(describeServer("data", readStatus(fine))).toBe("up to date");
  expect(describeServer("data", readStatus(fine + docker))).toBe(
    "1 package, 0 of them for security (docker.io 2); no reboot unless a package asks for one; " +
      "requests fail for about a second while Docker restarts",
  );
  expect(describeServer("data", readStatus(fine + docker + kernel))).toBe(
    "2 packages, 1 of them for security (docker.io 2, linux-image-6.1.0-28-cloud-amd64 6.1.119-1); " +
      "a reboot: for its new kernel; the platform pauses while it reboots",
  );
  expect(describeServer("standby", readStatus(`${fine}reboot-asked-by libc6\n`))).toBe(
    "no newer packages; a reboot: asked for by libc6; the standby pauses, the primary serves",
  );
  expect(describeServer("stateless", readStatus(fine + docker))).toContain("the other servers do its work");
  expect(describeServer("alone", readStatus(fine + docker))).toContain("its work pauses");
});
