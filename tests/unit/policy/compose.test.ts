/** The program under mocks. */
import { mocksFor } from "../../../policy/compose.ts";

test("a call that no mock covers is an error", () => {
  expect(() => mocksFor("up").call({ token: "docker:index/getNetwork:getNetwork", inputs: {} })).toThrow(
    "no mock for the invoke docker:index/getNetwork:getNetwork",
  );
});
