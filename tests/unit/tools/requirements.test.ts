/** Supply chain: what is installed from Python's index has a hash, and the images refuse what has none. */
import { readFileSync } from "node:fs";
import { requirementFiles } from "../../../tools/requirements.ts";

test.each([...requirementFiles.map((file) => `${file}.txt`), "toolchain/python-tools.txt"])(
  "every package of %s has an exact version and hashes",
  (file) => {
    const packages = readFileSync(file, "utf8")
      .replace(/\s*#.*$/gm, "")
      .split(/\n(?=\S)/)
      .filter((entry) => entry.trim() !== "");
    expect(packages.length).toBeGreaterThan(1);
    expect(
      packages.filter((entry) => !/^[\w.-]+==\S+ \\\n( +--hash=sha256:[0-9a-f]{64}( \\)?\n?)+$/.test(entry)),
    ).toEqual([]);
  },
);

test.each(["sample-app/Dockerfile", "images/docs/Dockerfile", "sample-app/tests/run.sh"])(
  "%s requires hashes",
  (file) => {
    const installs = readFileSync(file, "utf8").match(/pip"? install [^\n]*requirements[^\n]*/g) ?? [];
    expect(installs.length).toBeGreaterThan(0);
    expect(installs.filter((line) => !line.includes("--require-hashes"))).toEqual([]);
  },
);
