import { daysSince } from "../../../common/dates.ts";

test("days are whole ones", () => {
  expect(daysSince("2026-11-01", new Date("2026-11-29T23:00:00Z"))).toBe(28);
});
