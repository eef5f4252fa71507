import { confirm, table } from "../../../tools/terminal.ts";

test("columns of equal width, without blanks at the end", () => {
  expect(
    table([
      ["a", "b"],
      ["long", ""],
      ["x", "yy"],
    ]),
  ).toBe("a     b\nlong\nx     yy");
});

test("without a terminal a question is answered with no", async () => {
  expect(await confirm("Delete everything?")).toBe(false);
});
