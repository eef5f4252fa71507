/** A new cloud beside those that other folders made on this machine. */
import { twinProblem } from "../../../../rehearsal/cloud/other-folders.ts";

const networks = [
  { cloud: "first", bridge: "oc77s1" },
  { cloud: "first", bridge: "oc77p1" },
  { cloud: "second", bridge: "oc78i" },
];

test.each([
  ["third", 79],
  // The name and the block of a cloud whose own begin with them.
  ["firs", 7],
])("one with a name and a block of its own is fine: %s, %s", (instance, block) => {
  expect(twinProblem(networks, { instance, block })).toBeUndefined();
});

test("one with the name of another is refused, with what deletes the other", () => {
  expect(twinProblem(networks, { instance: "first", block: 79 })).toBe(
    `This machine has a rehearsal cloud 'first' that was made in another folder. Choose another name, or delete that cloud in its folder: make cloud-down CLOUD=first
Where the folder is gone, delete what is left:
  docker ps --all --quiet --filter label=orion.rehearsal=first | xargs --no-run-if-empty docker rm --force --volumes
  docker network prune --force --filter label=orion.rehearsal=first`,
  );
});

test.each([77, 78])("one with the address block %s of another is refused", (block) => {
  expect(twinProblem(networks, { instance: "third", block })).toMatch(
    new RegExp(
      `^The address block ${block} belongs to the rehearsal cloud '${block === 77 ? "first" : "second"}', which was made in another folder\\. Choose another block, or`,
    ),
  );
});
