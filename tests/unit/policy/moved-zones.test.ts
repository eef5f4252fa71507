/** A host name that goes into another zone at Cloudflare gets another record. */
import { foundBothWays, stackOf } from "./support.ts";

const inZone = (cloudflare: object, more: object = {}) =>
  stackOf("mvp", { domain: "eu.example.com", ...more, cloudflare: { accountId: "0".repeat(32), ...cloudflare } });

test("is a danger, in a state as between files, with what goes with the former zone", async () => {
  for (const found of await foundBothWays(inZone({}), inZone({ zone: "eu.example.com" }), "eu.example.com")) {
    expect(found).toEqual([
      {
        severity: "danger",
        name: "eu.example.com",
        happens: expect.stringMatching(
          /^would move from the zone example\.com to eu\.example\.com .*rules.* in example\.com are deleted$/,
        ) as string,
        instead: expect.stringContaining("orion:cloudflare.zone") as string,
      },
    ]);
  }
});

test("a zone that keeps other names keeps its rules", async () => {
  const domains = { "example.com": "redirect" };
  const from = inZone({}, { domains });
  for (const found of await foundBothWays(from, inZone({ zone: "eu.example.com" }, { domains }), "eu.example.com")) {
    expect(found.map(({ happens }) => happens)).toEqual([expect.not.stringContaining("are deleted")]);
  }
});

test("another name in the same zone moves nothing", async () => {
  const more = inZone({}, { domains: { "www.example.com": "redirect" } });
  for (const found of await foundBothWays(inZone({}), more, "eu.example.com")) expect(found).toEqual([]);
});
