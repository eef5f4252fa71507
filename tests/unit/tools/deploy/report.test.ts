import type { State } from "../../../../policy/state.ts";
import { documentOf, markdownOf } from "../../../../tools/deploy/report.ts";

const urn = (type: string, name: string): string => `urn:pulumi:prod::orion::orion:index:Platform$${type}::${name}`;
const resource = (type: string, name: string, inputs: Record<string, unknown> = {}) => ({
  ...{ urn: urn(type, name), type, custom: true, delete: false, protect: false, retainOnDelete: false, inputs },
});
const server = (name: string) =>
  resource("hcloud:index/server:Server", `${name}-server`, { serverType: "cx23", labels: { phase: "mvp" } });
const secret = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ciphertext: "v1:cipher" };
const before: State = {
  resources: [server("core-1"), resource("docker:index/container:Container", "app", { image: "a:1" })],
};
const after: State = {
  resources: [
    server("core-1"),
    server("app-1"),
    resource("docker:index/container:Container", "app", { image: "a:2", envs: secret }),
  ],
};
const deployment = { stack: "prod", commit: "c".repeat(40), code: 0, seconds: 200, before, after };

test("what was done, by server, with the price before and after; no value of an input", () => {
  const report = markdownOf({ ...deployment, findings: [{ service: "app", detail: "ok" }] });
  expect(report).toMatch(/Done: 1 created, 1 (changed|replaced), in 3 min 20 s\./);
  expect(report).toMatch(/phase mvp, € a month 5\.\d\d → 10\.\d\d/);
  expect(report).toContain("| app-1 | 1 created |");
  expect(report).toContain("Doctor: all 1 checks pass.");
  expect(report).not.toMatch(/a:2|cipher/);
  expect(documentOf(deployment)).toMatchObject({ version: 1, succeeded: true, seconds: 200, problems: [] });
});

test("a failed update says what it did until then, and how to go on", () => {
  const report = markdownOf({ ...deployment, code: 1 });
  expect(report).toContain("**The update failed**; what it did until then: 1 created");
  expect(report).toContain("goes on where it stopped");
  expect(report).not.toContain("Doctor");
});

test("doctor's problems are named by their first line; warnings are none", () => {
  const findings = [
    { service: "app", problem: "unhealthy" as const, detail: "unhealthy\nlog with a password" },
    { service: "images", problem: "images-old" as const, detail: "40 days" },
  ];
  const report = markdownOf({ ...deployment, findings });
  expect(report).toContain("1 of 2 checks found a problem");
  expect(report).toContain("- app: unhealthy");
  expect(report).not.toContain("password");
  expect(documentOf({ ...deployment, findings }).problems).toEqual(["app"]);
});

test("nothing to do", () => {
  const report = markdownOf({ ...deployment, after: before });
  expect(report).toContain("Done: nothing changes");
  expect(report).not.toContain("<details>");
});
