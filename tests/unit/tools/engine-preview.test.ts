/** The changes in what `pulumi preview --json` prints, in the shape that the engine has. */
import { changesIn } from "../../../tools/engine-preview.ts";

const urn = (types: string, name: string): string => `urn:pulumi:prod::orion::orion:index:Platform$${types}::${name}`;
const provider = `${urn("orion:runtime:DockerRuntime$pulumi:providers:docker", "core-1-docker")}::8e46`;

interface Given {
  readonly op: string;
  readonly types: string;
  readonly name: string;
  readonly diffReasons?: readonly string[];
  readonly more?: object;
}
function step({ op, types, name, diffReasons, more = {} }: Given): object {
  const type = types.split("$").at(-1) ?? "";
  const state = { urn: urn(types, name), type, custom: true, inputs: {}, ...more };
  return { op, urn: urn(types, name), diffReasons, ...(op === "delete" ? { oldState: state } : { newState: state }) };
}
const container = { types: "orion:database:Database$docker:index/container:Container", name: "database-server" };
const document = (steps: readonly object[], more: object = {}): string => JSON.stringify({ steps, ...more });

test("changes have the server that they belong to and what they are about; values are left out", () => {
  const more = { provider, inputs: { envs: ["POSTGRES_PASSWORD=hidden"] } };
  const text = document([
    step({ op: "refresh", ...container, more }),
    step({ op: "same", types: "hcloud:index/network:Network", name: "net" }),
    step({ op: "replace", ...container, diffReasons: ["mustRun", "labels[0].value", "labels[1].value"], more }),
    step({
      op: "update",
      types: "orion:database:Database$orion:index:ContainerLimits",
      name: "database-server-limits",
    }),
  ]);
  expect(changesIn(text)).toEqual([
    {
      ...{ action: "replace", type: "docker:index/container:Container", name: "database-server", group: "core-1" },
      inputs: ["mustRun", "labels"],
    },
    expect.objectContaining({ action: "update", name: "database-server-limits", inputs: [] }),
  ]);
  expect(JSON.stringify(changesIn(text))).not.toContain("hidden");
});

test("what holds data is named as such", () => {
  const text = document([step({ op: "delete", types: "hcloud:index/volume:Volume", name: "core-1-volume" })]);
  expect(changesIn(text)).toMatchObject([{ action: "delete", name: "core-1-volume", holds: "the data of its server" }]);
});

test("components are no change; both halves of a replacement are one", () => {
  const component = { types: "orion:database:Database", name: "database", more: { custom: false } };
  const text = document([
    step({ op: "create", ...component }),
    step({ op: "create-replacement", ...container }),
    step({ op: "replace", ...container }),
    step({ op: "delete-replaced", ...container }),
  ]);
  expect(changesIn(text).map(({ action, name }) => `${action} ${name}`)).toEqual(["replace database-server"]);
});

test("an error of the program or the engine is no result", () => {
  const diagnostics = [{ severity: "error", message: "error: The stack has data that this update would lose\n" }];
  expect(() => changesIn(document([], { diagnostics }))).toThrow("would lose");
  expect(() => changesIn("", "error: incorrect passphrase")).toThrow("incorrect passphrase");
  expect(changesIn(document([], { diagnostics: [{ severity: "warning", message: "Note" }] }))).toEqual([]);
});
