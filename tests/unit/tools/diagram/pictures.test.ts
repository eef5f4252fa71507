/** The committed pictures of README and docs, drawn by the real Graphviz. */
import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../../../../testing/folder.ts";
import { diagram } from "../../../../tools/diagram/diagram.ts";
import { compileCache } from "../../support/compile-cache.ts";

test("the pictures of README and docs show the plans of the stack files", () => {
  const env = { ...process.env, ...compileCache };
  const { status, stdout, stderr } = spawnSync("node", ["tools/diagram/pictures.ts", "--check"], {
    encoding: "utf8",
    env,
  });
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

test("a picture is an SVG, a PNG or Graphviz' text, by the ending of its name", async () => {
  const folder = temporaryFolder("diagram");
  const write = jest.spyOn(process.stdout, "write").mockReturnValue(true);
  const chosen = { root: ".", project: ".", stack: "prod", choice: "scale", theme: undefined };
  const drawn = (name: string) => diagram({ ...chosen, file: join(folder, name) });
  try {
    expect(await drawn("plan.png")).toBe(0);
    expect(readFileSync(join(folder, "plan.png")).subarray(1, 4).toString()).toBe("PNG");
    await expect(drawn("plan.gif")).rejects.toThrow("allowed: a name that ends in .svg, .png or .dot");
  } finally {
    write.mockRestore();
  }
});
