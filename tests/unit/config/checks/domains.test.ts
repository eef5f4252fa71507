import { publicNames, publicUrl, servedNames } from "../../../../config/host-names.ts";
import { leastValues, refusalOf, settingsOf } from "../../support/settings.ts";

const names = (values: Readonly<Record<string, unknown>>) => publicNames(settingsOf("mvp", values));
const refused = (values: Readonly<Record<string, unknown>>) => refusalOf({ ...leastValues("mvp"), ...values });

test("the first name is the platform's own, the others are sorted, and each is in the smallest zone that contains it", () => {
  const domains = { "WWW.example.com.": "redirect", "shop.example.co.uk": "serve", "old.example.org": "redirect" };
  const cloudflare = { accountId: "0".repeat(32), zones: { "example.co.uk": "pro" } };
  expect(names({ domains, cloudflare })).toEqual([
    { name: "orion.example.com", answer: "serve", zone: "example.com" },
    { name: "old.example.org", answer: "redirect", zone: "example.org" },
    { name: "shop.example.co.uk", answer: "serve", zone: "example.co.uk" },
    { name: "www.example.com", answer: "redirect", zone: "example.com" },
  ]);
  const settings = settingsOf("mvp", { domains, cloudflare });
  expect(servedNames(settings)).toEqual(["orion.example.com", "shop.example.co.uk"]);
  expect(publicUrl(settings)).toBe("https://orion.example.com");
});

test("without Cloudflare a name has no zone", () => {
  const cloudflare = { enabled: false };
  const storage = { backend: "local", noBackups: true };
  const settings = { domains: { "www.a.b.example.com": "serve" }, cloudflare, storage, edge: { tls: "acme" } };
  expect(names(settings).map(({ zone }) => zone)).toEqual([undefined, undefined]);
});

test.each([
  [
    { domains: { "orion.example.com": "serve" } },
    /orion:domains\.orion\.example\.com: got "serve", allowed: another host/,
  ],
  [
    { domains: { "www.shop.example.com": "redirect" } },
    /orion:domains\.www\.shop\.example\.com: .* example\.com or one label below it/,
  ],
  [{ domains: { "203.0.113.9": "serve" } }, /orion:domains\.203\.0\.113\.9: .*not an address/],
  [
    { domains: { "www.example.com": "forward" } },
    /orion:domains\.www\.example\.com: got "forward", allowed: one of redirect, serve/,
  ],
  [
    { cloudflare: { accountId: "0".repeat(32), zones: { "example.net": "free" } } },
    /orion:cloudflare\.zones\.example\.net: got "free", allowed: a zone that contains a name of orion:domains/,
  ],
])("%j is refused", (values, message) => {
  expect(refused(values)).toMatch(message);
});

test("names without the platform's own are refused, also on this machine", () => {
  const values = { phase: "development", domains: { "www.example.com": "redirect" } };
  expect(refusalOf(values)).toMatch(/orion:domain: got nothing, allowed: a host name/);
});
