import { spawn } from "node:child_process";
import { join } from "node:path";
import { confirm, table } from "../../../tools/terminal.ts";

test("columns of equal width, without blanks at the end", () => {
  expect(
    table([
      ["a", "b"],
      ["long", ""],
      ["x", "yy"],
    ]),
  ).toBe("a     b\nlong\nx     yy");
});

test("without a terminal a question is answered with no", async () => {
  expect(await confirm("Delete everything?")).toBe(false);
});

const keys = { "Ctrl-C": "\x03", "Ctrl-D": "\x04", yes: "yes\r", y: "y\r" } as const;
const source = join(process.cwd(), "tools", "terminal.ts");
const program = `import { confirm } from '${source}'; try { console.log('agreed', await confirm('Go on?')); } finally { console.log('ended'); }`;

// `script` is the terminal; its options are others elsewhere.
(process.platform === "linux" ? test : test.skip).each([
  ["Ctrl-C", false],
  ["Ctrl-D", false],
  ["y", false],
  ["yes", true],
] as const)("at a terminal %s is answered with %s, and what was begun is ended", async (key, agreed) => {
  const command = `NO_COLOR=1 node --input-type=module -e "${program}"`;
  const terminal = spawn("script", ["-qec", command, "/dev/null"], { stdio: "pipe" });
  let shown = "";
  terminal.stdout.setEncoding("utf8").on("data", (text: string) => {
    const hasAsked = shown.includes("Type yes");
    shown += text;
    if (!hasAsked && shown.includes("Type yes")) terminal.stdin.write(keys[key]);
  });
  await new Promise((resolve) => terminal.once("close", resolve));
  expect(shown).toMatch(new RegExp(`agreed ${agreed}\\s+ended`));
});
