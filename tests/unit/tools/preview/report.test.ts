/** The report of a merge, on stack files that are composed as both versions of a repository compose theirs. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../../../../testing/folder.ts";
import { type ComposedStacks, composeStacks } from "../../../../tools/preview/composed.ts";
import { isRefusedMerge, previewOf } from "../../../../tools/preview/report.ts";

const own = readFileSync("Pulumi.prod.yaml", "utf8");
const composed = async (text: string): Promise<ComposedStacks> => {
  const folder = temporaryFolder("preview");
  writeFileSync(join(folder, "Pulumi.prod.yaml"), text);
  // As it comes from the other version's process.
  return JSON.parse(JSON.stringify(await composeStacks(process.cwd(), folder))) as ComposedStacks;
};
const merge = async (was: string, is: string) =>
  previewOf({ before: await composed(was), after: await composed(is), borrowed: false }, "base");

const external = `${own}
  orion:cache: { mode: external }
  orion:redisUrl: { secure: v1:redis }
  orion:brokerUrl: { secure: v1:broker }
`;
const renamed = own.replace("orion:domain: orion.example.com", "orion:domain: shop.example.com");
const agreed = (text: string, name: string) => `${text}\n  orion:agreed: [${name}]\n`;

test.each([
  ["another broker", external, "cache.mode.external"],
  ["another host name", renamed, "orion.example.com"],
])("a merge with %s must wait, as the update would be refused, until the stack agrees", async (_what, text, name) => {
  const refused = await merge(own, text);
  expect(isRefusedMerge(refused)).toBe(true);
  expect(refused.stacks).toEqual([expect.objectContaining({ stack: "prod", kind: "changed" })]);
  expect(JSON.stringify(refused.stacks)).toContain(`refused","name":"${name}"`);
  expect(isRefusedMerge(await merge(own, agreed(text, name)))).toBe(false);
});
