import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { removeCutOffAttributes } from "../../../../tools/recovery/state-attributes.ts";
import { temporaryFolder } from "../../../../testing/folder.ts";

let root: string;
beforeEach(() => (root = temporaryFolder("state")));

test("of attributes that are not whole none stays; state, history and other stacks are not touched", () => {
  const state = join(root, ".orion", "state", ".pulumi");
  const files = {
    "stacks/orion": { "prod.json": "", "prod.json.attrs": "", "prod.json.bak.attrs": "{}", "prod-2.json.attrs": "" },
    "history/orion/prod": { "1.history.json": "", "1.history.json.attrs": '{"user.' },
    "history/orion/dev": { "1.history.json.attrs": "" },
  };
  for (const [folder, texts] of Object.entries(files)) {
    mkdirSync(join(state, folder), { recursive: true });
    for (const [name, text] of Object.entries(texts)) writeFileSync(join(state, folder, name), text);
  }
  removeCutOffAttributes(root, "prod");
  expect(readdirSync(join(state, "stacks/orion")).sort()).toEqual([
    ...["prod-2.json.attrs", "prod.json", "prod.json.bak.attrs"],
  ]);
  expect(readdirSync(join(state, "history/orion/prod"))).toEqual(["1.history.json"]);
  expect(readdirSync(join(state, "history/orion/dev"))).toEqual(["1.history.json.attrs"]);
});

test("a stack that has no state yet has nothing to be removed", () => {
  expect(() => {
    removeCutOffAttributes(root, "prod");
  }).not.toThrow();
});
