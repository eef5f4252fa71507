/** The report of a rehearsal: what it says, and that it is one file. */
import { pageOf } from "../../../../tools/report/page.ts";
import { recordSchema, type RehearsalRecord } from "../../../../tools/report/record.ts";
import { verdictOf } from "../../../../tools/report/verdict.ts";
import { sampleLoad, sampleRecord, start } from "./sample.ts";

const failure = {
  ...{ began: new Date(start + 30_000).toISOString(), time: new Date(start + 31_000).toISOString() },
  ...{ what: "page", why: "GET /: 502 instead of 200: <script>alert(1)</script>" },
};
const withLedger = (ledger: Partial<RehearsalRecord["load"]["ledger"]>): RehearsalRecord["load"] => {
  const load = sampleLoad(60);
  return { ...load, ledger: { ...load.ledger, ...ledger } };
};
const textOf = (html: string) =>
  html
    .replaceAll(/<style>[\s\S]*?<\/style>|<[^>]+>/g, " ")
    .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replaceAll(/\s+/g, " ");

describe("the verdict", () => {
  const level = (change: Partial<RehearsalRecord>) => verdictOf(sampleRecord(change)).level;
  const { update, kept } = sampleRecord();

  test("is good when nothing failed, nothing is missing, and what keeps data ran on", () => {
    expect(verdictOf(sampleRecord())).toEqual({
      level: "good",
      sentences: [
        ...["The update was complete after 160 s.", "All 840 requests were answered."],
        "Of 400 acknowledged orders every one exists once, and its task was run.",
        "Every container that keeps data ran on without a restart.",
      ],
    });
  });

  test.each(["lost", "doubled", "unconfirmed"] as const)("is bad when an order is %s", (what) => {
    expect(level({ load: withLedger({ [what]: ["a"] }) })).toBe("bad");
  });

  test("is bad when the update failed, and needs attention when requests failed or a container with data was restarted", () => {
    expect(level({ update: { ...update, code: 1 } })).toBe("bad");
    expect(level({ load: sampleLoad(60, [failure]) })).toBe("attention");
    expect(level({ kept: kept.map((one, index) => (index === 0 ? { ...one, after: "another" } : one)) })).toBe(
      "attention",
    );
  });

  test("says nothing good of a load that reached nothing", () => {
    const load = { ...sampleLoad(0), ledger: { acknowledged: 0, lost: [], doubled: [], unconfirmed: [] } };
    expect(level({ load })).toBe("attention");
  });
});

describe("the page", () => {
  test("loads nothing: no script, and nothing from another place", () => {
    const html = pageOf(sampleRecord({ load: sampleLoad(200, [failure]) }));
    expect(html).not.toMatch(/<script|<link|@import|url\(|https?:/);
    expect([...html.matchAll(/src="([^"]{5})/g)].map(([, from]) => from)).toEqual(Array(3).fill("data:"));
    expect(html).toContain("default-src 'none'");
  });

  test("says what happened to requests and orders, and what it costs", () => {
    const text = textOf(pageOf(sampleRecord({ load: sampleLoad(200, [failure]) })));
    expect(text).toContain("1 request failed and 840 were answered.");
    expect(text).toMatch(/during it 160 s 672 1 108 ms/);
    expect(text).toMatch(/0:30 1\.0 s page GET \/: 502 instead of 200: <script>alert\(1\)<\/script>/);
    expect(text).toMatch(/acknowledged 400 lost 0 there twice 0 whose task was not run 0/);
    expect(text).toMatch(/together € [\d.]+ € [\d.]+ \+€ [\d.]+ a month\./);
    expect(text).toContain("make rehearse PHASE=scale LOAD=1");
  });

  test("shows what was restarted", () => {
    const { kept } = sampleRecord();
    const restarted = kept.map((one) => (one.service === "cache" ? { ...one, after: "ffff, since later" } : one));
    const text = textOf(pageOf(sampleRecord({ kept: restarted })));
    expect(text).toContain("Restarted or replaced: cache.");
    expect(text).toMatch(/cache core-1 0123456789ab, since \S+ ffff, since later/);
  });

  test("can be drawn again from what is stored", () => {
    const record = sampleRecord();
    expect(pageOf(recordSchema.parse(JSON.parse(JSON.stringify(record))))).toBe(pageOf(record));
  });
});
