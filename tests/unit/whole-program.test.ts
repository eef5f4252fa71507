/** A program whose connection to the engine breaks off ends without an error: that must not look like its end. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { failUnlessWhole } from "../../whole-program.ts";

class Thing extends pulumi.CustomResource {
  constructor(name: string, opts: pulumi.CustomResourceOptions = {}) {
    super("test:index:Thing", name, {}, opts);
  }
}

/** Runs a program whose thing called `late` is never taken on. @returns what was said at its end */
async function endOf(make: () => void): Promise<string[]> {
  const newResource = ({ name }: pulumi.runtime.MockResourceArgs) =>
    name === "late" ? new Promise<never>(() => undefined) : Promise.resolve({ id: name, state: {} });
  const call = () => Promise.reject(new Error("nothing is called"));
  await pulumi.runtime.setMocks({ newResource, call }, "orion", "test", false);
  const said: string[] = [];
  await pulumi.runtime.runInPulumiStack(() => {
    failUnlessWhole((message) => said.push(message));
    make();
    return Promise.resolve();
  });
  // All that the mocks do is done within turns of the event loop; time would mean less of them on a busy machine.
  for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate);
  process.emit("beforeExit", 0);
  return said;
}

test("a program that got everything through ends well", async () => {
  expect(await endOf(() => new Thing("two", { dependsOn: new Thing("one") }))).toEqual([]);
});

test("one that did not fails, and names what was not taken on", async () => {
  const said = await endOf(() => new Thing("two", { dependsOn: new Thing("late") }));
  expect(said).toEqual([
    expect.stringMatching(/before the engine had 2 of its resources: test:index:Thing late, test:index:Thing two\./),
  ]);
});

test("one whose engine was killed ends, instead of telling the engine so for ever", async () => {
  // As the SDK does with an error that nothing has caught.
  const script = `
    import { endWithEngine } from ${JSON.stringify(resolve("whole-program.ts"))};
    endWithEngine();
    process.on("uncaughtException", (error) => console.error("failed to deliver", error.message));
    process.stdin.once("data", () => { throw new Error("the channel was shut down"); });
    console.log("started");`;
  const program = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: "pipe" });
  try {
    await once(program.stdout, "data");
    program.stdout.destroy();
    program.stderr.destroy();
    program.stdin.write("go on\n");
    expect(await once(program, "exit")).toEqual([1, null]);
  } finally {
    program.kill("SIGKILL");
  }
});
