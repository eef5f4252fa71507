/** What a state has, compared with what the program asks for: the state is made from the program's own graph. */
import { moveBetween } from "../../../policy/dangers.ts";
import type { Stack } from "../../../policy/program.ts";
import { graphOf, phaseIn } from "../../../policy/state.ts";
import { sharedGraph } from "../support/graphs.ts";
import { stackOf, stateOf, titles } from "./support.ts";

const moved = async (existing: Stack, wanted: Stack) =>
  moveBetween(graphOf(await stateOf(existing)), await sharedGraph(wanted, "known"));

test.each(["development", "mvp"] as const)("in phase %s what exists as it should be is left alone", async (phase) => {
  expect(await moved(stackOf(phase), stackOf(phase))).toEqual({ changes: [], findings: [] });
});

test("what would be lost is refused, whatever ids the providers gave", async () => {
  const { findings } = await moved(stackOf("mvp"), stackOf("mvp", { hetzner: { locations: ["fsn1"] } }));
  expect(titles({ findings })).toEqual([
    ...["refused core-1-ip", "refused core-1-volume"],
    ...["danger hostname-orion.example.com-record", "danger core-1-server"],
  ]);
  expect(findings[1]?.happens).toContain("location changes from nbg1 to fsn1");
});

test.each([
  ["Cloudflare", {}],
  [
    "a DNS service of another kind",
    { cloudflare: { enabled: false, accountId: "0".repeat(32) }, edge: { tls: "self-signed" } },
  ],
])("with %s, the loss of the host name is refused until the stack agrees", async (_dns, own) => {
  const other = { ...own, domain: "shop.example.com" };
  const { findings } = await moved(stackOf("mvp", own), stackOf("mvp", other));
  expect(titles({ findings })).toContain("refused orion.example.com");
  const lost = findings.find(({ name }) => name === "orion.example.com");
  expect(lost?.instead).toContain("to give it up, list orion.example.com in orion:agreed");
  const known = { agreed: ["orion.example.com"] };
  const agreed = moveBetween(
    graphOf(await stateOf(stackOf("mvp", own))),
    await sharedGraph(stackOf("mvp", other), "known"),
    known,
  );
  expect(titles(agreed)).toContain("danger orion.example.com");
  expect(titles(agreed)).not.toContainEqual(expect.stringContaining("refused"));
});

test("a stack of servers does not become one of this machine", async () => {
  const { findings } = await moved(stackOf("mvp"), stackOf("development"));
  expect(titles({ findings })).toEqual(
    expect.arrayContaining(["refused core-1-volume", "refused storage-files-bucket", "refused private-network"]),
  );
});

test("a restart of the database is reported beforehand", async () => {
  const { findings } = await moved(stackOf("mvp"), stackOf("mvp", { database: { memoryMb: 2048 } }));
  expect(titles({ findings })).toEqual(["danger database-server"]);
});

test("what an interrupted update has still to delete is not there any more", async () => {
  const state = await stateOf(stackOf("mvp"));
  const old = state.resources?.find(({ urn }) => urn.endsWith("::app-core-1-1"));
  const resources = [...(state.resources ?? []), ...(old ? [{ ...old, delete: true }] : [])];
  expect(resources.length).toBe((state.resources?.length ?? 0) + 1);
  expect(graphOf({ resources }).resources.length).toBe(state.resources?.length);
});

test("the phase that exists is read from the labels at Hetzner; in development there are none", async () => {
  expect(phaseIn(graphOf(await stateOf(stackOf("mvp"))))).toBe("mvp");
  expect(phaseIn(graphOf(await stateOf(stackOf("development"))))).toBeUndefined();
});
