/** What a pull request's report finds, between the records that two versions of the program print. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../../../../testing/folder.ts";
import { composeStacks, type ComposedStacks } from "../../../../tools/preview/composed.ts";
import { isRefusedMerge, previewOf } from "../../../../tools/preview/report.ts";

/** What a version of the program prints of a stack whose file has these settings. */
async function printed(change: (text: string) => string = (text) => text): Promise<ComposedStacks> {
  const folder = temporaryFolder("stacks");
  writeFileSync(join(folder, "Pulumi.prod.yaml"), change(readFileSync("Pulumi.prod.yaml", "utf8")));
  return JSON.parse(JSON.stringify(await composeStacks(process.cwd(), folder))) as ComposedStacks;
}
const merged = (before: ComposedStacks, after: ComposedStacks) => {
  const report = previewOf({ before, after, borrowed: false }, "main");
  const findings = report.stacks.flatMap((one) => ("move" in one ? one.move.findings : []));
  return { refused: isRefusedMerge(report), findings: findings.map(({ severity, name }) => `${severity} ${name}`) };
};
const elsewhere = (text: string): string => text.replace("orion.example.com", "shop.example.com");
const agreedTo = (name: string) => (text: string) => `${text}  orion:agreed: [${name}]\n`;
/** A phase with a trait that the program only plans. */
const planned = (text: string): string => text.replace(/orion:phase: .*/, "orion:phase: ha");

test("a host name that would be given up must not be merged, until the stack agrees", async () => {
  const before = await printed();
  const after = await printed(elsewhere);
  const lost = "orion.example.com";
  expect(merged(before, after)).toEqual({ refused: true, findings: [`refused ${lost}`] });
  const agreed = await printed((text) => agreedTo(lost)(elsewhere(text)));
  expect(merged(before, agreed)).toEqual({ refused: false, findings: [`danger ${lost}`] });
});

test("so it is between plans that the program does not compose", async () => {
  const after = await printed((text) => elsewhere(planned(text)));
  expect(after.stacks.map((one) => "program" in one)).toEqual([false]);
  expect(merged(await printed(planned), after).findings).toContain("refused orion.example.com");
});

test("a version of the program that does not print what it knows beside the resources is compared by these alone", async () => {
  const { version, stacks } = await printed();
  const former = stacks.map((one) =>
    Object.fromEntries(Object.entries(one).filter(([key]) => key !== "facts" && key !== "agreed")),
  );
  const before = { version, stacks: former } as unknown as ComposedStacks;
  expect(merged(before, await printed())).toEqual({ refused: false, findings: [] });
  expect(merged(await printed(), before)).toEqual({ refused: false, findings: [] });
});
