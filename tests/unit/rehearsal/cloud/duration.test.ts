import { durationOf, durationText } from "../../../../rehearsal/cloud/duration.ts";

test.each([
  ["40d", 40 * 86_400_000],
  ["36h", 36 * 3_600_000],
  ["1d12h30m5s", 131_405_000],
])("%s", (text, milliseconds) => {
  expect(durationOf(text)).toBe(milliseconds);
  expect(durationOf(durationText(milliseconds))).toBe(milliseconds);
});

test.each(["", "40", "d", "-1d", "1.5d", "1d x", "0d", "1826d"])("'%s' is no duration", (text) => {
  expect(() => durationOf(text)).toThrow(/^Got '.*', expected a duration of at most 1825d/);
});
