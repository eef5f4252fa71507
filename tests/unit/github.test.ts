/** Files for GitHub, Renovate and editors, which only their own programs read. */
import { readdirSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";
import { officialImages } from "../../config/images.ts";
import { engineVersion } from "../../toolchain/src/parts.ts";

const renovate = z
  .looseObject({
    customManagers: z.array(
      z.looseObject({ managerFilePatterns: z.array(z.string()), matchStrings: z.array(z.string()) }),
    ),
  })
  .parse(JSON.parse(readFileSync(".github/renovate.json", "utf8")));

/** What Renovate's patterns find in a file of this repository. */
const foundIn = (file: string) =>
  renovate.customManagers
    .filter(({ managerFilePatterns }) => managerFilePatterns.some((one) => new RegExp(one.slice(1, -1)).test(file)))
    .flatMap(({ matchStrings }) => matchStrings)
    .flatMap((pattern) => [...readFileSync(file, "utf8").matchAll(new RegExp(pattern, "g"))])
    .map(({ groups }) => ({ ...groups }));

test("Renovate finds every official image, the engine, and the Python programs", () => {
  const images = Object.values(officialImages).map((reference) => {
    const [depName, currentValue] = reference.split(":");
    return { depName, currentValue };
  });
  expect(foundIn("config/images.ts")).toEqual(images);
  expect(foundIn("toolchain/src/parts.ts")).toEqual([{ currentValue: engineVersion }]);
  const programs = readFileSync("toolchain/python-tools.txt", "utf8").match(/^\S+==\S+/gm);
  expect(foundIn("toolchain/python-tools.txt").map((one) => Object.values(one).join("=="))).toEqual(programs);
});

test("forms for issues have what GitHub demands", () => {
  const form = z.object({
    name: z.string().min(1),
    description: z.string().min(1),
    body: z.array(z.looseObject({ type: z.enum(["markdown", "textarea", "input", "dropdown", "checkboxes"]) })).min(1),
  });
  const folder = ".github/ISSUE_TEMPLATE";
  for (const file of readdirSync(folder).filter((name) => name !== "config.yml")) {
    const { body } = form.parse(parse(readFileSync(`${folder}/${file}`, "utf8")));
    const ids = body.flatMap(({ type, id }) => (type === "markdown" ? [] : [z.string().parse(id)]));
    expect(new Set(ids).size).toBe(ids.length);
  }
});

test("the devcontainer forwards the ports of the development stack", () => {
  // JSON with comments: YAML has none of that kind.
  const text = readFileSync(".devcontainer/devcontainer.json", "utf8").replace(/^\s*\/\/.*$/gm, "");
  const { forwardPorts } = z.looseObject({ forwardPorts: z.array(z.number()) }).parse(JSON.parse(text));
  expect(forwardPorts.sort()).toEqual([5432, 5555, 6380, 8000, 8080, 9991]);
});
