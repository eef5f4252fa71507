/** Lines and commands of what is found. */
import { agreeCommand, agreeTo } from "../../../policy/findings.ts";

test("the command that agrees adds to what the stack agrees to, and replaces none of it", () => {
  expect(agreeCommand("www.example.com", [])).toBe("npx pulumi config set --path 'orion:agreed[0]' www.example.com");
  expect(agreeTo("www.example.com", ["vector", "app-1"])).toBe(
    "agree to it: npx pulumi config set --path 'orion:agreed[2]' www.example.com, and remove it after the update",
  );
});
