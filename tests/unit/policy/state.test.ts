/** What a state has, compared with what the program asks for: the state is made from the program's own graph. */
import { moveBetween } from "../../../policy/dangers.ts";
import { identityOf, type Recorded } from "../../../policy/graph.ts";
import { knownOf, type Stack } from "../../../policy/program.ts";
import { graphOf, phaseIn, type State, stateSchema } from "../../../policy/state.ts";
import { graphsBetween, images, stackOf, titles } from "./support.ts";

const secretMark = "4dabf18193072939515e22adb298388d";

/** As the engine writes it down: URNs, ids that only it knows, secrets encrypted, the providers' defaults. */
async function stateOf(stack: Stack): Promise<State> {
  const { after: graph } = await graphsBetween(stack, stack);
  const identity = identityOf(graph);
  const urns = new Map(
    graph.resources.map((one) => [`${one.type} ${one.name}`, `urn:pulumi:prod::orion::${identity(one)}`]),
  );
  const urn = (key: string | undefined) => (key === undefined ? undefined : urns.get(key));
  const encrypted = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(encrypted);
    if (typeof value !== "object" || value === null) return value;
    if ("[secret]" in value) return { [secretMark]: "1b47061264138c4ac30d75fd1eb44270", ciphertext: "v1:abc" };
    const inner = Object.entries(value).map(([key, one]) => [key, encrypted(one)]);
    return { ...Object.fromEntries(inner), __defaults: ["added"], added: 1 };
  };
  const writtenDown = ({ type, name, inputs, options }: Recorded) => {
    const used = graph.uses.get(`${type} ${name}`);
    const ofOthers = (input: string) => (used?.[input]?.length ?? 0) > 0;
    return {
      urn: urn(`${type} ${name}`),
      type,
      custom: used !== undefined,
      // Ids are others than those that the program is composed with.
      inputs: Object.fromEntries(
        Object.entries(inputs).map(([input, value]) => [input, ofOthers(input) ? "4711" : encrypted(value)]),
      ),
      parent: urn(options.parent) ?? "urn:pulumi:prod::orion::pulumi:pulumi:Stack::orion-prod",
      protect: options.protect,
      retainOnDelete: options.retainOnDelete,
      deletedWith: urn(options.deletedWith),
      provider:
        options.provider === undefined
          ? "urn:pulumi:prod::orion::pulumi:providers:hcloud::default_1_41_0::id"
          : `${urn(options.provider) ?? ""}::id`,
      propertyDependencies: Object.fromEntries(
        Object.entries(used ?? {}).map(([input, keys]) => [input, keys.map((key) => urn(key) ?? "")]),
      ),
    };
  };
  return stateSchema.parse({ resources: graph.resources.map(writtenDown) });
}

const moved = async (existing: Stack, wanted: Stack) =>
  moveBetween(graphOf(await stateOf(existing)), await knownOf(wanted, images));

test.each(["development", "mvp"] as const)("in phase %s what exists as it should be is left alone", async (phase) => {
  expect(await moved(stackOf(phase), stackOf(phase))).toEqual({ changes: [], findings: [] });
});

test("what would be lost is refused, whatever ids the providers gave", async () => {
  const { findings } = await moved(stackOf("mvp"), stackOf("mvp", { hetzner: { locations: ["hel1"] } }));
  expect(titles({ findings })).toEqual([
    ...["refused core-1-ip", "refused core-1-volume"],
    ...["danger hostname-record", "danger core-1-server"],
  ]);
  expect(findings[1]?.happens).toContain("location changes from fsn1 to hel1");
});

test("a stack of servers does not become one of this machine", async () => {
  const { findings } = await moved(stackOf("mvp"), stackOf("development"));
  expect(titles({ findings })).toEqual(
    expect.arrayContaining(["refused core-1-volume", "refused storage-files-bucket", "refused private-network"]),
  );
});

test("a restart of the database is said beforehand", async () => {
  const { findings } = await moved(stackOf("mvp"), stackOf("mvp", { database: { memoryMb: 2048 } }));
  expect(titles({ findings })).toEqual(["danger database-server"]);
});

test("what an interrupted update has still to delete is not there any more", async () => {
  const state = await stateOf(stackOf("mvp"));
  const old = state.resources?.find(({ urn }) => urn.endsWith("::app-app-1"));
  const resources = [...(state.resources ?? []), ...(old ? [{ ...old, delete: true }] : [])];
  expect(resources.length).toBe((state.resources?.length ?? 0) + 1);
  expect(graphOf({ resources }).resources.length).toBe(state.resources?.length);
});

test("the phase that exists is read from the labels at Hetzner; in development there are none", async () => {
  expect(phaseIn(graphOf(await stateOf(stackOf("mvp"))))).toBe("mvp");
  expect(phaseIn(graphOf(await stateOf(stackOf("development"))))).toBeUndefined();
});
