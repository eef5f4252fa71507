/** The command that runs a Python program in an image, whatever it calls its Python; for real. */
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../../../common/process.ts";
import { temporaryFolder } from "../../../../testing/folder.ts";
import { pythonCommand } from "../../../../tools/doctor/python.ts";
import { pythonPath } from "../../support/python.ts";

const command = pythonCommand("import sys; print(sys.argv[1:])", "a b", "c");

/** @param names what the image calls its Python */
function inImage(...names: readonly string[]) {
  const path = temporaryFolder("python");
  for (const name of names) symlinkSync(pythonPath(), join(path, name));
  return run("/bin/sh", command.slice(1), { environment: { PATH: path } });
}

test.each([[["python3"]], [["python"]], [["python", "python3"]]])("an image with %j runs it", async (names) => {
  const { code, stdout } = await inImage(...names);
  expect({ code, stdout }).toEqual({ code: 0, stdout: "['a b', 'c']\n" });
});

test("an image without any says what it lacks", async () => {
  const { code, stderr } = await inImage();
  expect({ code, stderr }).toEqual({
    ...{ code: 127, stderr: "the image has neither python3 nor python on its PATH\n" },
  });
});
