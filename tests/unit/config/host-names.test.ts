/** Which zone a host name is in, and what Cloudflare's certificate of the zone covers. */
import { isCovered, isWithin, publicUrl, zoneLabels, zoneOf, zonePlans } from "../../../config/host-names.ts";
import type { Settings } from "../../../config/schema.ts";
import { settingsOf } from "../support/settings.ts";

const cloudflare = (more: Partial<Settings["cloudflare"]> = {}): Pick<Settings, "cloudflare"> => ({
  cloudflare: { enabled: true, plan: "free", zones: {}, ...more },
});

test.each([
  ["example.com", "example.com", true],
  ["shop.example.com", "example.com", true],
  ["notexample.com", "example.com", false],
  ["example.com", "shop.example.com", false],
  ["example.com.evil.org", "example.com", false],
])("%s is within %s: %s", (name, zone, expected) => {
  expect(isWithin(name, zone)).toBe(expected);
});

test.each([
  ["example.com", "example.com", true],
  ["shop.example.com", "example.com", true],
  ["a.shop.example.com", "example.com", false],
  ["a.shop.example.com", "shop.example.com", true],
])("the certificate for %s in the zone %s: %s", (name, zone, expected) => {
  expect(isCovered(name, zone)).toBe(expected);
});

test("the zone of a name is the smallest that contains it, in whatever order they are named", () => {
  const zones = { "shop.example.com": "pro", "other.org": "free" } as const;
  expect(zoneOf("a.shop.example.com", cloudflare({ zone: "example.com", zones }))).toBe("shop.example.com");
  expect(zoneOf("b.example.com", cloudflare({ zone: "example.com", zones }))).toBe("example.com");
  expect(zoneOf("notshop.example.com", cloudflare({ zones }))).toBe("example.com");
});

test("otherwise it is the last two labels, and without Cloudflare there is none", () => {
  expect(zoneOf("a.b.example.org", cloudflare({ zone: "example.com" }))).toBe("example.org");
  expect(zoneOf("example.org", cloudflare())).toBe("example.org");
  expect(zoneOf("example.org", cloudflare({ enabled: false, zone: "example.org" }))).toBeUndefined();
  expect(zoneLabels("localhost")).toBe("localhost");
  expect(["a.shop.co.uk", "shop.co.uk", "co.uk"].map(zoneLabels)).toEqual(["shop.co.uk", "shop.co.uk", "co.uk"]);
});

test("a zone has the plan that the stack says of it, otherwise that of the stack", () => {
  const settings = settingsOf("mvp", {
    domains: { "www.other.org": "redirect", "shop.example.com": "serve" },
    cloudflare: { accountId: "0".repeat(32), plan: "pro", zones: { "other.org": "business" } },
  });
  expect(Object.fromEntries(zonePlans(settings))).toEqual({ "example.com": "pro", "other.org": "business" });
  expect(zonePlans({ ...settings, domain: undefined }).size).toBe(0);
});

test("people reach a local stack at its edge, or at its app when it has no edge", () => {
  const local = settingsOf("development");
  expect(publicUrl(local)).toBe("http://127.0.0.1:8080");
  const services = local.services.filter((service) => service !== "edge");
  expect(publicUrl({ ...local, services })).toBe("http://127.0.0.1:8000");
  const mvp = settingsOf("mvp");
  expect(publicUrl({ ...mvp, edge: { ...mvp.edge, tls: "none" } })).toBe("http://orion.example.com");
});
