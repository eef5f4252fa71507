/** What the report of a rehearsal on real data says of production. */
import { copiesIn, dataParts, productionUpdate } from "../../../../tools/report/data-parts.ts";
import { estimateOf } from "../../../../tools/report/estimate.ts";
import { sampleRecord } from "./sample.ts";

const base = sampleRecord();
const { from } = base.update;
const copy = {
  ...({ action: "create", resource: "Container replica-1-server", place: "db-2", failed: false } as const),
  ...{ from, to: from + 20_000 },
};
const data = {
  ...{ name: "backup 20261125T023512Z", databaseBytes: 100e6, productionBytes: 300e6, tables: 5, scrub: "scrub.sql" },
  ...{ work: [{ what: "restore of the dump", bytes: 100e6, seconds: 10 }], closedServers: 1 },
};
const record = { ...base, data, update: { ...base.update, steps: [...base.update.steps, copy] } };

test("three times the bytes take three times as long at the measured rate", () => {
  expect(estimateOf({ what: "restore", bytes: 100e6, seconds: 10 }, 3)).toEqual({
    ...{ what: "restore", bytes: 100e6, seconds: 10, rate: 10e6, productionBytes: 300e6, productionSeconds: 30 },
  });
  // So little says nothing of a rate.
  expect(estimateOf({ what: "restore", bytes: 5000, seconds: 2 }, 3)).toMatchObject({ productionSeconds: 2 });
  // A rehearsal on more than production has is no promise that production is faster.
  expect(estimateOf({ what: "restore", bytes: 100e6, seconds: 10 }, 0.5)).toMatchObject({ productionSeconds: 10 });
});

test("of a move, the copy to a new replica depends on the amount of data", () => {
  expect(copiesIn(record)).toEqual([{ what: "copy to replica-1, and its start", bytes: 100e6, seconds: 20 }]);
  expect(productionUpdate(record)).toBe(160 + 40);
  expect(copiesIn(base)).toEqual([]);
});

test("a scrub that made the database larger than production's does not make production look smaller", () => {
  expect(productionUpdate({ ...record, data: { ...data, databaseBytes: 200e6 } })).toBe(160 + 40);
});

test("the report says what was restored, that it was scrubbed, and that nothing could go out", () => {
  const text = dataParts(record)
    .join(" ")
    .replaceAll(/<[^>]+>/g, " ")
    .replaceAll(/\s+/g, " ");
  expect(text).toContain(
    "backup 20261125T023512Z was restored before the move: 5 tables, 100.0 MB. scrub.sql ran first",
  );
  expect(text).toMatch(
    /restore of the dump 100\.0 MB 10\.0 s 10\.0 MB&#47;s|restore of the dump 100\.0 MB 10\.0 s 10\.0 MB\/s/,
  );
  expect(text).toContain("the update takes about 200 s there");
  expect(text).toContain("found and reached nothing outside");
  expect(dataParts({ ...record, data: { ...data, scrub: null } }).join(" ")).toContain("No SQL removed personal data");
  expect(dataParts(base)).toEqual([]);
});
