import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  installPart,
  createFolderAtomically,
  noteOrigin,
  originOf,
  linkFile,
  removeUnfinished,
} from "../../../../toolchain/src/install.ts";
import type { Part } from "../../../../toolchain/src/parts.ts";
import { writeProgram } from "./support/machine.ts";
import { temporaryFolder } from "../../../../testing/folder.ts";

let root: string;
beforeEach(() => {
  root = temporaryFolder("install");
});
const write = (text: string) => (folder: string) => {
  writeFileSync(join(folder, "file"), text);
  return Promise.resolve();
};
const read = () => readFileSync(join(root, "folder", "file"), "utf8");

describe("a folder", () => {
  test("is not there before it is whole", async () => {
    const seen: string[][] = [];
    await createFolderAtomically(join(root, "folder"), async (folder) => {
      await write("new")(folder);
      seen.push(readdirSync(root).filter((name) => !name.startsWith(".")));
    });
    expect(seen).toEqual([[]]);
    expect(read()).toBe("new");
    expect(readdirSync(root)).toEqual(["folder"]);
  });

  test("takes the place of an older one, of which nothing is left", async () => {
    mkdirSync(join(root, "folder"));
    writeFileSync(join(root, "folder", "old"), "");
    await createFolderAtomically(join(root, "folder"), write("new"));
    expect(readdirSync(join(root, "folder"))).toEqual(["file"]);
    expect(readdirSync(root)).toEqual(["folder"]);
  });

  test("that cannot be filled leaves the older one, and nothing else", async () => {
    await createFolderAtomically(join(root, "folder"), write("old"));
    await expect(createFolderAtomically(join(root, "folder"), () => Promise.reject(new Error("no")))).rejects.toThrow(
      "no",
    );
    expect(read()).toBe("old");
    expect(readdirSync(root)).toEqual(["folder"]);
  });

  test("of a run that was killed is not there; the next run removes what is left of it, and that only", async () => {
    const script = `
      import { writeFileSync } from "node:fs";
      import { createFolderAtomically } from ${JSON.stringify(resolve("toolchain/src/install.ts"))};
      await createFolderAtomically(${JSON.stringify(join(root, "folder"))}, (folder) => {
        writeFileSync(folder + "/file", "half");
        console.log("half way");
        return new Promise((settle) => setTimeout(settle, 60_000));
      });`;
    const child = spawn(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", script],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(readdirSync(root)).toEqual([expect.stringMatching(/^\.orion-unfinished-/)]);
    mkdirSync(join(root, "other"));
    removeUnfinished(root);
    expect(readdirSync(root)).toEqual(["other"]);
    await createFolderAtomically(join(root, "folder"), write("whole"));
    expect(read()).toBe("whole");
  });
});

test("there is nothing to remove in a folder that does not exist", () => {
  expect(() => {
    removeUnfinished(join(root, "nowhere"));
  }).not.toThrow();
});

test("a file is linked rather than copied, and keeps its mode", () => {
  writeProgram(join(root, "a"));
  linkFile(join(root, "a"), join(root, "b"));
  expect(statSync(join(root, "b")).ino).toBe(statSync(join(root, "a")).ino);
});

describe("a part", () => {
  const part = (): Part => ({
    name: "engine",
    kind: "engine",
    version: "1.2.3",
    folder: join(root, "versions", "1.2.3"),
    programs: ["bin/a", "bin/b"],
    buildable: true,
  });

  test("is put together from several folders, and says where it is from", async () => {
    writeProgram(join(root, "one", "bin", "a"));
    writeProgram(join(root, "two", "bin", "b"));
    await installPart(part(), [join(root, "one"), join(root, "two")], { from: "build", sources: "x y" });
    expect(readdirSync(join(part().folder, "bin")).sort()).toEqual(["a", "b"]);
    expect(originOf(part())).toEqual({ from: "build", sources: "x y" });
  });

  test("that is not whole has no origin, whatever its note says", () => {
    writeProgram(join(part().folder, "bin", "a"));
    noteOrigin(part().folder, { from: "download" });
    expect(originOf(part())).toBeUndefined();
    writeProgram(join(part().folder, "bin", "b"));
    expect(originOf(part())).toEqual({ from: "download" });
  });

  test.each([["half a no"], ["null"], ["{}"], ['"build"']])(
    "with the note %j counts as installed by Pulumi",
    (note) => {
      for (const name of part().programs) writeProgram(join(part().folder, name));
      writeFileSync(join(part().folder, "orion-origin.json"), note);
      expect(originOf(part())).toBeUndefined();
    },
  );
});
