/** What Node.js loads first in the processes that the engine starts: the SDK works without what it leaves out. */
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";

const preload = resolve("toolchain/src/preload.cjs");
const tracing = resolve("node_modules/@pulumi/pulumi/cmd/run/tracing.js");

/** A program that registers a resource, logs and fails, and prints what it saw. */
const program = `
const pulumi = require("@pulumi/pulumi");
const settings = require("@pulumi/pulumi/runtime/settings.js");
const loaded = (pattern) => Object.keys(require.cache).filter((path) => pattern.test(path));
const said = [];
pulumi.runtime.setMocks({ newResource: ({ name, inputs }) => ({ id: name, state: inputs }), call: () => ({}) });
require(${JSON.stringify(tracing)}).newSpan("program").end();
const made = new pulumi.CustomResource("a:b:C", "made", { input: "its value" });
made.input = pulumi.output("its value");
pulumi.all([made.id, made.urn]).apply(async ([id, urn]) => {
  settings.getEngine = () => ({ log: (request, done) => { said.push(request.getMessage()); done(); } });
  await pulumi.log.debug("nobody reads this");
  await pulumi.log.warn("people read this");
  console.log(JSON.stringify({
    id, urn, said,
    unused: loaded(/@npmcli.arborist|.typescript.lib|.automation.|opentelemetry.(sdk|exporter)/),
    typescript: process.env.PULUMI_NODEJS_TYPESCRIPT ?? "as Node.js runs it",
    frames: new Error("with a trace").stack.split("\\n").length > 2,
  }));
});
`;

test("the SDK registers, logs and fails as ever; what programs do not use is not loaded, and debug messages are not sent", () => {
  const { stdout, stderr } = spawnSync(process.execPath, ["--require", preload, "--eval", program], {
    ...{ encoding: "utf8", env: { ...process.env, PULUMI_NODEJS_TYPESCRIPT: "true", PULUMI_EXPERIMENTAL: "" } },
  });
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toEqual({
    ...{ id: "made", urn: "urn:pulumi:stack::project::a:b:C::made", said: ["people read this"] },
    ...{ unused: [], typescript: "as Node.js runs it", frames: true },
  });
});
