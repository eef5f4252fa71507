/** Settings about Cloudflare that exclude each other. */
import { checkCloudflare } from "../../../../config/checks/cloudflare.ts";
import type { Settings } from "../../../../config/schema.ts";
import { settingsOf } from "../../support/settings.ts";

const mvp = settingsOf("mvp");
const stack = (
  cloudflare: Partial<Settings["cloudflare"]>,
  storage: Partial<Settings["storage"]> = {},
  more: Partial<Settings> = {},
): Settings => ({
  ...{ ...mvp, ...more },
  cloudflare: { ...mvp.cloudflare, ...cloudflare },
  storage: { ...mvp.storage, ...storage },
});
const problems = (...args: Parameters<typeof stack>): string[] => checkCloudflare(stack(...args));

test("the zone contains the host name, and its certificate covers it", () => {
  expect(problems({ zone: "example.com" })).toEqual([]);
  expect(problems({ zone: "orion.example.com" })).toEqual([]);
  expect(problems({ zone: "ample.com" })[0]).toContain(
    'orion:cloudflare.zone: got "ample.com", allowed: the zone that',
  );
  const deep = { domain: "a.b.example.com" };
  expect(problems({ zone: "example.com" }, {}, deep)[0]).toContain("allowed: example.com or one label below it");
  expect(problems({ zone: "b.example.com" }, {}, deep)).toEqual([]);
  // Nothing is known of a zone without a name, or without Cloudflare.
  expect(problems({ zone: "other.org", enabled: false }, {}, { edge: { ...mvp.edge, tls: "acme" } })).toEqual([]);
});

test.each(["self-signed", "none"] as const)("Cloudflare does not connect to an origin with tls %s", (tls) => {
  const edge = { ...mvp.edge, tls };
  expect(problems({}, {}, { edge })[0]).toContain(
    `orion:edge.tls: got "${tls}", allowed: cloudflare-origin-ca or acme while orion:cloudflare.enabled is true`,
  );
  expect(problems({ enabled: false }, {}, { edge })).toEqual([]);
  expect(problems({}, {}, { edge, hosting: "local" })).toEqual([]);
});

test("a host name of the files needs R2, Cloudflare, another name than the app's, and one of the zones", () => {
  const customDomain = "files.example.com";
  expect(problems({}, { customDomain })).toEqual([]);
  expect(problems({}, { customDomain, backend: "local" })[0]).toContain("nothing unless orion:storage.backend is r2");
  const acme = { edge: { ...mvp.edge, tls: "acme" } } as const;
  expect(problems({ enabled: false }, { customDomain }, acme)[0]).toContain("unless orion:cloudflare.enabled is true");
  expect(problems({}, { customDomain: "orion.example.com" })[0]).toContain("another host name than orion:domain");
  expect(problems({ zone: "example.com" }, { customDomain: "files.other.org" })[0]).toContain(
    "in the zone example.com",
  );
  const zones = { "other.org": "free" } as const;
  expect(problems({ zone: "example.com", zones }, { customDomain: "files.other.org" })).toEqual([]);
  expect(problems({ zone: "example.com", zones }, { customDomain: "files.third.org" })[0]).toContain(
    "in the zone example.com or other.org",
  );
});
