/** What messages of the rehearsal cloud tell people to type. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { commandFor, isPackage, sources } from "../../../../rehearsal/cloud/commands.ts";

test("in the project, commands are make's, with its variables", () => {
  expect(isPackage).toBe(false);
  expect(existsSync(join(sources, "rehearsal", "cloud", "commands.ts"))).toBe(true);
  expect(commandFor("down")).toBe("make cloud-down");
  expect(commandFor("up", { machines: "none", port: "8480" })).toBe("make cloud-up MACHINES=none PORT=8480");
  expect(commandFor("up", { name: "other" })).toBe("make cloud-up CLOUD=other");
});
