/**
 * One platform on one rehearsal cloud, as `make rehearse` makes it: from phase to phase and back under load, with what must hold
 * at each stop. A further phase is a further stop. The first test that fails ends the way; the rest is skipped.
 *
 * @jest-environment <rootDir>/testing/ends-at-failure.js
 */
import { resolve } from "node:path";
import { back } from "./journey/back.ts";
import { endOf } from "./journey/end.ts";
import { Journey } from "./journey/journey.ts";
import { mvp } from "./journey/mvp.ts";
import { scale } from "./journey/scale.ts";

jest.setTimeout(1_800_000);

const journey = new Journey(resolve(__dirname, "..", "..", ".."), { name: "journey", block: 81, port: 8485 });
const stops = [mvp, scale, back, endOf(journey)];

afterAll(() => {
  journey.cloud.dispose();
});

describe.each(stops.map((stop, index) => [`stop ${index + 1} of ${stops.length}: ${stop.name}`, stop] as const))(
  "%s",
  (name, { tests }) => {
    let began: number | undefined;
    beforeEach(() => (began ??= performance.now()));
    afterAll(() => {
      const took = began === undefined ? "skipped" : `${((performance.now() - began) / 1000).toFixed(0)} s`;
      process.stdout.write(`${name}: ${took}\n`);
    });
    tests(journey);
  },
);
