/** The program's graph is checked before it is judged: against the plan, and against the rules that protect data. */
import type { Graph, Recorded } from "../../../policy/graph.ts";
import { refuseOwnMistakes } from "../../../policy/program.ts";
import { graphsBetween, stackOf } from "./support.ts";

/** The program's graph of phase mvp, with one resource changed. */
async function changed(name: string, change: (resource: Recorded) => Recorded | []): Promise<Graph> {
  const { after } = await graphsBetween(stackOf("mvp"), stackOf("mvp"));
  return { ...after, resources: after.resources.flatMap((one) => (one.name === name ? change(one) : one)) };
}

const unprotected = ({ inputs, ...resource }: Recorded): Recorded => ({
  ...resource,
  inputs: { ...inputs, deleteProtection: false },
});

test("a program that leaves a planned service out is refused", async () => {
  const graph = await changed("workers-beat", () => []);
  expect(() => {
    refuseOwnMistakes(stackOf("mvp"), graph);
  }).toThrow("the program does not follow its plan: beat is planned once and has 0 containers");
});

test("a program that does not protect data is refused, in a stack that is protected", async () => {
  const graph = await changed("core-1-volume", unprotected);
  expect(() => {
    refuseOwnMistakes(stackOf("mvp"), graph);
  }).toThrow(
    "the program does not protect its data: hcloud:index/volume:Volume core-1-volume: deleteProtection is off",
  );
  refuseOwnMistakes(stackOf("mvp", { protection: false }), graph);
});
