import { limits } from "../../../../tools/github-text.ts";
import { commentOf, isEmpty, marker, summaryOf } from "../../../../tools/preview/markdown.ts";
import { isRefusedMerge, type PreviewReport, type StackReport } from "../../../../tools/preview/report.ts";
import type { StatePreview } from "../../../../tools/preview/state-preview.ts";

type Changed = Extract<StackReport, { readonly kind: "new" | "changed" }>;

const changed = (stack: string, more: Partial<Changed["move"]> = {}, details = "every change"): Changed => ({
  ...{ kind: "changed", stack, details, groups: [{ name: "core-1", counts: "1 changed" }] },
  move: {
    ...{ version: 1, from: { title: "mvp", phase: "mvp" }, to: { title: "scale", phase: "scale" }, safe: true },
    changes: [{ action: "update", type: "Container", name: "app-1", inputs: ["image"] }],
    ...{ findings: [], cost: { before: 37.13, after: 141.73 }, account: [], outlined: [] },
    ...more,
  },
});
const finding = (severity: string, name: string) => ({ severity, name, happens: "would be lost", instead: "keep it" });
const reportWith = (...stacks: StackReport[]): PreviewReport => ({
  version: 1,
  base: "b".repeat(40),
  borrowed: false,
  stacks,
});
const unchanged = (stack: string): StackReport => ({ kind: "unchanged", stack });
const commit = "c".repeat(40);

test("what must not be merged comes first, then effects, money, limits, changes, and details folded", () => {
  const comment = commentOf(
    reportWith(
      changed("prod", {
        ...{ safe: false, findings: [finding("refused", "core-1-volume"), finding("danger", "hostname-record")] },
        account: [{ what: "servers", count: 10, usual: 5, allowed: null }],
      }),
    ),
    commit,
  );
  expect(comment.startsWith(marker)).toBe(true);
  const order = [
    "Must not be merged",
    "37.13 → 141.73 (+104.60)",
    "core-1-volume",
    "instead: keep it",
    "hostname-record",
    "10 servers. A new account has 5 servers",
    "| core-1 | 1 changed |",
    "<details><summary>prod: every change",
  ].map((text) => comment.indexOf(text));
  expect(order).not.toContain(-1);
  expect(order).toEqual([...order].sort((a, b) => a - b));
});

test("costs of which some are not known are shown without a difference", () => {
  const cost = { before: 37.13, after: 30, unpriced: ["balancer-nbg1-balancer"] };
  expect(commentOf(reportWith(changed("prod", { cost })), commit)).toContain("at least 37.13 → at least 30.00");
});

test("a stack file that is not valid must not be merged, with the program's words", () => {
  const error = 'Pulumi.prod.yaml: orion:phase: got "scal", allowed: mvp, scale';
  const comment = commentOf(reportWith({ kind: "invalid", stack: "prod", error }), commit);
  expect(comment).toContain("**Must not be merged:** **prod**");
  expect(comment).toContain('orion:phase: got "scal"');
});

test("text of a pull request cannot become markup, mention anybody, end a block or pose as the comment", () => {
  const evil = "</pre>\n@everyone <img src=x> [a](https://evil.example) `x` | **b** <!-- -->";
  const report = reportWith(
    changed("prod", { findings: [{ severity: "danger", name: evil, happens: evil, instead: evil }] }, evil),
    { kind: "invalid", stack: evil, error: evil },
  );
  const comment = commentOf(report, commit);
  const [outside, inside] = [comment.replaceAll(/<pre>[^]*?<\/pre>/g, ""), comment];
  expect(inside).not.toMatch(/@everyone|<img/);
  expect(outside).not.toMatch(/[[\]`]/);
  expect(comment.match(/<\/pre>/g)).toHaveLength(2);
  expect(comment.match(/<!--/g)).toHaveLength(1);
});

test("a long report is cut at the border of a section, within the limits of characters and of bytes", () => {
  const many = Array.from({ length: 30 }, (_, index) => changed(`stack${index}`, {}, "é€ detail\n".repeat(600)));
  const comment = commentOf(reportWith(...many), commit, "run 7");
  expect(comment.length).toBeLessThanOrEqual(limits.characters);
  expect(Buffer.byteLength(comment)).toBeLessThanOrEqual(limits.bytes);
  expect(comment).toContain("the whole report is in run 7");
  expect(comment.match(/<details>/g)?.length).toBe(comment.match(/<\/details>/g)?.length);
  expect(summaryOf(reportWith(...many), commit).match(/<details>/g)).toHaveLength(30);

  const wide = [changed("prod", {}, "€".repeat(250_000))];
  expect(Buffer.byteLength(commentOf(reportWith(...wide), commit))).toBeLessThanOrEqual(limits.bytes);
});

test("stacks without end still give a comment that says what must not be merged", () => {
  const many = Array.from({ length: 2000 }, (_, index): StackReport => ({
    kind: "invalid",
    stack: `s${index}`,
    error: "no",
  }));
  const comment = commentOf(reportWith(...many), commit);
  expect(comment.length).toBeLessThanOrEqual(limits.characters);
  expect(comment).toContain("Must not be merged");
});

test("nothing to say is when no stack changes; a stack file that is gone is something", () => {
  expect(isEmpty(reportWith({ kind: "unchanged", stack: "prod" }))).toBe(true);
  expect(isEmpty(reportWith({ kind: "unchanged", stack: "dev" }, { kind: "removed", stack: "prod" }))).toBe(false);
});

describe("with previews against real states", () => {
  const state = (more: object): PreviewReport => ({
    ...reportWith(changed("prod")),
    states: [{ version: 1, stack: "prod", ...more } as StatePreview],
  });
  const replaced = {
    ...{ action: "replace", type: "hcloud:index/volume:Volume", name: "core-1-volume", group: "core-1" },
    ...{ inputs: ["location"], holds: "the data of its server" },
  };

  test("a refused one must not be merged, and its words come before everything else", () => {
    const report = state({ kind: "refused", error: "The stack has data that this update would lose" });
    const comment = commentOf(report, commit);
    expect(comment).toContain("**Must not be merged:** **prod**");
    expect(comment.indexOf("that this update would lose")).toBeLessThan(comment.indexOf("prod: changes"));
    expect(isRefusedMerge(report)).toBe(true);
  });

  test("the engine's changes are counted by server, what holds data is named, and every change is folded", () => {
    const comment = commentOf(state({ kind: "changes", changes: [replaced] }), commit);
    expect(comment).toContain("#### prod: against its real state");
    expect(comment).toContain("**Volume core-1-volume would be replaced (location)**: it is the data of its server");
    expect(comment).toContain("| core-1 | 1 |");
    expect(comment).toContain("every change by the engine");
  });

  test("what waits for its deployment since an earlier merge makes no comment", () => {
    const report = { ...state({ kind: "changes", changes: [replaced] }), stacks: [unchanged("prod")] };
    expect(isEmpty(report)).toBe(true);
    expect(isEmpty({ ...state({ kind: "refused", error: "no" }), stacks: [unchanged("prod")] })).toBe(false);
  });
});
