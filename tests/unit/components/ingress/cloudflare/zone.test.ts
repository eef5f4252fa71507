/** What the component asks the engine for, in a preview and in an update; the rules have a test of their own. */
import * as pulumi from "@pulumi/pulumi";
import { botManagement, rulesets, zoneSettings } from "../../../../../components/ingress/cloudflare/rules.ts";
import { CloudflareZone, type CloudflareZoneArgs } from "../../../../../components/ingress/cloudflare/zone.ts";
import { HostName } from "../../../../../components/ingress/host-name.ts";
import { compose, mockZoneId, type Recorded } from "../../../support/compose.ts";
import { known, named } from "../../../support/runtime.ts";

const domain = "orion.example.com";
const zoneId = mockZoneId("example.com");
const parent = "orion:ingress:CloudflareZone cloudflare";
const args: CloudflareZoneArgs = {
  zone: "example.com",
  hostnames: [domain],
  plan: "free",
  certificate: true,
};

describe.each(["preview", "up"] as const)("CloudflareZone in mode %s", (mode) => {
  const zone = (more: Partial<CloudflareZoneArgs> = {}) =>
    compose(mode, () => new CloudflareZone("cloudflare", { ...args, ...more }));
  const namesOf = (resources: readonly Recorded[]) => resources.map(({ name }) => name);

  test("a proxied record in the zone, and a delay for open requests after the address has changed", async () => {
    const { resources } = await compose(mode, () => {
      const address = pulumi.output("192.0.2.1");
      return new HostName("hostname", { zone: new CloudflareZone("cloudflare", args), hostname: domain, address });
    });
    const ofHostName = { parent: "orion:ingress:HostName hostname" };
    expect(named(resources, "hostname-record")).toEqual({
      type: "cloudflare:index/dnsRecord:DnsRecord",
      name: "hostname-record",
      inputs: { zoneId, name: domain, type: "A", content: "192.0.2.1", ttl: 1, proxied: true },
      options: { ...ofHostName, deleteBeforeReplace: true },
    });
    expect(named(resources, "hostname-drain")).toMatchObject({
      inputs: { route: "192.0.2.1", afterChangeSeconds: 30, atRemovalSeconds: 0 },
      options: { ...ofHostName, dependencies: ["cloudflare:index/dnsRecord:DnsRecord hostname-record"] },
    });
  });

  test.each([true, false])("the zone's settings, one resource each; certificate: %s", async (certificate) => {
    const { resources } = await zone({ certificate });
    const settings = resources.filter(({ type }) => type === "cloudflare:index/zoneSetting:ZoneSetting");
    expect(Object.fromEntries(settings.map(({ name, inputs }) => [name, inputs]))).toEqual(
      Object.fromEntries(
        Object.entries(zoneSettings(certificate)).map(([settingId, value]) => [
          `cloudflare-${settingId.replaceAll("_", "-")}`,
          { zoneId, settingId, value },
        ]),
      ),
    );
    expect(named(resources, "cloudflare-min-tls-version").options).toEqual({ parent });
  });

  test.each(["free", "pro", "business"] as const)("the rulesets and the bot settings of plan %s", async (plan) => {
    const { resources } = await zone({ plan });
    const made = resources.filter(({ type }) => type === "cloudflare:index/ruleset:Ruleset");
    const expected = rulesets(plan, [domain]).map(({ name, phase, rules }) => ({
      type: "cloudflare:index/ruleset:Ruleset",
      name: `cloudflare-${name}`,
      inputs: { zoneId, kind: "zone", phase, name: `orion ${name}`, description: "", rules },
      options: { parent, deleteBeforeReplace: true },
    }));
    expect(made).toEqual(expected.sort((a, b) => (a.name < b.name ? -1 : 1)));
    expect(named(resources, "cloudflare-bots").inputs).toEqual({ zoneId, ...botManagement(plan) });
  });

  test("a certificate of the origin CA for the domain, with a key that stays a secret", async () => {
    const { resources, result } = await zone();
    const key = { "[secret]": known(mode, "key-origin-orion.example.com-key") };
    expect(named(resources, "origin-orion.example.com-key").inputs).toEqual({ algorithm: "ECDSA", ecdsaCurve: "P256" });
    expect(named(resources, "origin-orion.example.com-request").inputs).toEqual({
      privateKeyPem: key,
      subject: { commonName: domain },
      dnsNames: [domain],
    });
    expect(named(resources, "origin-orion.example.com-certificate")).toEqual({
      type: "cloudflare:index/originCaCertificate:OriginCaCertificate",
      name: "origin-orion.example.com-certificate",
      inputs: {
        csr: known(mode, "request-origin-orion.example.com-request"),
        hostnames: [domain],
        requestType: "origin-ecc",
        requestedValidity: 5475,
      },
      options: {
        parent,
        ignoreChanges: ["requestedValidity"],
        dependencies: ["tls:index/certRequest:CertRequest origin-orion.example.com-request"],
      },
    });
    const certificate = result.certificates.get(domain);
    if (!certificate) throw new Error("no certificate");
    expect(await pulumi.isSecret(certificate.privateKey)).toBe(true);
  });

  test("no certificate where another one is used", async () => {
    const { resources, result } = await zone({ certificate: false });
    expect(result.certificates.size).toBe(0);
    expect(namesOf(resources).filter((name) => name.startsWith("origin-"))).toEqual([]);
  });

  test("the same resources whatever the plan, but for the rulesets that a plan does not have", async () => {
    const [free, business] = [await zone(), await zone({ plan: "business" })];
    expect(namesOf(business.resources).filter((name) => !namesOf(free.resources).includes(name))).toEqual([
      "cloudflare-managed",
    ]);
  });
});
