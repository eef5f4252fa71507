import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { AuthorityCertificate, type AuthorityCertificateArgs } from "./authority-certificate.ts";

/** Where containers find the authority's certificate. */
export const authorityFile = "/etc/orion/ca.crt";

/** Thirty years: every client of the data services would have to learn a new one at the same time. */
const validityHours = 30 * 365 * 24;

/**
 * The stack's own certificate authority. It signs the certificates of the services that only the platform's processes connect
 * to, so that a client knows that the server which asks for its password is the right one.
 *
 * Key and certificate are in the stack's state, the key as a secret; no server has the key.
 */
export class Authority extends pulumi.ComponentResource {
  /** The authority's certificate, PEM; not a secret. */
  readonly certificate: pulumi.Output<string>;
  /** {@link certificate} as a container gets it, at {@link authorityFile}. */
  readonly file: docker.types.input.ContainerUpload;
  readonly #privateKey: pulumi.Output<string>;

  /** @param args.protect whether the engine refuses to delete the key: without it, all certificates would have to be replaced */
  constructor(name: string, args: { readonly protect: boolean }, opts?: pulumi.ComponentResourceOptions) {
    super("orion:authority:Authority", name, {}, opts);
    const own = { parent: this, protect: args.protect };
    const key = new tls.PrivateKey(`${name}-key`, { algorithm: "ECDSA", ecdsaCurve: "P256" }, own);
    const certificate = new tls.SelfSignedCert(
      `${name}-certificate`,
      {
        privateKeyPem: key.privateKeyPem,
        subject: { commonName: "orion" },
        isCaCertificate: true,
        setSubjectKeyId: true,
        validityPeriodHours: validityHours,
        allowedUses: ["cert_signing", "crl_signing"],
      },
      own,
    );
    this.#privateKey = pulumi.secret(key.privateKeyPem);
    this.certificate = certificate.certPem;
    this.file = { file: authorityFile, content: this.certificate, permissions: "0444" };
    this.registerOutputs({});
  }

  /**
   * Creates a key and a certificate signed by this authority.
   *
   * @param name logical name
   */
  sign(
    name: string,
    args: AuthorityCertificateArgs,
    opts: pulumi.ComponentResourceOptions & { readonly parent: pulumi.Resource },
  ): AuthorityCertificate {
    return new AuthorityCertificate(
      name,
      { ...args, authority: { certificate: this.certificate, privateKey: this.#privateKey } },
      opts,
    );
  }
}
