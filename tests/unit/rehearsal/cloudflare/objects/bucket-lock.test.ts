/** Lock rules of R2 buckets: what requests would change, and which objects are locked. */
import { changeOf, isLocked } from "../../../../../rehearsal/cloudflare/objects/bucket-lock.ts";

const one = (bucket: string, key: string) => ({ bucket, keys: [key], isBatch: false });

test.each<[string, string, string, string, ReturnType<typeof changeOf>]>([
  ["a deletion", "DELETE", "/files/a/b%20c", "x-id=DeleteObject", one("files", "a/b c")],
  ["a write", "PUT", "/files/a", "", one("files", "a")],
  ["a part of an upload", "PUT", "/files/a", "partNumber=1&uploadId=u", undefined],
  ["the end of an upload", "POST", "/files/a", "uploadId=u", one("files", "a")],
  ["the beginning of an upload", "POST", "/files/a", "uploads=", undefined],
  ["an upload that is given up", "DELETE", "/files/a", "uploadId=u", undefined],
  ["a read", "GET", "/files/a", "", undefined],
  ["a listing", "GET", "/files/", "list-type=2", undefined],
])("%s", (_, method, path, query, expected) => {
  expect(changeOf(method, path, query)).toEqual(expected);
});

test("a deletion of many names them in its body", () => {
  const body = "<Delete><Object><Key>a&amp;b</Key></Object><Object><Key>c/d</Key></Object></Delete>";
  expect(changeOf("POST", "/files", "delete=", body)).toEqual({ bucket: "files", keys: ["a&b", "c/d"], isBatch: true });
});

describe("an object is locked", () => {
  const now = new Date("2026-11-29T12:00:00Z");
  const yesterday = new Date("2026-11-28T12:00:01Z");
  const rule = (condition: unknown, more: Record<string, unknown> = {}) => [
    { id: "x", enabled: true, prefix: "postgresql/", condition, ...more },
  ];
  const day = { type: "Age", maxAgeSeconds: 86_400 };

  test.each([
    ["until it is a day old", rule(day), "postgresql/a", yesterday, true],
    ["but no longer", rule(day), "postgresql/a", new Date("2026-11-28T12:00:00Z"), false],
    ["only below the prefix", rule(day), "notes", yesterday, false],
    ["everywhere without a prefix", rule(day, { prefix: undefined }), "notes", yesterday, true],
    ["not by a rule that is disabled", rule(day, { enabled: false }), "postgresql/a", yesterday, false],
    ["until a date", rule({ type: "Date", date: "2026-12-01" }), "postgresql/a", yesterday, true],
    ["not after the date", rule({ type: "Date", date: "2026-11-01" }), "postgresql/a", yesterday, false],
    ["for ever", rule({ type: "Indefinite" }), "postgresql/a", new Date(0), true],
    ["not when there is none yet", rule({ type: "Indefinite" }), "postgresql/a", undefined, false],
  ])("%s", (_, rules, key, uploaded, expected) => {
    expect(isLocked(rules, key, uploaded, now)).toBe(expected);
  });
});
