/** The commands of README and docs that need no Docker and no account, as they stand there, in a copy of the project. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Block, blocksFor, commandsOf, nameOf } from "../../testing/documented.ts";
import { freePorts, Sandbox, succeed } from "../../testing/sandbox.ts";
import { describeStack, parseStackText } from "../../tools/stack-file.ts";

jest.setTimeout(300_000);

/** README comes first: it makes the stack `prod`, with this passphrase. */
const environment = { PULUMI_CONFIG_PASSPHRASE: "...", PULUMI_SKIP_UPDATE_CHECK: "true" };
let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = new Sandbox(process.cwd(), "documented", await freePorts());
  // What a pull request is compared with.
  const git = "git -c user.name=test -c user.email=test@example.com";
  const copy = `git init --quiet --initial-branch=main && git add --all && ${git} commit --quiet --message Copy`;
  succeed(sandbox.run("sh", ["-c", copy]));
});

afterAll(() => {
  sandbox.dispose();
});

const blocks = blocksFor("alone").map((block): [string, Block] => [nameOf(block), block]);

test("there are such commands, and the first page makes a stack for the others", () => {
  expect(blocks.length).toBeGreaterThan(5);
  expect(blocks.find(([, block]) => commandsOf(block).some((one) => one.includes("stack init prod")))?.[1].page).toBe(
    "README.md",
  );
});

test.each(blocks)("%s", (_, block) => {
  succeed(sandbox.run("bash", ["-euo", "pipefail", "-c", commandsOf(block).join("\n")], environment));
  // Whatever they have set, the program takes.
  const text = readFileSync(join(sandbox.root, "Pulumi.prod.yaml"), "utf8");
  expect(() => describeStack("prod", parseStackText("prod", text))).not.toThrow();
});
