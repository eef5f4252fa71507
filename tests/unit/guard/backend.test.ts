/** Where the engine keeps its state, and whether it knows a stack. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { localState, runningState, stackExists, stateOf, stateUrlOf } from "../../../guard/backend.ts";
import { refuseOtherState } from "../../../guard/update.ts";
import { temporaryFolder } from "../../../testing/folder.ts";

let root: string;
beforeEach(() => {
  root = temporaryFolder("backend");
});

const before = process.env["PULUMI_BACKEND_URL"];
afterEach(() => {
  if (before === undefined) delete process.env["PULUMI_BACKEND_URL"];
  else process.env["PULUMI_BACKEND_URL"] = before;
});

test.each([
  [undefined, "ROOT/.orion/state/.pulumi"],
  ["", "ROOT/.orion/state/.pulumi"],
  ["file:///somewhere/else", "/somewhere/else/.pulumi"],
  ["s3://bucket", undefined],
])("with PULUMI_BACKEND_URL %s lies at %s", (url, expected) => {
  if (url === undefined) delete process.env["PULUMI_BACKEND_URL"];
  else process.env["PULUMI_BACKEND_URL"] = url;
  expect(localState(root, "prod")).toBe(expected?.replace("ROOT", root));
});

test("it lies where Pulumi.yaml says, unless the user says otherwise", () => {
  writeFileSync(join(root, "Pulumi.yaml"), "name: orion\nbackend:\n  url: file:///project/state\n");
  delete process.env["PULUMI_BACKEND_URL"];
  expect(localState(root, "prod")).toBe("/project/state/.pulumi");
  process.env["PULUMI_BACKEND_URL"] = "file:///own/state";
  expect(localState(root, "prod")).toBe("/own/state/.pulumi");
  writeFileSync(join(root, "Pulumi.yaml"), "name: orion\nbackend:\n  url: s3://bucket\n");
  delete process.env["PULUMI_BACKEND_URL"];
  expect(localState(root, "prod")).toBeUndefined();
});

test("it lies where the stack's own file says, which goes before Pulumi.yaml and not before the user", () => {
  writeFileSync(join(root, "Pulumi.yaml"), "name: orion\nbackend:\n  url: file:///project/state\n");
  writeFileSync(join(root, "Pulumi.prod.yaml"), "config:\n  orion:stateUrl: s3://orion-state?region=auto\n");
  delete process.env["PULUMI_BACKEND_URL"];
  expect(stateUrlOf(root, "prod")).toBe("s3://orion-state?region=auto");
  expect(localState(root, "prod")).toBeUndefined();
  expect(localState(root, "dev")).toBe("/project/state/.pulumi");
  process.env["PULUMI_BACKEND_URL"] = "file:///own/state";
  expect(stateUrlOf(root, "prod")).toBe("file:///own/state");
});

test("an update of another place than the stack's file names is refused: it may be what a move has left", () => {
  const url = "s3://orion-state";
  expect(() => {
    refuseOtherState(url, "file:///old");
  }).toThrow(/the stack's state is s3:\/\/orion-state; this update would use file:\/\/\/old.*Nothing was changed/);
  refuseOtherState(url, url);
  refuseOtherState(undefined, "file:///any");
});

test("it does not know a stack that was never made", () => {
  delete process.env["PULUMI_BACKEND_URL"];
  expect(stackExists(root, "dev")).toBe(false);
});

describe("the state of the running stack", () => {
  const latest = { resources: [{ urn: "urn:pulumi:dev::orion::t:t:T::one", type: "t:t:T" }] };
  const path = () => join(root, "own", ".pulumi", "stacks", "orion");
  beforeEach(() => {
    mkdirSync(path(), { recursive: true });
    process.env["PULUMI_BACKEND_URL"] = `file://${join(root, "own")}?metadata=skip`;
  });

  test.each([
    ["as the engine writes it", "dev.json", (text: string) => text],
    ["compressed", "dev.json.gz", (text: string) => gzipSync(text)],
  ])("is read %s", (_how, name, written) => {
    writeFileSync(join(path(), name), written(JSON.stringify({ checkpoint: { latest } })));
    expect(runningState(root, "dev").resources).toMatchObject(latest.resources);
    expect(stateOf(root, "dev")?.resources).toMatchObject(latest.resources);
  });

  test("is asked of the engine where it is no file of this machine, and a failure is no empty state", () => {
    const programs = join(root, "programs");
    mkdirSync(programs);
    const before = process.env["PATH"] ?? "";
    process.env["PATH"] = `${programs}:${before}`;
    process.env["PULUMI_BACKEND_URL"] = "s3://bucket";
    const engine = (script: string) => {
      writeFileSync(join(programs, "pulumi"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    };
    try {
      engine(`[ "$*" = "stack export --stack dev --cwd ${root}" ] && echo '${JSON.stringify({ deployment: latest })}'`);
      expect(runningState(root, "dev").resources).toMatchObject(latest.resources);
      engine("echo 'no such host' >&2; exit 1");
      expect(() => runningState(root, "dev")).toThrow("The state of 'dev' could not be read:\nno such host");
    } finally {
      process.env["PATH"] = before;
    }
  });
});
