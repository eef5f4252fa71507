/** The stack's own authority: what it asks the engine for. */
import * as pulumi from "@pulumi/pulumi";
import { Authority } from "../../../../components/authority/authority.ts";
import { compose } from "../../support/compose.ts";
import { known, named, runtimeOf } from "../../support/runtime.ts";

const composed = (mode: "preview" | "up") =>
  compose(mode, () => {
    const authority = new Authority("authority", { protect: true, servers: new Map([["core-1", runtimeOf()]]) });
    const certificate = authority.sign(
      "database-tls",
      { dnsNames: ["database"], ipAddresses: ["10.20.1.11"] },
      { parent: authority },
    );
    return { authority, certificate };
  });

describe.each(["preview", "up"] as const)("Authority in mode %s", (mode) => {
  test("may sign certificates and nothing else, and its key is protected and a secret", async () => {
    const { resources } = await composed(mode);
    expect(named(resources, "authority-key").options.protect).toBe(true);
    const { inputs, options } = named(resources, "authority-certificate");
    expect(inputs).toEqual({
      privateKeyPem: { "[secret]": known(mode, "key-authority-key") },
      subject: { commonName: "orion" },
      isCaCertificate: true,
      setSubjectKeyId: true,
      validityPeriodHours: 30 * 365 * 24,
      allowedUses: ["cert_signing", "crl_signing"],
    });
    expect(options.protect).toBe(true);
  });

  test("its certificate is on every server, where containers mount it", async () => {
    const { inputs } = named((await composed(mode)).resources, "core-1-authority");
    const text = known(mode, "certificate-authority-certificate");
    expect(inputs["files"]).toEqual({ "/etc/orion/ca.crt": { text, mode: "0644" } });
  });

  test("a certificate of its own is for the names and addresses, and renewed years before its end", async () => {
    const { resources, result } = await composed(mode);
    expect(named(resources, "database-tls-request").inputs).toMatchObject({
      ...{ subject: { commonName: "database" }, dnsNames: ["database"], ipAddresses: ["10.20.1.11"] },
    });
    const { inputs } = named(resources, "database-tls-certificate");
    expect(inputs).toMatchObject({
      caPrivateKeyPem: { "[secret]": known(mode, "key-authority-key") },
      validityPeriodHours: 10 * 365 * 24,
      earlyRenewalHours: 5 * 365 * 24,
      allowedUses: ["digital_signature", "server_auth"],
    });
    expect(await pulumi.isSecret(result.certificate.privateKey)).toBe(true);
    expect(await pulumi.isSecret(result.authority.certificate)).toBe(false);
  });
});
