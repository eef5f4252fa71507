/** A stack's file, as `pulumi config set` writes it. */
import { describeStack } from "../../../tools/stack-file.ts";
import { leastValues } from "../support/settings.ts";

const config = (more: object) =>
  Object.fromEntries(
    Object.entries({ ...leastValues("scale"), ...more }).map(([key, value]) => [`orion:${key}`, value]),
  );

test("a value that was set as a text means the same to the tools as to the engine", () => {
  const { settings } = describeStack("prod", { config: config({ protection: "false", services: '["cache"]' }) });
  expect(settings).toMatchObject({ protection: false, services: ["cache"] });
  expect(describeStack("prod", { config: config({ domain: "1e3.example.com" }) }).settings.domain).toBe(
    "1e3.example.com",
  );
});
