/** The state of a stack, as the engine exports it and takes it back. */
import { readState } from "../../../tools/state.ts";
import { playedProgram } from "../support/played-program.ts";

const engine = playedProgram("pulumi");
const resource = { urn: "urn:a", type: "hcloud:index/server:Server", custom: true };

test("a stack that does not exist has no state", () => {
  expect(readState("/root", "other")).toBeUndefined();
  expect(engine.calls()).toEqual(["stack export --stack other --cwd /root"]);
});

test("what is written back is the whole of it, with the change, and what the tools do not know of stays", () => {
  const deployment = { manifest: { magic: "m" }, resources: [resource], metadata: {} };
  engine.answer("stack export", JSON.stringify({ version: 3, deployment }));
  const state = readState("/root", "prod");
  expect(state?.deployment.resources).toEqual([{ ...resource, inputs: {} }]);
  expect(state?.deployment.pending_operations).toEqual([]);

  engine.answer("stack import", "");
  state?.write({ ...state.deployment, resources: [] });
  expect(engine.calls().at(-1)).toBe("stack import --stack prod --cwd /root");
  expect(JSON.parse(engine.read())).toEqual({
    version: 3,
    deployment: { ...deployment, resources: [], pending_operations: [] },
  });
});

test("a state of another form is an error, not an empty one", () => {
  engine.answer("stack export", JSON.stringify({ deployment: {} }));
  expect(() => readState("/root", "prod")).toThrow(/version/);
});
