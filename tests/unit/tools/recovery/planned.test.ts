/** What the next update would make, as the engine's history and preview say. */
import { unknownValue } from "../../../../common/secrets.ts";
import { lastUpdateFailed, plannedCreates } from "../../../../tools/recovery/planned.ts";
import { playedProgram } from "../../support/played-program.ts";

const engine = playedProgram("pulumi");

test.each([
  ["an update that failed, yes", [{ kind: "update", result: "failed" }], true],
  ["an update that went well, no", [{ kind: "update", result: "succeeded" }], false],
  ["a destroy that failed, no", [{ kind: "destroy", result: "failed" }], false],
  ["nothing at all, no", [], false],
])("whether the last update failed: after %s", (_, history, expected) => {
  engine.answer("stack history", JSON.stringify(history));
  expect(lastUpdateFailed("/root", "prod")).toBe(expected);
  expect(engine.calls()).toEqual(["stack history --json --page-size 1 --stack prod --cwd /root"]);
});

describe("planned creates", () => {
  const server = (name: string, image: string) => ({ urn: `urn:${name}`, type: "hcloud:server", inputs: { image } });

  test("are none where the program fails every time: the update itself shows why", () => {
    expect(plannedCreates("/root", "prod")).toEqual([]);
    expect(engine.calls()).toHaveLength(3);
  });

  test("are what is known completely; what depends on something that is not there is not there either", () => {
    const steps = [
      { op: "create", newState: server("a", "debian") },
      { op: "create", newState: server("b", unknownValue) },
      { op: "update", newState: server("c", "debian") },
      { op: "delete" },
    ];
    engine.answer("preview", JSON.stringify({ steps }));
    expect(plannedCreates("/root", "prod")).toEqual([server("a", "debian")]);
  });
});
