/** The lines of the red-team table, and what is said when they differ. */
import { differencesFromGolden, goldenGraph } from "../../../testing/golden.ts";
import { openOf, reachLines } from "../../../testing/red-team/reach.ts";
import { grouped, type Survey, type SurveyedContainer } from "../../../testing/red-team/survey.ts";

const container = (service: string): SurveyedContainer => ({
  ...{ service, kind: "app", id: service, pid: 1, networks: [], addresses: [], variables: [], runs: [], root: "ro" },
  ...{ writes: [], reads: [], files: [], listens: [], listensUdp: [] },
});

test("a place that reaches nothing has a line as well", () => {
  expect(reachLines("neighbour", new Map())).toEqual([{ kind: "reach", name: "neighbour->nothing", values: [{}] }]);
});

test("addresses of one name are one line, with its ports in order", () => {
  const targets = ["172.18.0.2", "172.19.0.2"].map((address) => ({ name: "app@core-1", address }));
  const open = openOf(["172.19.0.2:9999", "172.18.0.2:8000", "172.18.0.2:9999"], targets);
  expect(reachLines("edge@core-1", open)).toEqual([
    { kind: "reach", name: "edge@core-1->app@core-1", values: [{ ports: [8000, 9999] }] },
  ]);
});

test("instances that are alike are one line, others each have their own", () => {
  const survey: Survey = { server: "core-1", listens: [], listensUdp: [], containers: [] };
  const [one, two] = [container("app-core-1-1"), container("app-core-1-2")];
  const lines = (ports: number) => (name: string) => [{ kind: "container", name, values: [{ ports }] }];
  const names = (...ports: [number, number]) =>
    grouped(
      survey,
      new Map([
        [one, lines(ports[0])],
        [two, lines(ports[1])],
      ]),
    ).map(({ name }) => name);
  expect(names(8000, 8000)).toEqual(["app@core-1"]);
  expect(names(8000, 9999)).toEqual(["app-core-1-1", "app-core-1-2"]);
});

test("a difference names whole lines", () => {
  const [first, ...others] = goldenGraph("graph-dev").map(({ type, name, inputs, options }) => {
    return { kind: type, name, values: [inputs, options] };
  });
  if (!first) throw new Error("the graph is empty");
  expect(differencesFromGolden("graph-dev", [first, ...others], false)).toEqual({ unexpected: [], missing: [] });
  const { unexpected, missing } = differencesFromGolden(
    "graph-dev",
    [{ ...first, values: [{ port: 1 }] }, ...others],
    false,
  );
  expect(unexpected).toEqual([`${first.kind} ${first.name} {"port":1}`]);
  expect(missing).toEqual([expect.stringContaining(`${first.kind} ${first.name} {`)]);
});
