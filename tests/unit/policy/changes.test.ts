import { ignoredInputs } from "../../../common/ignored-inputs.ts";
import { changesBetween } from "../../../policy/changes.ts";
import type { Graph, Recorded } from "../../../policy/graph.ts";

const graphOf = (type: string, inputs: Recorded["inputs"]): Graph => ({
  resources: [{ type, name: "one", inputs, options: {} }],
  uses: new Map([[`${type} one`, {}]]),
});
const changed = (type: string, input: string) =>
  changesBetween(graphOf(type, { [input]: "before" }), graphOf(type, { [input]: "after" })).flatMap(
    ({ inputs }) => inputs,
  );

test.each(Object.entries(ignoredInputs).flatMap(([type, inputs]) => inputs.map((input) => [type, input] as const)))(
  "%s: another %s is no change, as for the plugin",
  (type, input) => {
    expect(changed(type, input)).toEqual([]);
    expect(changed(type, "other")).toEqual(["other"]);
  },
);
