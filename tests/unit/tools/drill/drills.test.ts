/** Which drills there are, and which of them a stack can do. */
import { chosenStack } from "../../../../tools/chosen-stack.ts";
import { chosenDrills, drills } from "../../../../tools/drill/drills.ts";
import { sampleLoad, start } from "../report/sample.ts";

const stack = (phase: string) => chosenStack({ root: process.cwd(), project: process.cwd(), stack: "prod" }, phase);
const possible = (phase: string) =>
  drills.flatMap(({ name, unfit }) => (unfit(stack(phase)) === undefined ? [name] : []));

test("all by default, some by name, in their own order", () => {
  expect(chosenDrills(undefined)).toBe(drills);
  expect(chosenDrills("promotion, power-cut").map(({ name }) => name)).toEqual(["power-cut", "promotion"]);
  expect(() => chosenDrills("power-cut,fire")).toThrow(
    "DRILL: got 'fire', allowed: container-kill, full-volume, power-cut, lost-app-server, restore, promotion",
  );
});

test("what needs several servers or a replica is left out where there is one server", () => {
  expect(possible("mvp")).toEqual(["container-kill", "full-volume", "power-cut", "restore"]);
  expect(possible("scale")).toEqual(drills.map(({ name }) => name));
});

test("the promotion comes last: it leaves another primary", () => {
  expect(drills.at(-1)?.name).toBe("promotion");
});

test("after the load balancer has noticed, no request may fail", () => {
  const judge = drills.find(({ name }) => name === "lost-app-server")?.judge;
  const spans = [{ label: "until the load balancer has noticed", from: start, to: start + 10_000 }];
  const failure = (second: number) => ({
    ...{
      began: new Date(start + second * 1000).toISOString(),
      time: new Date(start + second * 1000 + 900).toISOString(),
    },
    ...{ what: "page", why: "502" },
  });
  expect(judge?.(sampleLoad(30, [failure(3), failure(9)]), spans)).toBeUndefined();
  expect(judge?.(sampleLoad(30, [failure(9), failure(11)]), spans)).toContain("1 requests failed");
});
