/** The way from Cloudflare to the origins: the client certificate, and in which order it is presented and demanded. */
import { OriginPulls } from "../../../../../components/ingress/cloudflare/origin-pulls.ts";
import { Platform } from "../../../../../components/platform.ts";
import type { Settings } from "../../../../../config/schema.ts";
import { keyOf } from "../../../../../policy/graph.ts";
import { plan } from "../../../../../topology/plan.ts";
import { type Composed, compose } from "../../../support/compose.ts";
import { named } from "../../../support/runtime.ts";
import { settingsOf } from "../../../support/settings.ts";
import { images } from "../../../support/graphs.ts";

const platform = (settings: Settings): Promise<Composed<Platform>> =>
  compose("up", () => {
    return new Platform("orion", {
      ...{ settings, topology: plan("prod", settings), builtImages: images, secret: () => undefined },
      cloudflareAccess: { endpoint: "https://api.cloudflare.com/client/v4", token: "token" },
    });
  });

/** Everything that a resource waits for, directly or by another one. */
function waitsFor({ resources, uses }: Composed<unknown>, name: string): Set<string> {
  const found = new Set<string>();
  const follow = (key: string): void => {
    if (found.has(key)) return;
    found.add(key);
    const resource = resources.find((one) => keyOf(one) === key);
    for (const next of [...(resource?.options.dependencies ?? []), ...Object.values(uses.get(key) ?? {}).flat()])
      follow(next);
  };
  follow(keyOf(named(resources, name)));
  return found;
}

test("Cloudflare gets the certificate, signed by an authority of its own, and is asked until it presents it", async () => {
  const access = { endpoint: "https://api.example.com/client/v4", token: "token" };
  const { resources } = await compose(
    "up",
    () => new OriginPulls("pulls", { zoneId: "zone", zone: "example.com", access }),
  );
  expect(named(resources, "pulls-upload").inputs).toEqual({
    ...{ zoneId: "zone", certificate: "certificate-pulls-client-certificate" },
    privateKey: { "[secret]": "key-pulls-client-key" },
  });
  expect(named(resources, "pulls-client-certificate").inputs).toMatchObject({
    caCertPem: "certificate-pulls-authority-certificate",
    allowedUses: ["digital_signature", "client_auth"],
  });
  expect(named(resources, "pulls-settings").inputs).toEqual({ zoneId: "zone", enabled: true });
  expect(named(resources, "pulls-ready").inputs).toEqual({
    ...{ zoneId: "zone", certificateId: expect.any(String) as unknown },
    ...{
      authority: "certificate-pulls-authority-certificate",
      settleSeconds: 15,
      blindSeconds: 300,
      timeoutSeconds: 900,
    },
    access: { ...access, token: { "[secret]": "token" } },
  });
});

test.each(["mvp", "scale"] as const)(
  "in phase %s an edge demands it only after Cloudflare presents it",
  async (phase) => {
    const composed = await platform(settingsOf(phase));
    const edges = composed.resources.filter(
      ({ type, name }) => type === "orion:index:LiveFiles" && name.startsWith("edge-"),
    );
    expect(edges.length).toBeGreaterThan(0);
    for (const { name, inputs } of edges) {
      const files = inputs["files"] as Record<string, unknown>;
      expect(files["nginx.conf"]).toMatch(/ssl_client_certificate client-authority.crt;\s+ssl_verify_client on;/);
      expect(files["client-authority.crt"]).toBe(
        "certificate-cloudflare-example.com-origin-pulls-authority-certificate",
      );
      expect([...waitsFor(composed, name)]).toEqual(
        expect.arrayContaining([
          "orion:index:OriginPullsReady cloudflare-example.com-origin-pulls-ready",
          "cloudflare:index/authenticatedOriginPullsSettings:AuthenticatedOriginPullsSettings cloudflare-example.com-origin-pulls-settings",
          "cloudflare:index/authenticatedOriginPullsCertificate:AuthenticatedOriginPullsCertificate cloudflare-example.com-origin-pulls-upload",
        ]),
      );
    }
  },
);

test("with certificates by ACME behind Cloudflare it is demanded too", async () => {
  const { resources } = await platform(settingsOf("mvp", { edge: { tls: "acme" } }));
  const files = named(resources, "edge-core-1-config").inputs["files"] as Record<string, string>;
  expect(Object.keys(files).sort()).toEqual(["client-authority.crt", "nginx.conf"]);
  expect(files["nginx.conf"]).toContain("ssl_verify_client on;");
});

test.each(["acme", "self-signed"])("without Cloudflare visitors need no certificate: %s", async (tls) => {
  const { resources } = await platform(
    settingsOf("mvp", {
      edge: { tls },
      cloudflare: { enabled: false },
      storage: { backend: "local", noBackups: true },
    }),
  );
  const files = named(resources, "edge-core-1-config").inputs["files"] as Record<string, string>;
  expect(files["nginx.conf"]).not.toContain("ssl_verify_client");
  expect(resources.filter(({ name }) => name.includes("origin-pulls"))).toEqual([]);
});
