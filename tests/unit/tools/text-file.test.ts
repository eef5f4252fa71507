/** Files that a command is given and that it cannot read or write. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../../common/user-error.ts";
import { pictureOf, writePicture } from "../../../tools/diagram/diagram.ts";
import { drawAgain } from "../../../tools/report/draw-again.ts";
import { describeStack } from "../../../tools/stack-file.ts";
import { temporaryFolder } from "../../../testing/folder.ts";

test("a picture in a folder that is missing is an error with its path", async () => {
  const picture = pictureOf(describeStack("dev", { config: { "orion:phase": "development" } }));
  const file = join(temporaryFolder("picture"), "none", "x.dot");
  await expect(writePicture(picture, file)).rejects.toThrow(
    new RegExp(`^The picture ${file} could not be written: ENOENT`),
  );
  await expect(writePicture(picture, file)).rejects.toThrow(UserError);
});

test("a record that is missing, or is no JSON, is an error with its path", () => {
  const folder = temporaryFolder("record");
  expect(() => drawAgain(folder, "none.json", undefined)).toThrow(/^The record .*none\.json could not be read: ENOENT/);
  writeFileSync(join(folder, "cut.json"), "{");
  expect(() => drawAgain(folder, "cut.json", undefined)).toThrow(/^cut\.json is not the record of a rehearsal/);
});
