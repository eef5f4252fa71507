/** The plan of a zone at Cloudflare is compared before anything is registered. */
import { refuseOtherPlans } from "../../../guard/zone-plans.ts";
import { settingsOf } from "../support/settings.ts";

const zones = (plans: Readonly<Record<string, string>>) => (name: string) =>
  name in plans
    ? Promise.resolve({ name, plan: { legacyId: plans[name] } })
    : Promise.reject(new Error("no zone of that name"));

test("a move to phase enterprise is refused while the zone has no plan for it", async () => {
  await expect(refuseOtherPlans(settingsOf("enterprise"), zones({ "example.com": "free" }))).rejects.toThrow(
    'orion:cloudflare.plan: got "pro", but the zone example.com is on plan free; set it to free, or change the zone\'s plan at ' +
      "Cloudflare first. Nothing was changed.",
  );
  await refuseOtherPlans(settingsOf("enterprise"), zones({ "example.com": "pro" }));
});

test("each zone has its own plan, and one that is not found is left to the component that looks it up", async () => {
  const settings = settingsOf("enterprise", {
    domains: { "orion.example.org": "serve", "orion.example.net": "redirect" },
    cloudflare: { accountId: "0".repeat(32), zones: { "example.org": "free" } },
  });
  await refuseOtherPlans(settings, zones({ "example.com": "pro", "example.org": "free" }));
  await expect(refuseOtherPlans(settings, zones({ "example.com": "pro", "example.org": "business" }))).rejects.toThrow(
    'orion:cloudflare.plan: got "free", but the zone example.org is on plan business',
  );
  await expect(refuseOtherPlans(settings, zones({ "example.com": "free", "example.org": "pro" }))).rejects.toThrow(
    /zone example\.com is on plan free.*\.\n.*zone example\.org is on plan pro.*\. Nothing was changed\.$/,
  );
});

test("without Cloudflare nothing is looked up", async () => {
  const asked: string[] = [];
  const find = (name: string) => Promise.resolve(void asked.push(name));
  await refuseOtherPlans(settingsOf("development", { domain: "orion.example.com" }), find);
  expect(asked).toEqual([]);
});
