/** The committed pictures of README and docs, drawn by the real Graphviz. */
import { spawnSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileCache } from "../../support/compile-cache.ts";

const run = (...args: string[]) =>
  spawnSync("node", args, { encoding: "utf8", env: { ...process.env, ...compileCache } });

test("the pictures of README and docs show the plans of the stack files", () => {
  const { status, stdout, stderr } = run("tools/diagram/pictures.ts", "--check");
  expect({ stdout, stderr }).toEqual({ stdout: "", stderr: "" });
  expect(status).toBe(0);
});

test("every text has the width that its box was made for, whatever font the reader has", () => {
  for (const file of globSync("docs/pictures/*.svg")) {
    const texts = readFileSync(file, "utf8").match(/<text [^>]*>/g) ?? [];
    expect(texts.length).toBeGreaterThan(5);
    expect(texts.filter((one) => !/ textLength="[\d.]+" lengthAdjust="spacingAndGlyphs"/.test(one))).toEqual([]);
  }
});

test("a picture is an SVG, a PNG or Graphviz' text, by the ending of its name", () => {
  const folder = mkdtempSync(join(tmpdir(), "orion-diagram-"));
  try {
    const file = join(folder, "plan.png");
    const made = run("tools/cli.ts", "diagram", "--stack", "prod", "--to", "scale", "--file", file);
    expect({ status: made.status, stderr: made.stderr }).toEqual({ status: 0, stderr: "" });
    expect(readFileSync(file).subarray(1, 4).toString()).toBe("PNG");
    const refused = run("tools/cli.ts", "diagram", "--stack", "prod", "--file", join(folder, "plan.gif"));
    expect(refused.status).toBe(2);
    expect(refused.stderr).toContain("allowed: a name that ends in .svg, .png or .dot");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
