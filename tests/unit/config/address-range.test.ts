import { normalRange, rangeProblem } from "../../../config/address-range.ts";

test("a range is without bits of a host, in any spelling", () => {
  expect(["0.0.0.0/0", "203.0.113.7/32", "10.64.0.0/10", "::/0", "2001:DB8:0:0::/48"].map(rangeProblem)).toEqual(
    Array(5).fill(undefined),
  );
  expect(rangeProblem("10.127.0.1/10")).toMatch(/^10\.64\.0\.0\/10, or /);
  expect(rangeProblem("2001:db8:ffff::/33")).toMatch(/^2001:db8:8000::\/33, or /);
  expect(normalRange("2001:DB8:0::/48")).toBe("2001:db8::/48");
});
