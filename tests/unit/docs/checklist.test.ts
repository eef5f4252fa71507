/** What the enterprise checklist says is not there yet is what the program refuses, and nothing else. */
import { presets, unbuiltTraits } from "../../../config/presets.ts";
import { pageText } from "../../../testing/documented.ts";

test("the traits that are 'not yet' are those that are not built", () => {
  const { monitoring } = presets.ha;
  // No preset has the server for metrics yet.
  const all = [...Object.values(presets), { ...presets.ha, monitoring: { ...monitoring, enabled: true } }];
  const unbuilt = all.flatMap(unbuiltTraits).map((trait) => trait.split(" ")[0]);
  const said = [...pageText("docs/checklist.md").matchAll(/\| not yet \| `(orion:[\w.]+)`/g)].map(([, key]) => key);
  // A trait that was built: say in docs/checklist.md what it does, and link to its page.
  expect(said.sort()).toEqual([...new Set(unbuilt)].sort());
});

test("every line that is there links to what does it, or names its setting or command", () => {
  const rows = [...pageText("docs/checklist.md").matchAll(/^\| ([^|]+) \| ([^|]+) \| ([^|]*) \|$/gm)]
    .map(([, item = "", here = "", how = ""]) => ({ item, here, how }))
    .filter(({ item }) => item !== "Item" && !item.startsWith("---"));
  expect(rows.length).toBeGreaterThan(30);
  expect(rows.filter(({ here, how }) => !here.startsWith("not yet") && !/\]\(|`/.test(how))).toEqual([]);
});
