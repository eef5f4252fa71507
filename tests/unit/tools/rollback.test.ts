import { earlierImage, type History } from "../../../tools/rollback.ts";

const update = (image: string, more: Partial<History[number]> = {}): History[number] => ({
  kind: "update",
  result: "succeeded",
  endTime: "2026-11-25T12:00:00.000Z",
  config: { "orion:app": { value: JSON.stringify({ image }) } },
  ...more,
});

test("the newest update that went well with another image is the one to go back to", () => {
  const history = [
    update("app:3", { result: "failed" }),
    update("app:2"),
    update("app:2"),
    update("app:9", { kind: "preview" }),
    update("app:1", { endTime: "2026-11-24T08:00:00.000Z" }),
    update("app:0"),
  ];
  expect(earlierImage("app:2", history)).toEqual({ image: "app:1", time: "2026-11-24T08:00:00.000Z" });
  // The update to the image of now has failed: what ran before it still runs.
  expect(earlierImage("app:3", history)?.image).toBe("app:2");
});

test("where nothing else has run there is nothing to go back to", () => {
  expect(earlierImage("app:1", [update("app:1"), update("app:2", { result: "failed" })])).toBeUndefined();
  expect(earlierImage("app:1", [update("x", { config: {} }), { kind: "update", result: "succeeded" }])).toBeUndefined();
  expect(earlierImage("app:1", [update("x", { config: { "orion:app": { value: "{" } } })])).toBeUndefined();
});
