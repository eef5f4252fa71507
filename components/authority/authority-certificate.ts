/** A key and a certificate signed by an authority (authority.ts). */
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";

export interface AuthorityCertificateArgs {
  /** Host names by which clients connect. */
  readonly dnsNames: readonly string[];
  /** IP addresses by which clients connect. */
  readonly ipAddresses: readonly string[];
  /** `client_auth` for a client that a server is to recognise. @default ["server_auth"] */
  readonly uses?: readonly ("server_auth" | "client_auth")[];
}

interface Signer {
  readonly certificate: pulumi.Input<string>;
  readonly privateKey: pulumi.Input<string>;
}

/** Ten years; the first update within the last five replaces it, so that a stack which is rarely updated never stands still. */
const validityHours = 10 * 365 * 24;
const renewalHours = validityHours / 2;

export class AuthorityCertificate extends pulumi.ComponentResource {
  /** PEM. */
  readonly certificate: pulumi.Output<string>;
  /** PEM; a secret. */
  readonly privateKey: pulumi.Output<string>;

  constructor(
    name: string,
    args: AuthorityCertificateArgs & { readonly authority: Signer },
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("orion:authority:AuthorityCertificate", name, {}, opts);
    const { authority, dnsNames, ipAddresses, uses = ["server_auth"] } = args;
    const key = new tls.PrivateKey(`${name}-key`, { algorithm: "ECDSA", ecdsaCurve: "P256" }, { parent: this });
    const request = new tls.CertRequest(
      `${name}-request`,
      {
        privateKeyPem: key.privateKeyPem,
        subject: { commonName: dnsNames[0] ?? ipAddresses[0] ?? name },
        dnsNames: [...dnsNames],
        ipAddresses: [...ipAddresses],
      },
      { parent: this },
    );
    const signed = new tls.LocallySignedCert(
      `${name}-certificate`,
      {
        certRequestPem: request.certRequestPem,
        caPrivateKeyPem: authority.privateKey,
        caCertPem: authority.certificate,
        validityPeriodHours: validityHours,
        earlyRenewalHours: renewalHours,
        allowedUses: ["digital_signature", ...uses],
      },
      { parent: this },
    );
    this.certificate = signed.certPem;
    this.privateKey = pulumi.secret(key.privateKeyPem);
    this.registerOutputs({});
  }
}
