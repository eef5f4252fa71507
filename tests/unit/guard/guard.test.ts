/** The guard's judgement of an update, from a state as the engine writes it. */
import * as pulumi from "@pulumi/pulumi";
import { allow, judge } from "../../../guard/guard.ts";
import { apart } from "../../../policy/compose.ts";
import type { Stack } from "../../../policy/program.ts";
import { graphOf } from "../../../policy/state.ts";
import { images, stackOf, stateOf } from "../policy/support.ts";

class Thing extends pulumi.CustomResource {
  constructor(name: string) {
    super("test:index:Thing", name);
  }
}

const noticed = async (was: Stack, is: Stack): Promise<string[]> => {
  const move = await judge({ ...is, builtImages: images, before: graphOf(await stateOf(was)) });
  return move ? allow(move, [], "STACK=prod") : [];
};

test("a stack that does not exist yet is left alone", async () => {
  expect(await judge({ ...stackOf("mvp"), builtImages: images, before: graphOf({ resources: [] }) })).toBeUndefined();
});

test("what this version cannot bring up is refused", async () => {
  const before = graphOf(await stateOf(stackOf("mvp")));
  await expect(judge({ ...stackOf("ha"), builtImages: images, before })).rejects.toThrow(
    /^The stack needs orion:database\.availability patroni, .* cannot bring up yet/,
  );
});

test("an update that changes nothing says nothing", async () => {
  expect(await noticed(stackOf("mvp"), stackOf("mvp"))).toEqual([]);
});

test("a danger is a note", async () => {
  const notes = await noticed(stackOf("mvp"), stackOf("mvp", { database: { memoryMb: 2048 } }));
  expect(notes).toEqual([expect.stringMatching(/^Note: database-server would be restarted because command changes/)]);
});

test("the loss of data is refused, with what to do instead and the command that shows all of it", async () => {
  await expect(noticed(stackOf("mvp"), stackOf("mvp", { hetzner: { locations: ["hel1"] } }))).rejects.toThrow(
    /nothing was changed:\n(.*\n)*? {2}core-1-volume would be replaced .*Instead: [^]*make diff STACK=prod shows all of it/,
  );
});

test("what the stack can agree to is refused with a command for each, which all work one after the other", async () => {
  const is = stackOf("mvp", { domain: "shop.example.com", workers: { enabled: false } });
  await expect(noticed(stackOf("mvp"), is)).rejects.toThrow(
    /\nTo update anyway:\n {2}npx pulumi config set --path 'orion:agreed\[0\]' worker\n {2}npx .*agreed\[1\]' orion\.example\.com$/,
  );
});

test("without protection it is said, and allowed", async () => {
  const open = { protection: false };
  const notes = await noticed(stackOf("mvp", open), stackOf("mvp", { ...open, hetzner: { locations: ["hel1"] } }));
  expect(notes).toContainEqual(expect.stringMatching(/^Data loss: core-1-volume would be replaced/));
});

test("it composes within a program that the engine runs, whose own registrations are not touched", async () => {
  const made: string[] = [];
  const newResource = ({ name }: pulumi.runtime.MockResourceArgs) => {
    made.push(name);
    return { id: name, state: {} };
  };
  const mocks = { newResource, call: () => ({}) };
  const before = graphOf(await stateOf(stackOf("mvp")));
  await pulumi.runtime.setMocks(mocks, "orion", "outer", true);
  await new Promise((resolve) => new Thing("before").urn.apply(resolve));
  await apart(() => judge({ ...stackOf("mvp"), builtImages: images, before }));
  expect(pulumi.getStack()).toBe("outer");
  await new Promise((resolve) => new Thing("after").urn.apply(resolve));
  expect(made).toEqual(["before", "after"]);
});
