import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeSettings } from "../../../rehearsal/cloud/settings.ts";
import { temporaryFolder } from "../../../testing/folder.ts";
import { inUse, uninstall } from "../../../tools/uninstall.ts";

let project: string;
beforeEach(() => {
  project = temporaryFolder("uninstall");
  writeFileSync(join(project, "Pulumi.yaml"), "name: orion\n");
});

function stateOf(stack: string, ...types: readonly string[]): void {
  const folder = join(project, ".orion", "state", ".pulumi", "stacks", "orion");
  mkdirSync(folder, { recursive: true });
  const resources = types.map((type) => ({
    ...{ urn: `urn:pulumi:${stack}::orion::${type}::one`, type },
    custom: !type.startsWith("orion:"),
  }));
  writeFileSync(join(folder, `${stack}.json`), JSON.stringify({ checkpoint: { latest: { resources } } }));
}
const never = () => Promise.reject(new Error("nothing may be looked for"));

test("a stack with resources, with a file or without one, and a rehearsal cloud refuse it, with what to do", async () => {
  writeFileSync(join(project, "Pulumi.dev.yaml"), "config:\n  orion:phase: development\n");
  stateOf("dev", "pulumi:providers:docker", "docker:index/volume:Volume", "orion:index:Platform");
  stateOf("old", "docker:index/container:Container");
  makeSettings(join(project, ".orion", "cloud", "main"), "main", {});
  await expect(uninstall(project, true, never)).rejects.toThrow(
    /^Nothing was removed: .*\n {2}rehearsal cloud 'main': make cloud-down CLOUD=main\n {2}stack 'dev' has 1 resources: make down STACK=dev .*\n {2}stack 'old' has 1 resources/,
  );
});

test("a stack that is down does not, and one whose state is elsewhere is named", () => {
  writeFileSync(join(project, "Pulumi.dev.yaml"), "config:\n  orion:phase: development\n");
  writeFileSync(join(project, "Pulumi.prod.yaml"), "config:\n  orion:stateUrl: s3://state?region=auto\n");
  stateOf("dev", "pulumi:providers:docker");
  expect(inUse(project)).toEqual({ reasons: [], elsewhere: ["prod"] });
});

test("without a terminal nothing is removed unless that is agreed to", async () => {
  const removed: string[] = [];
  const one = {
    what: "/folder",
    remove: () => {
      removed.push("/folder");
      return Promise.resolve();
    },
  };
  const removals = () => Promise.resolve({ removals: [one], kept: [] });
  const said: string[] = [];
  const write = jest.spyOn(process.stdout, "write").mockImplementation((text) => said.push(String(text)) > 0);
  try {
    expect([await uninstall(project, false, removals), removed]).toEqual([1, []]);
    expect(said.join("")).toMatch(/^ {2}\/folder$[^]*Nothing was removed: without a terminal, agree with YES=1/m);
    expect([await uninstall(project, true, removals), removed]).toEqual([0, ["/folder"]]);
  } finally {
    write.mockRestore();
  }
});
