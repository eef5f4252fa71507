/** Values of the configuration, as the engine and a stack's file have them. */
import { decode, encryptedPaths } from "../../../config/value.ts";

test.each([
  ["true", true],
  ["5432", 5432],
  ["-1.5", -1.5],
  ["[1,2]", [1, 2]],
  ['{"a":"b"}', { a: "b" }],
  ['"5432"', "5432"],
  ["null", null],
  // Texts that only begin like JSON, or that a number would not give back.
  ["", ""],
  ["True", "True"],
  ["{a}", "{a}"],
  ["12345678901234567890", "12345678901234567890"],
  ["1.50", "1.50"],
  ["1e3", "1e3"],
  ["007", "007"],
  ["-0", "-0"],
])("%s is read as %j", (text, value) => {
  expect(decode(text)).toEqual(value);
});

test.each([
  ["text", []],
  [undefined, []],
  [null, []],
  [{ secure: "v1:abc" }, ["app"]],
  [{ secrets: { A: { secure: "v1:abc" }, B: "open", C: { secure: "v1:def" } } }, ["app.secrets.A", "app.secrets.C"]],
  // A list is a value as a whole.
  [[{ secure: "v1:abc" }], []],
  [{}, []],
])("below app, %j holds encrypted: %j", (value, paths) => {
  expect(encryptedPaths("app", value)).toEqual(paths);
});
