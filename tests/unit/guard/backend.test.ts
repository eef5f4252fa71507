/** Where the engine keeps its state, and whether it knows a stack. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { localState, stackExists } from "../../../guard/backend.ts";
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
  expect(localState(root)).toBe(expected?.replace("ROOT", root));
});

test("it lies where Pulumi.yaml says, unless the user says otherwise", () => {
  writeFileSync(join(root, "Pulumi.yaml"), "name: orion\nbackend:\n  url: file:///project/state\n");
  delete process.env["PULUMI_BACKEND_URL"];
  expect(localState(root)).toBe("/project/state/.pulumi");
  process.env["PULUMI_BACKEND_URL"] = "file:///own/state";
  expect(localState(root)).toBe("/own/state/.pulumi");
  writeFileSync(join(root, "Pulumi.yaml"), "name: orion\nbackend:\n  url: s3://bucket\n");
  delete process.env["PULUMI_BACKEND_URL"];
  expect(localState(root)).toBeUndefined();
});

test("it does not know a stack that was never made", () => {
  delete process.env["PULUMI_BACKEND_URL"];
  expect(stackExists(root, "dev")).toBe(false);
});
