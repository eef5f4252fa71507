/** Cloudflare's address ranges: their age, what Cloudflare publishes, and what a change of them is. */
import { cloudflareRanges } from "../../../../common/cloudflare-ranges.ts";
import { serveHttp } from "../../../../testing/http-server.ts";
import { moveBetween } from "../../../../policy/dangers.ts";
import { programOf } from "../../../../policy/program.ts";
import { judgeRanges, publishedRanges } from "../../../../tools/doctor/cloudflare-ranges.ts";
import { images, sharedGraph } from "../../support/graphs.ts";
import { stackOf } from "../../policy/support.ts";

const known = { ipv4: ["192.0.2.0/24", "198.51.100.0/24"], ipv6: ["2001:db8::/32"], date: "2026-01-01" };
const after = (days: number): Date => new Date(Date.parse(known.date) + days * 86_400_000);

test("ranges that Cloudflare publishes in any order are well, whatever their age", () => {
  const published = { ipv4: ["198.51.100.0/24", "192.0.2.0/24"], ipv6: known.ipv6 };
  expect(judgeRanges(published, after(2000), known)).toEqual({ detail: "as Cloudflare publishes them" });
});

test("a range more or less is a problem that names it", () => {
  const published = { ipv4: ["192.0.2.0/24", "203.0.113.0/24"], ipv6: known.ipv6 };
  expect(judgeRanges(published, after(1), known)).toEqual({
    ...{ problem: "ranges-differ", detail: "new: 203.0.113.0/24; gone: 198.51.100.0/24" },
  });
});

test("ranges that cannot be compared are a problem after half a year", () => {
  const unknown = { problem: "no network" };
  expect(judgeRanges(unknown, after(180), known)).toEqual({
    detail: "of 2026-01-01, 180 days old, not compared: no network",
  });
  expect(judgeRanges(unknown, after(181), known).problem).toBe("ranges-old");
});

test("Cloudflare's list is read from its API, and a failure is no error", async () => {
  let answer: unknown = { result: { ipv4_cidrs: known.ipv4, ipv6_cidrs: known.ipv6 } };
  const { url: base, stop } = await serveHttp((request, response) => {
    response.statusCode = request.url === "/client/v4/ips" ? 200 : 404;
    response.end(JSON.stringify(answer));
  });
  expect(await publishedRanges(`${base}/client/v4`)).toEqual({ ipv4: known.ipv4, ipv6: known.ipv6 });
  expect(await publishedRanges(base)).toEqual({ problem: `${base}/ips answers 404` });
  answer = { result: {} };
  expect(await publishedRanges(`${base}/client/v4`)).toHaveProperty("problem");
  await stop();
  expect(await publishedRanges(base)).toHaveProperty("problem");
});

test.each([
  ["mvp", ["Firewall web-firewall", "LiveFiles edge-core-1-config"]],
  ["scale", ["LiveFiles edge-app-hel1-1-config", "LiveFiles edge-app-nbg1-1-config"]],
] as const)(
  "in phase %s a change of the ranges changes firewalls and live files, and replaces nothing",
  async (phase, expected) => {
    const before = await sharedGraph(stackOf(phase));
    const { ipv4 } = cloudflareRanges;
    Object.assign(cloudflareRanges, { ipv4: [...ipv4.slice(1), "192.0.2.0/24"] });
    try {
      const { changes, findings } = moveBetween(before, await programOf(stackOf(phase), "up", images));
      expect(changes.map(({ action }) => action)).toEqual(expected.map(() => "update"));
      const names = changes.map(({ resource: { type, name } }) => `${type.split(":").at(-1) ?? ""} ${name}`);
      expect(names.sort()).toEqual([...expected]);
      expect(findings).toEqual([]);
    } finally {
      Object.assign(cloudflareRanges, { ipv4 });
    }
  },
);
