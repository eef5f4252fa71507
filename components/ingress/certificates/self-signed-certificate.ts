/** A self-signed certificate, valid for a year. */
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { withAliases } from "../../aliases.ts";

const validityHours = 365 * 24;
/** An update in the last month creates a new one. */
const renewalHours = 30 * 24;

/** The edge's, for trials or behind a proxy that does not verify it. */
export class SelfSignedCertificate extends pulumi.ComponentResource {
  /** PEM. */
  readonly chain: pulumi.Output<string>;
  /** PEM; a secret. */
  readonly privateKey: pulumi.Output<string>;

  constructor(name: string, { hostname }: { readonly hostname: string }, opts?: pulumi.ComponentResourceOptions) {
    super(
      "orion:ingress:SelfSignedCertificate",
      name,
      {},
      withAliases({ ...opts }, { type: "orion:edge:SelfSignedCertificate" }),
    );
    const key = new tls.PrivateKey(`${name}-key`, { algorithm: "ECDSA", ecdsaCurve: "P256" }, { parent: this });
    const certificate = new tls.SelfSignedCert(
      `${name}-certificate`,
      {
        privateKeyPem: key.privateKeyPem,
        subject: { commonName: hostname },
        dnsNames: [hostname],
        validityPeriodHours: validityHours,
        earlyRenewalHours: renewalHours,
        allowedUses: ["server_auth"],
      },
      { parent: this },
    );
    this.chain = certificate.certPem;
    this.privateKey = pulumi.secret(key.privateKeyPem);
    this.registerOutputs({});
  }
}
