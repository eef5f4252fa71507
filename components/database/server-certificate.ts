import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import type { ContainerFile } from "../runtime/docker/volume-files.ts";
import { certificateFile, keyFile } from "./postgres-tls.ts";

/** Ten years: clients use it for encryption only and do not verify it, so replacing it gains nothing. */
const validityHours = 10 * 365 * 24;

/** A self-signed certificate for PostgreSQL's TLS. */
export class ServerCertificate extends pulumi.ComponentResource {
  readonly files: readonly ContainerFile[];

  constructor(name: string, opts?: pulumi.ComponentResourceOptions) {
    super("orion:database:ServerCertificate", name, {}, opts);
    const key = new tls.PrivateKey(`${name}-key`, { algorithm: "ECDSA", ecdsaCurve: "P256" }, { parent: this });
    const certificate = new tls.SelfSignedCert(
      `${name}-certificate`,
      {
        privateKeyPem: key.privateKeyPem,
        subject: { commonName: "orion-database" },
        validityPeriodHours: validityHours,
        allowedUses: ["server_auth"],
      },
      { parent: this },
    );
    this.files = [
      { file: certificateFile, content: certificate.certPem, permissions: "0444" },
      { file: keyFile, content: pulumi.secret(key.privateKeyPem), permissions: "0400" },
    ];
    this.registerOutputs({});
  }
}
