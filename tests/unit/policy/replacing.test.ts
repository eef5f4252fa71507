/** The table of what replaces a resource, against the plugins that are here: the program's own, and the one that stands in for Cloudflare's. */
import { OrionProvider } from "../../../plugin/provider.ts";
import { replacingInputs } from "../../../policy/replacing.ts";
import { resources } from "../../../rehearsal/cloudflare-plugin/resources.ts";
import { goldenGraph, goldenGraphs } from "../../../testing/golden.ts";
import { runBy } from "../support/process.ts";

const rows = Object.entries(replacingInputs).filter(([type]) => type.startsWith("cloudflare:"));

test.each(rows)("%s", (type, inputs) => {
  const resource = resources[type.split(":").pop() ?? ""];
  expect([...inputs].sort()).toEqual([...(resource?.replaces ?? [])].sort());
});

const own = new Map(
  goldenGraphs()
    .flatMap((graph) => goldenGraph(graph))
    .filter(({ type }) => type.startsWith("orion:index:") && type !== "orion:index:Platform")
    .map((resource) => [resource.type, resource]),
);

test.each([...own])("%s", async (type, { name, inputs }) => {
  const provider = new OrionProvider(runBy(() => ({ code: 0 })));
  const replacing: string[] = [];
  for (const input of Object.keys(inputs)) {
    const changed = { ...inputs, [input]: other(inputs[input]) };
    const { replaces } = await provider.diff("id", `urn:pulumi:test::orion::${type}::${name}`, inputs, changed);
    replacing.push(...(replaces ?? []));
  }
  expect(replacing).toEqual(replacingInputs[type] ?? []);
});

/** Another value of the same shape. */
function other(value: unknown): unknown {
  if (Array.isArray(value)) return [...(value as unknown[]), "another"];
  if (typeof value !== "object" || value === null) return typeof value === "number" ? value + 1 : "another";
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, other(inner)]));
}
