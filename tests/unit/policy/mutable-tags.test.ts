/** Images whose tag names no version. */
import { hasMutableTag } from "../../../policy/mutable-tags.ts";
import { moveOfMvp } from "./support.ts";

test.each([
  ["registry.example.com/app:latest", true],
  ["registry.example.com:5000/app", true],
  ["app", true],
  ["registry.example.com/app:main", true],
  ["registry.example.com/app:1.0.0", false],
  ["registry.example.com:5000/app:main-4f2a91c", false],
  [`app@sha256:${"a".repeat(64)}`, false],
  [`app:latest@sha256:${"a".repeat(64)}`, false],
  ["rclone/rclone:1", false],
])("%s: %s", (reference, expected) => {
  expect(hasMutableTag(reference)).toBe(expected);
});

test("it is named once, though nothing changes", async () => {
  const latest = { app: { image: "registry.example.com/app:latest" } };
  const { changes, findings } = await moveOfMvp(latest, latest);
  expect(changes).toEqual([]);
  expect(findings).toMatchObject([{ severity: "danger", name: "registry.example.com/app:latest" }]);
});
