/** A certificate that nobody vouches for: exactly what it asks the engine for. */
import * as pulumi from "@pulumi/pulumi";
import { SelfSignedCertificate } from "../../../../../components/ingress/certificates/self-signed-certificate.ts";
import { compose } from "../../../support/compose.ts";
import { known, named } from "../../../support/runtime.ts";

test.each(["preview", "up"] as const)("in mode %s it is for one host name, and renewed in time", async (mode) => {
  const { resources, result } = await compose(
    mode,
    () => new SelfSignedCertificate("edge", { hostname: "orion.example.com" }),
  );
  expect(named(resources, "edge-key").inputs).toEqual({ algorithm: "ECDSA", ecdsaCurve: "P256" });
  expect(named(resources, "edge-certificate").inputs).toEqual({
    privateKeyPem: { "[secret]": known(mode, "key-edge-key") },
    subject: { commonName: "orion.example.com" },
    dnsNames: ["orion.example.com"],
    validityPeriodHours: 365 * 24,
    earlyRenewalHours: 30 * 24,
    allowedUses: ["server_auth"],
  });
  expect(await pulumi.isSecret(result.privateKey)).toBe(true);
});
