import { type Order, prove } from "../../../testing/order-ledger.ts";

/** Orders of a second each; that of 12:00:05 is acknowledged half a second after it was given. */
const ledger: readonly Order[] = [3.1, 4.1, 4.8, 6.2, 7.1].map((begun, index) => ({
  ...{ id: index + 1, reference: `r${index + 1}`, begun: Date.UTC(2026, 10, 29, 12) / 1000 + begun },
  acknowledged: Date.UTC(2026, 10, 29, 12) / 1000 + begun + 0.5,
}));
const second = "2026-11-29 12:00:05";
const printed = (ids: readonly number[]) =>
  ["fetched (3 s)", ...ids.map((id) => `order ${id} r${id}`), "restored public.orders: 3 rows"].join("\n");

test.each([
  [[1, 2], { before: 2, after: 3 }],
  // The third one is given before the second and acknowledged after it: both are right.
  [[1, 2, 3], { before: 3, after: 2 }],
])("the orders %j may be what is there at that second", (ids, counted) => {
  expect(prove(ledger, second, printed(ids))).toEqual(counted);
});

test.each([
  [[1], "1 orders were restored; of 5, 2 were acknowledged up to 2026-11-29 12:00:05 and 2 given after it"],
  [[1, 2, 3, 4], "4 orders were restored"],
  [[], "0 orders were restored"],
  [[1, 3], "Expected values to be strictly deep-equal"],
])("the orders %j may not", (ids, why) => {
  expect(() => prove(ledger, second, printed(ids))).toThrow(why);
});

test("a second that no order was given before or after proves nothing", () => {
  expect(() => prove(ledger, "2026-11-29 12:00:00", printed([]))).toThrow("0 orders were restored");
  expect(() => prove(ledger, "2026-11-29 12:00:09", printed([1, 2, 3, 4, 5]))).toThrow("5 orders were restored");
});
