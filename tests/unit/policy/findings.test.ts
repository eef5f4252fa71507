/** Agreement to what is refused. */
import { agreeCommands, asAgreed, danger, refused } from "../../../policy/findings.ts";

const own = refused("database.version", "is PostgreSQL 17", "use 15");
const other = { ...refused("broker-server", "lacks vector", "use another"), agreement: "vector" };
const never = { severity: "refused", name: "core-1-volume", happens: "would be deleted" } as const;

test("each command adds an entry of its own to what the stack agrees to, and replaces none of it", () => {
  expect(agreeCommands([own, other, danger("app", "starts anew"), never, other], ["worker", "app-1"])).toEqual([
    "npx pulumi config set --path 'orion:agreed[2]' database.version",
    "npx pulumi config set --path 'orion:agreed[3]' vector",
  ]);
  expect(agreeCommands([never], [])).toEqual([]);
});

test("what is agreed to is told without a remedy; what nobody can agree to stays refused", () => {
  expect(asAgreed([own, other, never], ["vector", "core-1-volume"])).toEqual([
    own,
    { severity: "danger", name: "broker-server", happens: "lacks vector" },
    never,
  ]);
});
